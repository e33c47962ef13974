/** A modal question: closed with Escape, and the focus returns to where it was. */

import { html, nothing, type TemplateResult } from 'lit';
import { PlainElement, reactive } from './element';

/** Two may be open, one above the other. */
let opened = 0;

export class RelayDialog extends PlainElement {
  static override properties = reactive(['heading', 'content']);

  heading = '';
  content: TemplateResult | typeof nothing = nothing;
  private readonly named = `dialog-${String(++opened)}`;
  private returnTo: HTMLElement | null = null;

  override connectedCallback(): void {
    this.returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    super.connectedCallback();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.returnTo?.isConnected === true) this.returnTo.focus();
  }

  protected override firstUpdated(): void {
    const dialog = this.querySelector('dialog');
    // Safari before 15.4 has no modal dialogs: it is shown inline, with the focus on its heading.
    if (typeof dialog?.showModal === 'function') dialog.showModal();
    else dialog?.setAttribute('open', '');
    this.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true }); // it is visible, and the embedding page does not scroll
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby=${this.named} @close=${() => this.tell('dismissed')}>
      <h2 id=${this.named} tabindex="-1">${this.heading}</h2>
      ${this.content}
    </dialog>`;
  }
}

customElements.define('relay-dialog', RelayDialog);

/** After sending: where it is now, what happens next, and the receipt of an upload link. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { together } from './explaining';
import { ScreenElement } from './screen';

/** The step in which a mediator reads, and the one in which the sender looks how it stands. */
const [REVIEW, LOOK] = [0, 1];

export class RelaySent extends ScreenElement {
  static override properties = reactive([], ['copied']);

  private copied: 'copied' | 'notCopied' | null = null;

  protected override render(): TemplateResult {
    const { visit, screen } = this;
    if (screen.name !== 'sent') return html``;
    const { done } = visit.texts.sending;
    const upload = visit.arrival.purpose === 'upload';
    return html`<h1 tabindex="-1">${done.heading}</h1>
      <p class="note good">${done[screen.kind]}</p>
      ${screen.receipt === null ? nothing : this.renderReceipt(screen.receipt)}
      <section class="card">
        <h2>${done.next}</h2>
        <ul>
          ${done.steps.map((step, at) =>
            upload && at === LOOK ? nothing : html`<li>${at === REVIEW ? together(step, visit.arriving.programme?.reviewTime) : step}</li>`,
          )}
        </ul>
      </section>
      ${upload
        ? html`<p>${done.finished} ${screen.kind === 'letter' && visit.assistant === null ? done.copyHere : nothing}</p>`
        : html`<p><button class="primary" type="button" @click=${() => visit.replace({ name: 'home' })}>${done.home}</button></p>`}`;
  }

  private renderReceipt(receipt: string): TemplateResult {
    const { done } = this.visit.texts.sending;
    return html`<section class="card printed">
      <h2>${done.receiptHeading}</h2>
      <p class="code" lang="en">${receipt}</p>
      <p>${done.receiptText}</p>
      <p>${done.receiptWhere} <span class="address">${`${location.host}/receipt`}</span></p>
      <div class="row unprinted">
        <button type="button" @click=${() => this.copy(receipt)}>${done.copy}</button>
        <button type="button" @click=${() => window.print()}>${done.print}</button>
        <span role="status">${this.copied === null ? nothing : done[this.copied]}</span>
      </div>
    </section>`;
  }

  private async copy(receipt: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(receipt);
      this.copied = 'copied';
    } catch {
      this.copied = 'notCopied';
    }
  }
}

customElements.define('relay-sent', RelaySent);

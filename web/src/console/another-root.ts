/** Shown when a root is named that this browser does not trust: nothing changes until the mediator decides. */

import { html, nothing, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import type { Texts } from './i18n';

export class ConsoleAnotherRoot extends PlainElement {
  static override properties = reactive(['texts', 'given', 'known'], ['missing']);

  texts!: Texts;
  given = '';
  known: readonly string[] = [];
  private missing = false;

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  protected override render(): TemplateResult {
    const { roots } = this.texts;
    return html`<main id="content">
      <h1 tabindex="-1">${roots.title}</h1>
      <div class="note warn" role="alert">
        <p>${roots.what}</p>
        <p>${roots.means}</p>
      </div>
      <dl>
        <dt>${roots.known}</dt>
        ${this.known.map((one) => html`<dd class="code">${one}</dd>`)}
        <dt>${roots.given}</dt>
        <dd class="code">${this.given}</dd>
      </dl>
      <p><button class="primary" @click=${() => this.tell('kept')}>${roots.goOn}</button></p>
      <details class="card">
        <summary>${roots.told}</summary>
        <form @submit=${this.trust}>
          <p>${roots.toldWhat}</p>
          <label class="choice"><input id="compared" type="checkbox" aria-describedby="compared-fault" /><span>${roots.compared}</span></label>
          <p id="compared-fault" class="fault" role="alert">${this.missing ? roots.needed : nothing}</p>
          <button class="grave">${roots.trust}</button>
        </form>
      </details>
    </main>`;
  }

  private readonly trust = (event: Event): void => {
    event.preventDefault();
    const compared = this.querySelector<HTMLInputElement>('#compared');
    this.missing = compared?.checked !== true;
    if (this.missing) compared?.focus();
    else this.tell('trusted');
  };
}

customElements.define('console-another-root', ConsoleAnotherRoot);

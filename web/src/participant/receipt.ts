/** `/receipt`: the state of a receipt's message, for anybody who has the code. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, type AuthorView, type Language, type Refusal, type SentMessage, type Time } from '../client/contract';
import { day } from '../ui/amounts';
import { PlainElement, reactive } from '../ui/element';
import { whatComesNext, whoToCall } from './explaining';
import { keys } from './keys';
import { refusalText } from './refusals';
import { reasonForAuthor, type Reasons } from '../i18n/reasons';
import type { Arriving, Home } from './i18n';

interface Standing {
  readonly view: AuthorView;
  readonly since: Time;
  readonly failure: SentMessage['failure'];
  readonly reason: string | null;
}

export class RelayReceipt extends PlainElement {
  static override properties = reactive(['texts', 'home', 'reasons', 'language'], ['running', 'refusal', 'standing']);

  texts!: Arriving;
  home!: Home;
  reasons!: Reasons;
  language: Language = 'en';
  private running = false;
  private refusal: Refusal | null = null;
  private standing: Standing | null = null;

  protected override render(): TemplateResult {
    const { texts, refusal } = this;
    return html`<h1 tabindex="-1">${texts.receipt.heading}</h1>
      <p>${texts.receipt.text}</p>
      <form class="card" @submit=${(event: Event) => this.ask(event)}>
        <div class="field">
          <label for="receipt">${texts.receipt.field}</label>
          <input
            id="receipt"
            class="code"
            type="text"
            required
            autocomplete="off"
            autocapitalize="characters"
            spellcheck="false"
            aria-describedby="receipt-said"
            aria-invalid=${refusal === null ? 'false' : 'true'}
          />
          <div id="receipt-said">${refusal === null ? nothing : html`<p class="fault" role="alert">${this.refusalText(refusal)}</p>`}</div>
        </div>
        <button class="primary" ?disabled=${this.running}>${texts.receipt.ask}</button>
      </form>
      <div role="status">${this.standing === null ? nothing : this.renderStanding(this.standing)}</div>
      ${whoToCall(texts)}`;
  }

  private renderStanding({ view, since, failure, reason }: Standing): TemplateResult {
    const { home } = this;
    const why = reason === null ? null : reasonForAuthor(this.reasons, reason);
    const said = home.author[view];
    return html`<section class="card">
      <h2>${said.name}</h2>
      <p class="quiet">${home.sent.since(day(since, this.language))}</p>
      <p>${said.means}</p>
      ${failure === null ? nothing : html`<p>${failure[this.language]}</p>`}
      ${why === null ? nothing : html`<p><strong>${why}</strong></p>`}
      <p>${whatComesNext(view, said.next, this.texts.programme)}</p>
      ${view === 'sent-back' || view === 'not-prepared' ? html`<p>${home.sent.openLink}</p>` : nothing}
    </section>`;
  }

  private refusalText(refusal: Refusal): string {
    const unknown = refusal.code === 'not-found' || refusal.code === 'malformed';
    return unknown ? this.texts.receipt.none : refusalText(this.texts, refusal);
  }

  private async ask(event: Event): Promise<void> {
    event.preventDefault();
    const code = this.querySelector('input')?.value.trim() ?? '';
    if (this.running || code === '') return;
    this.running = true;
    this.refusal = null;
    this.standing = null;
    try {
      this.standing = await keys.receipt(code);
    } catch (thrown) {
      this.refusal = asRefusal(thrown);
      this.querySelector('input')?.focus();
    } finally {
      this.running = false;
    }
  }
}

customElements.define('relay-receipt', RelayReceipt);

/** Who used a link? The four words of the claim, to compare with those that the person reads out. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { SpokenWords, Uuid, WaitingClaim } from '../client/contract';
import type { Language } from '../i18n/catalogue';
import '../ui/dialog';
import { ConsoleElement } from './element';

export class ConsoleClaim extends ConsoleElement {
  static override properties = reactive(['case', 'link', 'person', 'reference', 'called'], ['waiting']);

  case: Uuid = '';
  link: Uuid = '';
  /** Whose link it is, in words. */
  person = '';
  /** Of the case. */
  reference = '';
  /** What their name is worth; nothing if they have none. */
  called: TemplateResult | typeof nothing = nothing;
  private waiting: WaitingClaim | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(async () => {
      this.waiting = await this.session.client.checkClaim(this.case, this.link);
    });
  }

  protected override render(): TemplateResult {
    const { claim } = this.texts;
    return html`<relay-dialog
      .heading=${claim.title(this.person, this.reference)}
      .content=${html`${this.called} ${this.renderRefusal()}
        ${this.waiting === null ? html`<p role="status">${this.reading ? this.texts.loading : nothing}</p>` : this.renderWaiting(this.waiting)}
        <p><button @click=${() => this.tell('given-up')}>${this.texts.cancel}</button></p>`}
      @dismissed=${() => this.tell('given-up')}
    ></relay-dialog>`;
  }

  private renderWaiting({ words, fault, ends, claim: hash }: WaitingClaim): TemplateResult {
    const { claim } = this.texts;
    const notThem = html`<p><button class="grave" ?disabled=${this.running} @click=${() => this.tell('not-them')}>${claim.notThem}</button></p>`;
    if (words === null) {
      return html`<div class="note warn" role="alert">
          <h3>${claim.faultTitle}</h3>
          <p>${claim.fault[fault ?? 'altered']}</p>
        </div>
        ${notThem}`;
    }
    const own = this.session.language;
    return html`<p>${claim.ask}</p>
      ${renderWords(words, own, own === 'en' ? claim.inEnglish : claim.inFrench)}
      ${renderWords(words, own === 'en' ? 'fr' : 'en', own === 'en' ? claim.inFrench : claim.inEnglish)}
      <p class="note warn">${claim.differ}</p>
      ${ends === 0 ? nothing : html`<p class="note">${claim.ends(ends)}</p>`}
      <p><button class="primary" ?disabled=${this.running} @click=${() => this.verify(hash)}>${claim.same}</button></p>
      ${notThem}`;
  }

  private async verify(hash: string): Promise<void> {
    const done = await this.attempt(() => this.session.client.verifyClaim(this.case, this.link, hash));
    if (done) this.tell('claim-verified');
  }
}

function renderWords(words: SpokenWords, language: Language, heading: string): TemplateResult {
  return html`<h3>${heading}</h3>
    <ol class="spoken" lang=${language}>
      ${words[language].map((word) => html`<li>${word}</li>`)}
    </ol>`;
}

customElements.define('console-claim', ConsoleClaim);

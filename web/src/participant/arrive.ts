/** The first visit: what this is and what happens next, and choosing a passphrase; or the one message of an upload link. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, isRefusal, type Arrival, type Refusal } from '../client/contract';
import type { Weakness } from '../crypto/passphrases';
import { PlainElement, reactive } from '../ui/element';
import '../ui/passphrase';
import type { Choosing, RelayPassphrase } from '../ui/passphrase';
import type { Language } from '../i18n/catalogue';
import { assistedSwitch, howToLeave, whatHappensNext, whatThisIs, whoCanOpen, whoToCall } from './explaining';
import { keys } from './keys';
import { refusalText } from './refusals';
import type { Arriving } from './i18n';

export class RelayArrive extends PlainElement {
  static override properties = reactive(
    ['texts', 'language', 'link', 'arrival', 'early', 'assisted', 'mayAssist'],
    ['running', 'refusal', 'fault'],
  );

  texts!: Arriving;
  language: Language = 'en';
  /** The address that the passphrase protects. */
  link = '';
  /** Null while the link is still being looked up: there is enough to read. */
  arrival: Arrival | null = null;
  /** Whether a passphrase may be chosen already, because the link is most likely new. */
  early = false;
  assisted = false;
  /** Whether the page still has the link's secret, so that it can start over without storing anything. */
  mayAssist = false;
  private running = false;
  private refusal: Refusal | null = null;
  /** Why the passphrase was refused. */
  private fault: 'missing' | Weakness | null = null;
  /** The user submitted before the link was looked up. */
  private wanted = false;

  protected override render(): TemplateResult {
    const { texts, arrival } = this;
    return html`<h1 tabindex="-1">${texts.checking.heading}</h1>
      ${whatThisIs(texts)}
      ${arrival?.purpose === 'upload' ? this.renderUpload() : arrival === null && !this.early ? nothing : this.renderChoose()}
      <p class="quiet" role="status">${arrival === null ? texts.checking.status : this.running ? texts.choose.beginning : nothing}</p>
      ${whoCanOpen(texts, arrival)} ${whatHappensNext(texts)} ${howToLeave(texts, this.assisted)} ${whoToCall(texts)}
      ${this.mayAssist && arrival !== null ? assistedSwitch(texts, () => this.tell('assist')) : nothing}`;
  }

  private renderUpload(): TemplateResult {
    const { texts } = this;
    return html`<form class="card" @submit=${(event: Event) => this.begin(event)}>
        <h2>${texts.upload.heading}</h2>
        <p>${texts.upload.text}</p>
        ${this.renderRefusal()}
        <button class="primary" ?disabled=${this.running}>${texts.upload.begin}</button>
      </form>`;
  }

  private renderChoose(): TemplateResult {
    const { texts } = this;
    return html`<form class="card" @submit=${(event: Event) => this.begin(event)}>
      <h2>${texts.choose.heading}</h2>
      <p>${texts.choose.why} ${texts.choose.how}</p>
      <relay-passphrase
        .label=${texts.choose.field}
        .showLabel=${texts.choose.show}
        .choosing=${{ texts: texts.shared, language: this.language, link: this.link, suggest: 'four' } satisfies Choosing}
        .fault=${this.faultText()}
        @changed=${() => (this.fault = null)}
      ></relay-passphrase>
      <details>
        <summary>${texts.choose.lost}</summary>
        <p>${texts.choose.lostText}</p>
      </details>
      <p class="quiet">${texts.choose.says}</p>
      ${this.renderRefusal()}
      <button class="primary" ?disabled=${this.running}>${texts.choose.begin}</button>
    </form>`;
  }

  private faultText(): string | null {
    if (this.fault === null) return null;
    return this.fault === 'missing' ? this.texts.choose.missing : this.texts.shared.weakness[this.fault];
  }

  private renderRefusal(): TemplateResult | typeof nothing {
    return this.refusal === null ? nothing : html`<p class="note warn" role="alert">${refusalText(this.texts, this.refusal)}</p>`;
  }

  protected override updated(): void {
    if (!this.wanted || this.arrival === null) return;
    this.wanted = false;
    this.running = false;
    void this.begin();
  }

  private async begin(event?: Event): Promise<void> {
    event?.preventDefault();
    if (this.running) return;
    const field = this.querySelector<RelayPassphrase>('relay-passphrase');
    this.fault = field === null ? null : field.value.trim() === '' ? 'missing' : field.weakness;
    if (this.fault !== null) {
      field?.focus();
      return;
    }
    this.running = true;
    this.refusal = null;
    this.wanted = this.arrival === null;
    if (this.wanted) return;
    try {
      const arrival = field === null ? await keys.enter() : await keys.claim(field.value);
      this.tell('entered', arrival);
    } catch (thrown) {
      if (isRefusal(thrown) && thrown.code === 'link-claimed') this.tell('taken');
      else if (isRefusal(thrown) && thrown.refusal === 'untrusted') this.tell('refused', thrown);
      else if (isRefusal(thrown) && thrown.weakness !== undefined) this.fault = thrown.weakness;
      else this.refusal = asRefusal(thrown);
    } finally {
      this.running = false;
    }
  }
}

customElements.define('relay-arrive', RelayArrive);

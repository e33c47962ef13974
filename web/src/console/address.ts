/** A link to hand over: as text, as a picture to scan, and as a sheet of paper in both languages. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Person, Purpose, Uuid } from '../client/contract';
import { renderContact, renderCrisisLines } from '../profile/drawing';
import { inLanguage } from '../profile/profile';
import { PlainElement, reactive } from '../ui/element';
import type { Language } from '../i18n/catalogue';
import '../ui/dialog';
import { caseName, person, roleOf, shortId } from './people';
import { qrCode } from './qr';
import type { Session } from './session';
import { renderCalled } from './whom';
import { loadTexts, type Texts } from './i18n';

export interface Address {
  readonly url: string;
  readonly purpose: Purpose;
  readonly who: Person;
  readonly case: Uuid;
  /** Of the case. */
  readonly reference: string;
}

export class ConsoleAddress extends PlainElement {
  static override properties = reactive(['session', 'address']);

  session!: Session;
  address!: Address;

  protected override render(): TemplateResult {
    const { texts } = this.session;
    const { who } = this.address;
    const heading = texts.address.title(person(this.session, who), caseName(this.session, this.address));
    return html`<relay-dialog .heading=${heading} .content=${this.renderContent()} @dismissed=${() => this.tell('put-away')}></relay-dialog>`;
  }

  private renderContent(): TemplateResult {
    const { texts, say } = this.session;
    const { url } = this.address;
    return html`${renderCalled(this.session, this.address.who)}
      <p>${texts.address.lead}</p>
      <div class="field">
        <label for="address-text">${texts.address.text}</label>
        <textarea id="address-text" autocomplete="off" class="code short" readonly spellcheck="false" .value=${url}></textarea>
        <button
          @click=${() => {
            void navigator.clipboard.writeText(url).then(
              () => say(texts.copied),
              () => this.querySelector<HTMLTextAreaElement>('#address-text')?.select(), // no clipboard access: selected for copying by hand
            );
          }}
        >
          ${texts.copy}
        </button>
      </div>
      <p>${texts.address.qr}</p>
      ${qrCode(url, texts.address.qrAlt)}
      <p>${texts.address.kiosk(kioskOf(url))}</p>
      <p class="row">
        <button @click=${() => this.tell('print-sheet')}>${texts.address.sheet}</button>
        <button @click=${() => this.tell('put-away')}>${texts.close}</button>
      </p>`;
  }
}

/** Shown where a link is handed over rather than opened. */
function kioskOf(url: string): string {
  return new URL('/kiosk', url).href;
}

/**
 * The sheet handed to a person: one page per language. The part they keep reveals neither case nor role to anybody who
 * sees it, and has a mark; a strip to cut off tells the mediator whose it is. Names are not printed.
 */
export class ConsoleSheet extends PlainElement {
  static override properties = reactive(['session', 'address'], ['both']);

  session!: Session;
  address!: Address;
  private both: readonly (readonly [Language, Texts])[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    void Promise.all([loadTexts('en'), loadTexts('fr')]).then(([en, fr]) => {
      this.both = this.session.language === 'fr' ? [['fr', fr], ['en', en]] : [['en', en], ['fr', fr]];
    });
  }

  protected override render(): TemplateResult {
    const { texts } = this.session;
    return html`<p class="row no-print">
        <button class="primary" @click=${() => window.print()}>${texts.print}</button>
        <button @click=${() => this.tell('put-away')}>${texts.back}</button>
      </p>
      ${this.both.map(([language, catalogue]) => this.renderPage(language, catalogue))}`;
  }

  private renderPage(language: Language, texts: Texts): TemplateResult | typeof nothing {
    const { sheet, address, finding, shared } = texts;
    const { profile } = this.session;
    const programme = profile === null ? null : inLanguage(profile, language);
    const { purpose, reference, who } = this.address;
    const upload = purpose === 'upload';
    const mark = shortId(who.participant);
    const steps = upload ? [sheet.upload1, sheet.upload2, sheet.upload3] : [sheet.step1, sheet.step2, sheet.step3];
    return html`<section class="card paper printed" lang=${language}>
      <div class="strip">
        <p><strong>${sheet.whose(roleOf(texts, who), reference)}</strong>, ${finding.mark(mark)}</p>
        <p class="quiet">${sheet.cut}</p>
      </div>
      <h2>${sheet.heading}</h2>
      <p>${sheet.hello}</p>
      <p>${sheet.free}</p>
      ${qrCode(this.address.url, address.qrAlt)}
      <p><strong>${sheet.address}</strong><br /><span class="code">${this.address.url}</span></p>
      <ol>
        ${steps.map((step) => html`<li>${step}</li>`)}
      </ol>
      <p>${address.kiosk(kioskOf(this.address.url))}</p>
      <p>${sheet.keep}</p>
      <p>${sheet.call}</p>
      <p class="blank"></p>
      ${programme === null ? nothing : html`${renderContact(shared.calls, programme)} ${renderCrisisLines(shared.calls, programme)}`}
      <p class="quiet">${sheet.mark} <span class="code">${mark}</span></p>
    </section>`;
  }
}

customElements.define('console-address', ConsoleAddress);
customElements.define('console-sheet', ConsoleSheet);

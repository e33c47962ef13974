/** A letter that a mediator writes down for somebody, who confirmed every word. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseDetail, CaseSummary, Language, Uuid } from '../client/contract';
import { ConsoleElement } from './element';
import { FormSaver } from './form-saver';
import { byReference } from './finding';
import { caseName, person } from './people';
import { renderCalled } from './whom';

export class ConsoleLetter extends ConsoleElement {
  static override properties = reactive(['given'], ['cases', 'detail', 'from', 'to', 'language', 'text', 'wanting']);

  given: Uuid | null = null;
  /** Null until the cases and what was typed before have loaded, so that nobody types into a form that is then filled. */
  private cases: readonly CaseSummary[] | null = null;
  private detail: CaseDetail | null = null;
  private from: Uuid = '';
  private to: Uuid = '';
  private language: Language = 'en';
  private text = '';
  private readonly saver = new FormSaver(
    this,
    () => (this.given === null ? 'letter' : `letter:${this.given}`),
    () => ({ case: this.detail?.case ?? '', from: this.from, to: this.to, language: this.language, text: this.text }),
  );
  private wanting: 'fields' | 'confirm' | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.language = this.session.language;
    void this.read(async () => {
      const kept = await this.saver.find();
      const cases = byReference(await this.session.client.cases(), this.session.language).filter((one) => one.charterVersion > 0);
      if (kept !== null) await this.takeUp(kept);
      else if (this.given !== null) await this.pick(this.given);
      this.cases = cases;
    });
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  /** Resumes a letter in progress. */
  private async takeUp(kept: Readonly<Record<string, string>>): Promise<void> {
    await this.pick(kept['case'] ?? '');
    this.from = kept['from'] ?? '';
    this.to = kept['to'] ?? '';
    this.language = kept['language'] === 'fr' ? 'fr' : 'en';
    this.text = kept['text'] ?? '';
  }

  private async pick(id: Uuid): Promise<void> {
    this.from = '';
    this.to = '';
    this.detail = id === '' ? null : await this.session.client.case(id);
  }

  /** People who may write to each other, on either side. */
  private partners(of: Uuid): readonly Uuid[] {
    const pairs = this.detail?.pairs ?? [];
    return pairs.filter((pair) => pair.one === of || pair.other === of).map((pair) => (pair.one === of ? pair.other : pair.one));
  }

  protected override render(): TemplateResult {
    const { letter } = this.texts;
    return html`<main id="content">
      <h1 tabindex="-1">${letter.title}</h1>
      <p>${letter.lead}</p>
      ${this.renderRefusal()}
      ${this.cases === null
        ? html`<p role="status">${this.reading ? this.texts.loading : nothing}</p>`
        : this.renderForm(this.cases)}
    </main>`;
  }

  private renderForm(cases: readonly CaseSummary[]): TemplateResult {
    const { letter } = this.texts;
    return html`<form @submit=${this.submit}>
      <div class="field">
        <label for="letter-case">${letter.case}</label>
        <select id="letter-case" required @change=${this.casePicked}>
          <option value="">${letter.chooseCase}</option>
          ${cases.map(
            (one) => html`<option value=${one.case} ?selected=${one.case === this.detail?.case}>${caseName(this.session, one)}</option>`,
          )}
        </select>
      </div>
      ${this.detail === null ? nothing : this.renderWho(this.detail)}
      <div class="field">
        <label for="letter-language">${letter.language}</label>
        <select
          id="letter-language"
          @change=${(event: Event) => {
            this.language = (event.target as HTMLSelectElement).value as Language;
            this.saver.changed();
          }}
        >
          ${(['en', 'fr'] as const).map(
            (one) => html`<option value=${one} ?selected=${one === this.language}>${this.texts.languageName[one]}</option>`,
          )}
        </select>
      </div>
      <div class="field">
        <label for="letter-words">${letter.words}</label>
        <textarea
          id="letter-words"
          autocomplete="off"
          lang=${this.language}
          .value=${this.text}
          @input=${(event: Event) => {
            this.text = (event.target as HTMLTextAreaElement).value;
            this.saver.changed();
          }}
        ></textarea>
      </div>
      <p class="quiet">${this.texts.kept}</p>
      <label class="choice"><input id="letter-confirm" type="checkbox" aria-describedby="letter-fault" /><span>${letter.confirm}</span></label>
      <p id="letter-fault" class="fault" role="alert">
        ${this.wanting === 'fields' ? letter.missing : this.wanting === 'confirm' ? letter.confirmNeeded : nothing}
      </p>
      <button class="primary" ?disabled=${this.running}>${letter.do}</button>
      <p role="status">${this.running ? this.texts.working : nothing}</p>
    </form>`;
  }

  private renderWho(detail: CaseDetail): TemplateResult {
    const { letter } = this.texts;
    const inPairs = detail.participants.filter((one) => this.partners(one.participant).length > 0);
    if (inPairs.length === 0) return html`<p class="note">${letter.noPairs}</p>`;
    const partners = this.partners(this.from);
    const options = (people: CaseDetail['participants'], chosen: Uuid): TemplateResult[] => [
      html`<option value="">${letter.choosePerson}</option>`,
      ...people.map(
        (one) => html`<option value=${one.participant} ?selected=${one.participant === chosen}>${person(this.session, one)}</option>`,
      ),
    ];
    return html`<div class="columns">
      <div class="field">
        <label for="letter-from">${letter.from}</label>
        <select id="letter-from" @change=${this.fromPicked}>${options(inPairs, this.from)}</select>
      </div>
      <div class="field">
        <label for="letter-to">${letter.to}</label>
        <select id="letter-to" @change=${this.toPicked}>
          ${options(detail.participants.filter((one) => partners.includes(one.participant)), this.to)}
        </select>
      </div>
    </div>
    ${[this.from, this.to].map((id) => this.renderChosen(detail, id))}`;
  }

  /** What the name of a chosen person is worth. */
  private renderChosen(detail: CaseDetail, id: Uuid): TemplateResult | typeof nothing {
    const chosen = detail.participants.find(({ participant }) => participant === id);
    return chosen === undefined ? nothing : renderCalled(this.session, chosen);
  }

  private readonly casePicked = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    void this.read(() => this.pick(value));
    this.saver.changed();
  };

  private readonly fromPicked = (event: Event): void => {
    this.from = (event.target as HTMLSelectElement).value;
    const partners = this.partners(this.from);
    this.to = partners.length === 1 ? (partners[0] ?? '') : '';
    this.saver.changed();
  };

  private readonly toPicked = (event: Event): void => {
    this.to = (event.target as HTMLSelectElement).value;
    this.saver.changed();
  };

  private readonly submit = (event: Event): void => {
    event.preventDefault();
    const text = this.text.trim();
    const confirmed = this.querySelector<HTMLInputElement>('#letter-confirm')?.checked === true;
    const { detail, from, language, to } = this;
    this.wanting = null;
    if (detail === null || from === '' || to === '' || text === '') {
      this.wanting = 'fields';
      return;
    }
    if (!confirmed) {
      this.wanting = 'confirm';
      return;
    }
    void this.attempt(async () => {
      const message = await this.session.client.relayLetter({ case: detail.case, from, to, language, text, confirmed });
      this.saver.drop();
      this.session.say(this.texts.letter.done);
      this.session.go({ name: 'review', message });
    });
  };
}

customElements.define('console-letter', ConsoleLetter);

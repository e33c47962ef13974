/** A letter: written, saved sealed meanwhile, previewed as its reader will see it, and sent. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { SaveResult, Language, LetterDraft, Uuid } from '../client/contract';
import { newId } from '../client/stamps';
import { timeOfDay } from '../ui/amounts';
import { guidanceText, type Guidance } from './guidance';
import './recipient';
import { ScreenElement } from './screen';
import { countWords } from './counting';

/** Saved after this pause in typing. */
const PAUSE_MS = 1_000;
/** And after this long in any case. */
const LONGEST_MS = 5_000;

export class RelayWrite extends ScreenElement {
  static override properties = reactive(
    [],
    ['text', 'to', 'language', 'kept', 'isCopy', 'previewing', 'missing', 'guidance', 'ready'],
  );

  private draft: Uuid = newId();
  private text = '';
  private to: Uuid | null = null;
  private language: Language = 'en';
  private revises: Uuid | null = null;
  private kept: 'nothing' | 'saving' | 'failed' | (SaveResult & { readonly at: Date }) = 'nothing';
  /** It was changed or sent elsewhere meanwhile. */
  private isCopy = false;
  private previewing = false;
  private missing = false;
  private guidance: Guidance | null = null;
  private ready = false;
  /** Set while there are unsaved changes. */
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** When the first of them was made, in ms since the epoch. */
  private changedAt = 0;
  private sent = false;
  private saving: Promise<void> = Promise.resolve();

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.outOfSight);
    void this.attempt(() => this.open());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.outOfSight);
    void this.saveNow();
  }

  /** Saves the current text when the page may close; the request is sent before this returns. */
  saveNow(): Promise<void> {
    return this.timer === null ? this.saving : this.keep();
  }

  /** A phone may terminate a hidden page at any time, without notice. */
  private readonly outOfSight = (): void => {
    if (document.visibilityState === 'hidden') void this.saveNow();
  };

  private async open(): Promise<void> {
    const { visit, screen } = this;
    const asked = screen.name === 'write' ? screen : { draft: null, to: null, revises: null };
    const draft = await this.begun(asked.draft, asked.revises);
    const revised = visit.correspondence?.sent.find((message) => message.message === (draft?.revises ?? asked.revises));
    this.revises = draft?.revises ?? asked.revises;
    this.draft = draft?.id ?? this.draft;
    this.to = draft?.to ?? asked.to ?? revised?.to ?? visit.arrival.correspondents[0]?.participant ?? null;
    this.language = draft?.language ?? revised?.language ?? visit.language;
    this.text = draft?.text ?? (this.revises === null ? '' : await visit.client.ownText(this.revises));
    if (this.revises !== null && revised?.hasGuidance === true) this.guidance = await visit.client.guidance(this.revises);
    this.ready = true;
  }

  /** The draft to resume: the requested one, the latest of this revision, or the one letter of an upload link. */
  private async begun(asked: Uuid | null, revises: Uuid | null): Promise<LetterDraft | undefined> {
    const { arrival, client } = this.visit;
    if (asked === null && revises === null && arrival.purpose === 'participate') return undefined;
    return (await client.drafts()).find((draft) => (asked === null ? draft.revises === revises : draft.id === asked));
  }

  protected override render(): TemplateResult {
    const { letter } = this.visit.texts.sending;
    if (this.previewing) return this.renderPreview();
    return html`${this.renderBack()}
      <h1 tabindex="-1">${this.revises === null ? letter.heading : letter.headingRevision}</h1>
      ${this.renderRefusal()} ${this.ready ? this.renderEditor() : html`<p role="status">${this.visit.texts.home.home.loading}</p>`}`;
  }

  private renderEditor(): TemplateResult {
    const { visit } = this;
    const { letter } = visit.texts.sending;
    const { role } = visit.arrival;
    const part = role === 'harmed' || role === 'responsible' ? role : 'other';
    return html`${this.guidance === null
        ? html`<p>${letter.calm}</p>`
        : html`<aside class="note">
            <h2>${letter.guidance}</h2>
            ${guidanceText(this.guidance, visit)}
          </aside>`}
      <relay-recipient
        .visit=${visit}
        .to=${this.to}
        .language=${this.language}
        .fixed=${this.revises !== null}
        @addressed=${(event: CustomEvent<Uuid>) => {
          this.to = event.detail;
          this.changed();
        }}
        @language-chosen=${(event: CustomEvent<Language>) => {
          this.language = event.detail;
          this.changed();
        }}
      ></relay-recipient>
      <details class="card">
        <summary>${letter.questions}</summary>
        <p>${letter.questionsHow}</p>
        <ul>
          ${letter.questionsFor[part].map((question) => html`<li>${question}</li>`)}
        </ul>
        <p>${letter.questionsNot[part]}</p>
      </details>
      <div class="field">
        <label for="letter">${letter.field}</label>
        <textarea
          id="letter"
          autocomplete="off"
          class="letter"
          lang=${this.language}
          aria-describedby="letter-said"
          aria-invalid=${this.missing ? 'true' : 'false'}
          .value=${this.text}
          @input=${(event: Event) => {
            this.text = (event.target as HTMLTextAreaElement).value;
            this.missing = false;
            this.changed();
          }}
        ></textarea>
        <div id="letter-said">
          <p class="row apart quiet">
            <span>${letter.words(countWords(this.text))}</span>
            <span role="status">${this.savedText()}</span>
          </p>
          ${this.isCopy ? html`<p class="note" role="status">${letter.copied}</p>` : nothing}
          ${this.missing ? html`<p class="fault" role="alert">${letter.missing}</p>` : nothing}
        </div>
      </div>
      <div class="row">
        <button class="primary" type="button" @click=${() => this.preview()}>${letter.preview}</button>
        ${this.keeps() ? html`<button type="button" @click=${() => visit.back()}>${letter.later}</button>` : nothing}
      </div>`;
  }

  private renderPreview(): TemplateResult {
    const { preview } = this.visit.texts.sending;
    return html`<h1 tabindex="-1">${preview.heading}</h1>
      <p>${preview.text}</p>
      <article class="card letter" lang=${this.language}>${this.text.trim()}</article>
      <p>${preview.what}</p>
      ${this.renderRefusal()}
      <div class="row">
        <button class="primary" type="button" ?disabled=${this.running} @click=${() => this.send()}>${preview.send}</button>
        <button type="button" ?disabled=${this.running} @click=${() => this.edit()}>${preview.edit}</button>
      </div>
      <p class="quiet" role="status">${this.running ? preview.sending : nothing}</p>`;
  }

  /** Through an upload link on a shared computer, it cannot be stored anywhere. */
  private keeps(): boolean {
    return this.visit.assistant === null || this.visit.arrival.purpose === 'participate';
  }

  private savedText(): string {
    const { kept, visit } = this;
    const { letter } = visit.texts.sending;
    const here = visit.arrival.purpose === 'upload';
    if (!this.keeps()) return letter.notKept;
    if (kept === 'nothing') return here ? letter.stays : letter.follows;
    if (kept === 'saving') return letter.saving;
    if (kept === 'failed') return letter.notSaved;
    const time = timeOfDay(kept.at, visit.language);
    if (here) return letter.savedHere(time);
    return kept.where === 'relay' ? letter.savedElsewhere(time) : letter.saved(time);
  }

  private changed(): void {
    const now = Date.now();
    if (this.timer === null) this.changedAt = now;
    else clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.keep(), Math.min(PAUSE_MS, this.changedAt + LONGEST_MS - now));
  }

  private keep(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.to === null || this.sent) return this.saving;
    const { to, language, text, revises } = this;
    const draft: LetterDraft = { id: this.draft, to, language, text, revises, changedAt: new Date().toISOString() };
    // Do not repeat the notice while somebody keeps typing.
    if (typeof this.kept === 'string') this.kept = 'saving';
    // Requested at once: the next screen loads drafts after this one.
    this.saving = this.visit.client.saveDraft(draft).then(
      (safe) => {
        this.kept = { ...safe, at: new Date() };
        this.isCopy = safe.isCopy;
      },
      () => void (this.kept = 'failed'),
    );
    return this.saving;
  }

  private async preview(): Promise<void> {
    if (this.text.trim() === '') {
      this.missing = true;
      this.querySelector('textarea')?.focus();
      return;
    }
    void this.keep();
    this.previewing = true;
    await this.updateComplete;
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  private async edit(): Promise<void> {
    this.previewing = false;
    await this.updateComplete;
    this.querySelector('textarea')?.focus();
  }

  private async send(): Promise<void> {
    const { visit, to, language, revises } = this;
    if (to === null) return;
    const text = this.text.trim();
    await this.attempt(async () => {
      await this.saving;
      const sent = await visit.client.sendLetter({
        to,
        language,
        text,
        ...(revises === null ? {} : { revises }),
        ...(visit.assistant === null ? {} : { assistant: visit.assistant }),
      });
      this.sent = true;
      // It was sent: a leftover draft or an outdated list is no reason to report a failure.
      await visit.client.discardDraft(this.draft).catch(() => undefined);
      await visit.renew().catch(() => undefined);
      visit.replace({ name: 'sent', kind: 'letter', receipt: sent.receipt });
    });
  }
}

customElements.define('relay-write', RelayWrite);

declare global {
  interface HTMLElementTagNameMap {
    'relay-write': RelayWrite;
  }
}

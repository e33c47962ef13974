/** Captions of a video, or the transcript of a voice message, under review: a list of lines beside the player, or the file as text, or a reason for none. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import type { Language, ReviewItem, Uuid } from '../client/contract';
import { ConsoleElement } from './element';
import { FormSaver } from './form-saver';
import './media';
import type { ConsoleMedia } from './media';
import { textsFor } from './form-texts';
import type { Texts } from './i18n';
import { cueText, formatTime, parse, readTime, serialize, type Cue, type Parsed } from '../playback/webvtt';

/** A line being edited; times stay text until they are valid. */
interface Draft {
  readonly key: number;
  readonly start: string;
  readonly end: string;
  readonly text: string;
}

const FILE_MOST_BYTES = 512 * 1024;
const LINE_MS = 3000;

export class ConsoleCaptions extends ConsoleElement {
  static override properties = reactive(['message'], ['item', 'drafts', 'plain', 'mistakes', 'language', 'hint']);

  message: Uuid = '';

  protected override get texts(): Texts {
    return textsFor(this.session.texts, this.item?.form);
  }

  private item: ReviewItem | null = null;
  private drafts: readonly Draft[] = [];
  /** The file as text, while it is edited in that form. */
  private plain: string | null = null;
  private mistakes: Parsed['mistakes'] = [];
  private language: Language = 'en';
  private hint = '';
  private keys = 0;
  private readonly saver = new FormSaver(this, () => `captions:${this.message}`, () => ({ file: this.file(), language: this.language }));

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('message')) void this.load();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('item') && changed.get('item') === null) this.focusHeading();
  }

  private async load(): Promise<void> {
    await this.read(async () => {
      const { client } = this.session;
      const item = await client.review(this.message);
      this.language = item.captions?.language ?? item.language;
      // Captions that cannot be read are replaced by new ones.
      const readable = item.captions?.exception === null && item.faults.every(({ record }) => record !== 'captions');
      const begun = await this.saver.find();
      const file = begun?.['file'] ?? (readable ? await client.captionsText(this.message) : null);
      if (begun !== null) this.language = begun['language'] === 'fr' ? 'fr' : 'en';
      if (file !== null) this.takeIn(file);
      this.item = item;
      this.session.entitle((texts) => texts.place.captions(item.reference));
    });
  }

  private takeIn(file: string): void {
    const { cues, mistakes } = parse(file, this.item?.video?.durationMs);
    if (mistakes.length > 0) {
      this.plain = file;
      this.mistakes = mistakes;
    } else {
      this.plain = null;
      this.mistakes = [];
      this.drafts = cues.map((cue) => this.draft(cue));
    }
  }

  private draft(cue: Cue): Draft {
    this.keys += 1;
    return { key: this.keys, start: formatTime(cue.start), end: formatTime(cue.end), text: cue.text };
  }

  /** The file as it would be saved; its errors are shown with the lines of this text. */
  private file(): string {
    if (this.plain !== null) return this.plain;
    const times = this.drafts.map((one) => ({ start: readTime(one.start), end: readTime(one.end) }));
    if (times.every((time): time is { start: number; end: number } => time.start !== null && time.end !== null)) {
      return serialize(this.drafts.map((one, index) => ({ ...(times[index] ?? { start: 0, end: 0 }), text: cueText(one.text) })));
    }
    const blocks = this.drafts.map((one) => `${one.start} --> ${one.end}\n${cueText(one.text)}\n`);
    return ['WEBVTT\n', ...blocks].join('\n');
  }

  private change(key: number, changed: Partial<Draft>): void {
    this.saver.changed();
    this.drafts = this.drafts.map((one) => (one.key === key ? { ...one, ...changed } : one));
    this.mistakes = [];
  }

  private get player(): ConsoleMedia | null {
    return this.querySelector<ConsoleMedia>('console-media');
  }

  private setTime(key: number, which: 'start' | 'end'): void {
    const now = this.player?.currentTime() ?? null;
    this.hint = now === null ? this.texts.captions.needsTime : '';
    if (now !== null) this.change(key, { [which]: formatTime(now) });
  }

  private add(): void {
    const last = this.drafts.at(-1);
    const start = this.player?.currentTime() ?? (last === undefined ? 0 : (readTime(last.end) ?? 0));
    const added = this.draft({ start, end: start + LINE_MS, text: '' });
    this.drafts = [...this.drafts, added];
    this.saver.changed();
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#cue-text-${String(added.key)}`)?.focus());
  }

  private async save(): Promise<void> {
    const file = this.file();
    const { cues, mistakes } = parse(file, this.item?.video?.durationMs);
    this.mistakes = mistakes;
    if (mistakes.length > 0 || cues.length === 0) {
      this.hint = cues.length === 0 && mistakes.length === 0 ? this.texts.captions.empty : '';
      return;
    }
    const text = serialize(cues);
    const done = await this.attempt(async () => {
      await this.session.client.caption(this.message, { text, language: this.language });
    });
    if (done) this.leave(this.texts.captions.saved);
  }

  private async except(exception: string): Promise<void> {
    const done = await this.attempt(async () => {
      await this.session.client.caption(this.message, { exception });
    });
    if (done) this.leave(this.texts.captions.exceptionSaved);
  }

  private leave(sentence: string): void {
    this.saver.drop();
    this.session.say(sentence);
    this.session.go({ name: 'review', message: this.message });
  }

  private readonly importFile = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file === undefined || file.size > FILE_MOST_BYTES) return;
    void file.text().then((text) => {
      this.takeIn(text);
      this.saver.changed();
    });
    input.value = '';
  };

  protected override render(): TemplateResult {
    const { captions } = this.texts;
    const { item } = this;
    return html`<main id="content" class="wide">
      <p class="back"><button class="plain" @click=${() => this.session.go({ name: 'review', message: this.message })}>← ${captions.back}</button></p>
      <h1 tabindex="-1">${captions.title}</h1>
      <p>${captions.lead}</p>
      ${this.renderRefusal()}
      ${item?.video == null
        ? html`<p role="status">${this.reading ? this.texts.loading : nothing}</p>`
        : html`<div class="beside">
            <div>
              <console-media .session=${this.session} .video=${item.video} .captions=${null} .alone=${true}></console-media>
              ${this.renderException()}
            </div>
            <div>${this.renderEditor(item)}</div>
          </div>`}
    </main>`;
  }

  private renderEditor(item: ReviewItem): TemplateResult {
    const { captions, languageName } = this.texts;
    return html`<section>
      <div class="row field">
        <button aria-pressed=${this.plain === null ? 'true' : 'false'} @click=${() => this.plain !== null && this.takeIn(this.plain)}>${captions.editor}</button>
        <button aria-pressed=${this.plain === null ? 'false' : 'true'} @click=${() => (this.plain = this.file())}>${captions.plain}</button>
      </div>
      <div class="field">
        <label for="captions-file">${captions.import}</label>
        <input id="captions-file" type="file" accept=".vtt,text/vtt" @change=${this.importFile} />
      </div>
      ${this.renderMistakes()}
      ${this.plain === null
        ? this.renderCues(item)
        : html`<div class="field">
            <label for="captions-plain">${captions.cues}</label>
            <textarea id="captions-plain" autocomplete="off" class="code" spellcheck="false" .value=${this.plain} @input=${this.typed}></textarea>
          </div>`}
      <div class="field">
        <label for="captions-language">${captions.language}</label>
        <select id="captions-language" @change=${this.languagePicked}>
          ${(['en', 'fr'] as const).map(
            (one) => html`<option value=${one} ?selected=${one === this.language}>${languageName[one]}</option>`,
          )}
        </select>
      </div>
      <p role="status">${this.hint}</p>
      <p class="quiet">${this.texts.kept}</p>
      <button class="primary" ?disabled=${this.running} @click=${() => this.save()}>${captions.saveDo}</button>
    </section>`;
  }

  private readonly typed = (event: Event): void => {
    this.plain = (event.target as HTMLTextAreaElement).value;
    this.mistakes = [];
    this.saver.changed();
  };

  private readonly languagePicked = (event: Event): void => {
    this.language = (event.target as HTMLSelectElement).value as Language;
    this.saver.changed();
  };

  private leaveOut(key: number): void {
    this.drafts = this.drafts.filter((other) => other.key !== key);
    this.saver.changed();
  }

  private renderMistakes(): TemplateResult | typeof nothing {
    const { captions } = this.texts;
    if (this.mistakes.length === 0) return nothing;
    return html`<div class="note warn" role="alert">
      <p>${captions.mistakes(this.mistakes.length)}</p>
      <ul>
        ${this.mistakes.map((one) => html`<li>${captions.atLine(one.line, captions.fault[one.fault])}</li>`)}
      </ul>
    </div>`;
  }

  private renderCues(item: ReviewItem): TemplateResult {
    const { captions } = this.texts;
    return html`${this.drafts.length === 0 ? html`<p>${captions.empty}</p>` : nothing}
      <ol class="cues">
        ${repeat(
          this.drafts,
          (one) => one.key,
          (one, index) => this.renderCue(one, index + 1, item.language),
        )}
      </ol>
      <p><button @click=${() => this.add()}>${captions.add}</button></p>`;
  }

  private renderCue(one: Draft, number: number, language: Language): TemplateResult {
    const { captions } = this.texts;
    const key = String(one.key);
    const time = (which: 'start' | 'end', label: string, set: string): TemplateResult => html`<div>
      <label for="cue-${which}-${key}">${label}</label>
      <input
        id="cue-${which}-${key}"
        type="text"
        inputmode="decimal"
        autocomplete="off"
        aria-invalid=${readTime(one[which]) === null ? 'true' : nothing}
        .value=${one[which]}
        @input=${(event: Event) => this.change(one.key, { [which]: (event.target as HTMLInputElement).value })}
      />
      <button class="plain" @click=${() => this.setTime(one.key, which)}>${set}</button>
    </div>`;
    return html`<li>
      <fieldset>
        <legend>${captions.cue(number)}</legend>
        <div class="cue-times">
          ${time('start', captions.start, captions.setStart)} ${time('end', captions.end, captions.setEnd)}
        </div>
        <label for="cue-text-${key}">${captions.text}</label>
        <textarea
          id="cue-text-${key}"
          autocomplete="off"
          class="short"
          rows="2"
          lang=${language}
          .value=${one.text}
          @input=${(event: Event) => this.change(one.key, { text: (event.target as HTMLTextAreaElement).value })}
        ></textarea>
        <div class="row">
          <button class="plain" @click=${() => this.player?.seek(readTime(one.start) ?? 0)}>${captions.play}</button>
          <button class="plain" aria-label=${captions.removeCue(number)} @click=${() => this.leaveOut(one.key)}>
            ${captions.remove}
          </button>
        </div>
      </fieldset>
    </li>`;
  }

  private renderException(): TemplateResult {
    const { captions } = this.texts;
    return html`<details class="card">
      <summary>${captions.exception}</summary>
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          const code = this.querySelector<HTMLSelectElement>('#captions-exception')?.value ?? '';
          if (code !== '') void this.except(code);
        }}
      >
        <div class="field">
          <label for="captions-exception">${captions.exceptionReason}</label>
          <select id="captions-exception">
            ${Object.entries(captions.exceptions).map(([code, text]) => html`<option value=${code}>${text}</option>`)}
          </select>
        </div>
        <button ?disabled=${this.running}>${captions.exceptionDo}</button>
      </form>
    </details>`;
  }
}

customElements.define('console-captions', ConsoleCaptions);

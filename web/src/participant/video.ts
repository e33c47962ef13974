/** A video or a voice message: recorded here or chosen, sealed, and sent in pieces with resumption. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { keyed } from 'lit/directives/keyed.js';
import type { TakeStore, Recorded } from '../capture/recorder';
import type { Form } from '../capture/recording';
import type { Language, NewVideo, SentMessage, Take, UnfinishedVideo, Uuid } from '../client/contract';
import { setFragile } from '../ui/activity';
import { size } from '../ui/amounts';
import { clock } from '../i18n/clock';
import { mediaTypeOf } from './forms';
import { renderTransfer } from './progress';
import './recipient';
import { ScreenElement } from './screen';
import { storedTakes, leftStored } from './takes';
import type { Sending } from './visit';

/** From this size on, somebody on a slow connection is warned first. */
const LARGE_BYTES = 200_000_000;

/** Camera files whose type a device may not know; relay checks the content, not the name. */
const ACCEPTED =
  'video/*,audio/*,.mts,.m2ts,.m2t,.mod,.tod,.vob,.dv,.avi,.wmv,.asf,.flv,.mkv,.3gp,.3g2,.m4a,.m4b,.aac,.amr,.awb,.3ga,.caf,.opus,.ogg,.oga,.aiff,.aif,.au,.flac,.wma,.qcp';
/** Types that are certainly no recording. */
const SOMETHING_ELSE = /^(?:image|text|font)\/|^application\/(?:pdf|zip|msword|rtf|vnd\.(?:ms-|openxmlformats|oasis))/;

/** A file, or a recording: one made in this page, or a stored one. */
interface Picked {
  readonly file: Blob | null;
  readonly take: string | null;
  readonly mediaType: string;
  readonly bytes: number;
  /** The name of the file; null for a recording. */
  readonly name: string | null;
  readonly seconds: number;
}

export class RelayVideo extends ScreenElement {
  static override properties = reactive([], ['way', 'picked', 'fault', 'to', 'language', 'resumes']);

  private way: 'none' | 'video' | 'voice' | 'file' = 'none';
  private picked: Picked | null = null;
  private fault: 'notVideo' | 'empty' | null = null;
  private to: Uuid | null = null;
  private language: Language = 'en';
  /** An unfinished one that this device does not have completely: the same file is needed again. */
  private resumes: UnfinishedVideo | null = null;
  /** A stored recording that the screen was opened with, until it is read. */
  private opening: string | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    const { visit, screen } = this;
    if (screen.name !== 'video') return;
    const revised = visit.correspondence?.sent.find((message) => message.message === screen.revises);
    this.to = screen.to ?? revised?.to ?? visit.arrival.correspondents[0]?.participant ?? null;
    this.language = revised?.language ?? visit.language;
    const { resume, take } = screen;
    if (resume !== null && visit.transfer === null) void this.attempt(() => this.resume(resume, null));
    if (take === undefined) return;
    this.opening = take;
    void this.attempt(() => this.take(take));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    const stored = this.picked?.take ?? this.opening;
    if (stored !== null && this.visit.transfer === null) leftStored(this.visit);
  }

  protected override render(): TemplateResult {
    const { visit, screen } = this;
    const { video } = visit.texts.sending;
    if (visit.transfer !== null) {
      const acts = { goOn: () => this.goOn(), cancel: () => this.askCancel(), fileAgain: this.renderFileField((file) => this.goOnWith(file)) };
      return html`${this.renderBack()} ${renderTransfer(visit.transfer, visit, acts)} ${this.renderRefusal()}
      ${this.renderQuestion()}`;
    }
    const revises = screen.name === 'video' && screen.revises !== null;
    return html`${this.renderBack()}
      <h1 tabindex="-1">${revises ? video.headingRevision : video.heading}</h1>
      ${this.renderRefusal()} ${this.resumes === null ? this.renderNew(revises) : this.renderSameFile()}`;
  }

  private renderSameFile(): TemplateResult {
    const { video } = this.visit.texts.sending;
    return html`<p class="note">${video.again}</p>
      ${this.renderFileField((file) => {
        const { resumes } = this;
        if (resumes !== null) void this.attempt(() => this.resume(resumes.id, file));
      })}`;
  }

  private renderNew(revises: boolean): TemplateResult {
    const { visit } = this;
    const { video } = visit.texts.sending;
    if (this.picked !== null) return this.renderSend(this.picked, revises);
    const asked = this.way === 'none' ? 'primary' : '';
    const button = (way: typeof this.way, text: string, act: () => void): TemplateResult =>
      html`<button type="button" class=${asked} aria-expanded=${this.way === way ? 'true' : 'false'} @click=${act}>${text}</button>`;
    return html`<p>${video.advice} ${video.voiceEnough}</p>
      <p>${video.noOthers}</p>
      <div class="row">
        ${button('video', video.record, () => void this.record('video'))} ${button('voice', video.voice, () => void this.record('voice'))}
        ${button('file', video.file, () => (this.way = 'file'))}
      </div>
      <div class="after">
        ${this.way === 'video' || this.way === 'voice'
          ? keyed(
              this.way,
              html`<relay-recorder
                .language=${visit.language}
                .form=${this.way}
                .assisted=${visit.assistant !== null}
                .revises=${this.revised()}
                .store=${this.store}
                @recorded=${(event: CustomEvent<Recorded>) => this.recorded(event.detail)}
              ></relay-recorder>`,
            )
          : nothing}
        ${this.way === 'file'
          ? this.renderFileField((file) => {
              this.pick({ file, take: null, mediaType: mediaTypeOf(file), bytes: file.size, name: file.name, seconds: 0 });
            })
          : nothing}
      </div>
      ${keyed(this.way, html`<relay-takes .visit=${visit} @take-used=${(event: CustomEvent<Take>) => this.use(event.detail)}></relay-takes>`)}`;
  }

  /** Stores a recording while it is made. */
  private readonly store: TakeStore = {
    keep: (take, piece, seconds) => this.visit.client.storePiece(take, piece, seconds),
    discard: (id) => this.visit.client.discardTake(id),
    left: () => leftStored(this.visit),
  };

  private revised(): Uuid | null {
    return this.screen.name === 'video' ? this.screen.revises : null;
  }

  private recorded({ file, take, mediaType, seconds }: Recorded): void {
    // A stored recording is read from storage: this page holds it in memory no longer than necessary.
    this.pick({ file: take === null ? file : null, take, mediaType, bytes: file.size, name: null, seconds });
  }

  private use({ id, mediaType, bytes, seconds }: Take): void {
    this.pick({ file: null, take: id, mediaType, bytes, name: null, seconds });
  }

  private async take(id: string): Promise<void> {
    const found = (await storedTakes(this.visit)).find((take) => take.id === id);
    this.opening = null;
    if (found !== undefined) this.use(found);
  }

  private renderFileField(chosen: (file: File) => void): TemplateResult {
    const { video } = this.visit.texts.sending;
    return html`<div class="field">
      <label for="video-file">${video.fileLabel}</label>
      <input
        id="video-file"
        type="file"
        accept=${ACCEPTED}
        aria-describedby="video-file-said"
        @change=${(event: Event) => {
          const file = (event.target as HTMLInputElement).files?.[0];
          if (file !== undefined) chosen(file);
        }}
      />
      <div id="video-file-said">
        <p class="quiet">${video.fileHow}</p>
        ${this.fault === null ? nothing : html`<p class="fault" role="alert">${video[this.fault]}</p>`}
      </div>
    </div>`;
  }

  private renderSend(picked: Picked, revises: boolean): TemplateResult {
    const { visit } = this;
    const { video } = visit.texts.sending;
    const bytes = size(picked.bytes, visit.language);
    return html`<p class="card">${picked.name === null ? video.recorded(clock(picked.seconds), bytes) : video.chosen(picked.name, bytes)}</p>
      ${picked.bytes >= LARGE_BYTES ? html`<p class="note">${video.large}</p>` : nothing}
      <relay-recipient
        .visit=${visit}
        .to=${this.to}
        .language=${this.language}
        .fixed=${revises}
        @addressed=${(event: CustomEvent<Uuid>) => (this.to = event.detail)}
        @language-chosen=${(event: CustomEvent<Language>) => (this.language = event.detail)}
      ></relay-recipient>
      <p>${video.what}</p>
      <div class="row">
        <button class="primary" type="button" @click=${() => this.send(picked)}>${video.send}</button>
        <button type="button" @click=${() => (this.picked = null)}>${video.other}</button>
      </div>`;
  }

  private async record(form: Form): Promise<void> {
    const loaded = await this.attempt(async () => {
      await import('../capture/recorder');
    });
    if (loaded) this.way = form;
  }

  private pick(picked: Picked): void {
    this.fault = picked.bytes === 0 ? 'empty' : SOMETHING_ELSE.test(picked.mediaType) ? 'notVideo' : null;
    if (this.fault !== null) return;
    this.picked = picked;
    this.way = 'none';
    void this.headed(); // the pressed button is gone
  }

  private send({ file, take, mediaType }: Picked): void {
    const { visit, to, language } = this;
    if (to === null) return;
    const revises = this.revised();
    const video: NewVideo = {
      to,
      language,
      file,
      mediaType,
      ...(take === null ? {} : { take }),
      ...(revises === null ? {} : { revises }),
      ...(visit.assistant === null ? {} : { assistant: visit.assistant }),
    };
    this.begin(file, (progress) => visit.client.sendVideo(video, progress));
  }

  private begin(file: Blob | null, sending: Sending): void {
    const { visit } = this;
    visit.send(file, async (progress): Promise<SentMessage> => {
      const sent = await sending(progress);
      // A sent recording is no longer lost with the page.
      await storedTakes(visit).catch(() => setFragile(false));
      return sent;
    });
    void this.headed();
  }

  private async resume(id: string, file: Blob | null): Promise<void> {
    const { visit } = this;
    const found = (await visit.client.unfinishedVideos()).find((video) => video.id === id);
    if (found === undefined) {
      visit.back();
      return;
    }
    if (!found.whole && file === null) {
      this.resumes = found;
      return;
    }
    this.resumes = null;
    this.picked = null;
    this.begin(file, (progress) => visit.client.resumeVideo(id, found.whole ? null : file, progress));
  }

  /** The upload of this page: the last one that was begun; null if it failed earlier. */
  private async latest(): Promise<UnfinishedVideo | null> {
    if (this.picked !== null && this.visit.transfer?.progress === null) return null;
    const all = [...(await this.visit.client.unfinishedVideos())];
    return all.sort((one, other) => other.startedAt.localeCompare(one.startedAt))[0] ?? null;
  }

  private goOn(): void {
    const { visit, picked } = this;
    const file = visit.transfer?.file ?? picked?.file ?? null;
    void this.attempt(async () => {
      const video = await this.latest();
      if (video !== null) {
        visit.endTransfer();
        await this.resume(video.id, file);
      } else if (picked !== null) this.send(picked);
      else visit.endTransfer();
    });
  }

  /** Resumes with the file that had become unreadable. */
  private goOnWith(file: File): void {
    const { visit } = this;
    void this.attempt(async () => {
      const video = await this.latest();
      visit.endTransfer();
      if (video !== null) await this.resume(video.id, file);
      else this.pick({ file, take: null, mediaType: mediaTypeOf(file), bytes: file.size, name: file.name, seconds: 0 });
    });
  }

  private askCancel(): void {
    const { progress } = this.visit.texts.sending;
    this.question = {
      heading: progress.cancelSure,
      text: progress.cancelMeans,
      yes: progress.cancelDo,
      no: this.visit.texts.home.home.cancel,
      act: async () => {
        const { client } = this.visit;
        await client.pauseVideo();
        const video = await this.latest();
        if (video !== null) await client.discardVideo(video.id);
        this.visit.endTransfer();
        this.picked = null;
      },
    };
  }

  private async headed(): Promise<void> {
    await this.updateComplete;
    await new Promise((painted) => requestAnimationFrame(painted));
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>('h1')?.focus();
  }
}

customElements.define('relay-video', RelayVideo);

/** A video message: recorded here or picked, sealed, and sent in pieces that go on where they stopped. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Language, UnfinishedVideo, Uuid } from '../client/contract';
import { size } from '../ui/amounts';
import { renderTransfer } from './progress';
import './recipient';
import { ScreenElement } from './screen';

/** From here on somebody on a slow line should know what they begin. */
const LARGE_BYTES = 200_000_000;

/** Of cameras whose files a device may not know; relay looks into a file, and not at its name. */
const ACCEPTED = 'video/*,.mts,.m2ts,.m2t,.mod,.tod,.vob,.dv,.avi,.wmv,.asf,.flv,.mkv,.3gp,.3g2';
/** What is certainly no recording. */
const SOMETHING_ELSE = /^(?:image|text|font)\/|^application\/(?:pdf|zip|msword|rtf|vnd\.(?:ms-|openxmlformats|oasis))/;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/;

interface Picked {
  readonly file: Blob;
  readonly mediaType: string;
  readonly name: string | null;
}

export class RelayVideo extends ScreenElement {
  static override properties: PropertyDeclarations = {
    ...ScreenElement.properties,
    way: { state: true },
    picked: { state: true },
    fault: { state: true },
    to: { state: true },
    language: { state: true },
    resumes: { state: true },
  };

  private way: 'none' | 'record' | 'file' = 'none';
  private picked: Picked | null = null;
  private fault: 'notVideo' | 'empty' | null = null;
  private to: Uuid | null = null;
  private language: Language = 'en';
  /** An unfinished one of which this device has not all: the same file is needed again. */
  private resumes: UnfinishedVideo | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    const { visit, screen } = this;
    if (screen.name !== 'video') return;
    const revised = visit.correspondence?.sent.find((message) => message.message === screen.revises);
    this.to = screen.to ?? revised?.to ?? visit.arrival.correspondents[0]?.participant ?? null;
    this.language = revised?.language ?? visit.language;
    const { resume } = screen;
    if (resume !== null && visit.transfer === null) void this.attempt(() => this.resume(resume, null));
  }

  protected override render(): TemplateResult {
    const { visit, screen } = this;
    const { video } = visit.words.sending;
    if (visit.transfer !== null) {
      return html`${this.renderBack()} ${renderTransfer(visit.transfer, visit, { goOn: () => this.goOn(), cancel: () => this.askCancel() })} ${this.renderRefusal()}
      ${this.renderQuestion()}`;
    }
    const revises = screen.name === 'video' && screen.revises !== null;
    return html`${this.renderBack()}
      <h1 tabindex="-1">${revises ? video.headingRevision : video.heading}</h1>
      ${this.renderRefusal()} ${this.resumes === null ? this.renderNew(revises) : this.renderSameFile()}`;
  }

  private renderSameFile(): TemplateResult {
    const { video } = this.visit.words.sending;
    return html`<p class="note">${video.again}</p>
      ${this.renderFileField((file) => {
        const { resumes } = this;
        if (resumes !== null) void this.attempt(() => this.resume(resumes.id, file));
      })}`;
  }

  private renderNew(revises: boolean): TemplateResult {
    const { visit } = this;
    const { video } = visit.words.sending;
    if (this.picked !== null) return this.renderSend(this.picked, revises);
    const asked = this.way === 'none' ? 'primary' : '';
    return html`<p>${video.advice}</p>
      <p>${video.noOthers}</p>
      <div class="row">
        <button type="button" class=${asked} aria-expanded=${this.way === 'record' ? 'true' : 'false'} @click=${() => this.record()}>
          ${video.record}
        </button>
        <button type="button" class=${asked} aria-expanded=${this.way === 'file' ? 'true' : 'false'} @click=${() => (this.way = 'file')}>
          ${video.file}
        </button>
      </div>
      <div class="after">
        ${this.way === 'record'
          ? html`<relay-recorder
              .language=${visit.language}
              @recorded=${(event: CustomEvent<{ readonly file: Blob; readonly mediaType: string }>) => {
                this.pick({ ...event.detail, name: null });
              }}
            ></relay-recorder>`
          : nothing}
        ${this.way === 'file'
          ? this.renderFileField((file) => {
              this.pick({ file, mediaType: mediaTypeOf(file.type), name: file.name });
            })
          : nothing}
      </div>`;
  }

  private renderFileField(chosen: (file: File) => void): TemplateResult {
    const { video } = this.visit.words.sending;
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
    const { video } = visit.words.sending;
    const bytes = size(picked.file.size, visit.language);
    return html`<p class="card">${picked.name === null ? video.recorded(bytes) : video.chosen(picked.name, bytes)}</p>
      ${picked.file.size >= LARGE_BYTES ? html`<p class="note">${video.large}</p>` : nothing}
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

  private async record(): Promise<void> {
    const loaded = await this.attempt(async () => {
      await import('../capture/recorder');
    });
    if (loaded) this.way = 'record';
  }

  private pick(picked: Picked): void {
    this.fault = picked.file.size === 0 ? 'empty' : SOMETHING_ELSE.test(picked.mediaType) ? 'notVideo' : null;
    if (this.fault !== null) return;
    this.picked = picked;
    this.way = 'none';
  }

  private send({ file, mediaType }: Picked): void {
    const { visit, screen, to, language } = this;
    if (to === null) return;
    const revises = screen.name === 'video' ? screen.revises : null;
    visit.send(file, (progress) =>
      visit.client.sendVideo(
        { to, language, file, mediaType, ...(revises === null ? {} : { revises }), ...(visit.assistant === null ? {} : { assistant: visit.assistant }) },
        progress,
      ),
    );
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
    visit.send(file, (progress) => visit.client.resumeVideo(id, found.whole ? null : file, progress));
    void this.headed();
  }

  /** The one that this page was sending: the last that was begun. */
  private async latest(): Promise<UnfinishedVideo | null> {
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
      } else if (picked !== null) this.send(picked); // it failed before anything was begun
      else visit.endTransfer();
    });
  }

  private askCancel(): void {
    const { progress } = this.visit.words.sending;
    this.question = {
      heading: progress.cancelSure,
      text: progress.cancelMeans,
      yes: progress.cancelDo,
      no: this.visit.words.home.home.cancel,
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

/** The type that a device gives, where it gives one. */
function mediaTypeOf(given: string): string {
  const [type = ''] = given.toLowerCase().split(';');
  return MEDIA_TYPE.test(type) ? type : 'application/octet-stream';
}

customElements.define('relay-video', RelayVideo);

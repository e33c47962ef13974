/**
 * Plays a released video, its sound alone, or voice: own controls, no autoplay, no download.
 *
 * When guarded, for people who review many, the picture is blurred and grey and the sound off until
 * they ask.
 */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Playback, VideoFacts } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import type { Language } from '../i18n/catalogue';
import { clock } from '../i18n/clock';
import { type Source, streamed, whole } from './bridge';
import './player.css';
import { isStalled } from './stalled';
import { transcript } from './transcript';
import { parse } from './webvtt';
import { loadTexts, type Texts } from './i18n';

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const STEP_SECONDS = 5;
const LOOK_MS = 1000;

export class RelayPlayer extends PlainElement {
  static override properties = reactive(
    ['client', 'video', 'captions', 'mode', 'guarded', 'language'],
    ['texts', 'source', 'state', 'playing', 'now', 'muted', 'volume', 'speed', 'veiled', 'captioned', 'full'],
  );

  client!: Playback;
  video!: VideoFacts;
  /** WebVTT. */
  captions: string | null = null;
  mode: 'picture' | 'sound' = 'picture';
  guarded = false;
  language: Language = 'en';

  private texts: Texts | null = null;
  private source: Source | null = null;
  private poster: string | null = null;
  private state: 'loading' | 'loading-whole' | 'ready' | 'failed' = 'loading';
  private playing = false;
  private now = 0;
  private muted = false;
  private volume = 1;
  private speed = 1;
  private veiled = false;
  private captioned = true;
  private full = false;
  /** Counts loads, so that late results for a removed element are ignored. */
  private attempt = 0;
  /** Whether the browser has read any of the video: then its service worker does answer for it. */
  private loaded = false;
  /** Where to resume, in seconds, once the browser can: after an error playback continues where it was. */
  private from = 0;
  private looking: ReturnType<typeof setInterval> | undefined;
  /** The position at the last check, in seconds. */
  private seen = -1;
  private cued: { readonly track: TextTrack; readonly captions: string | null } | null = null;

  /** Seconds from the start. */
  currentTime(): number {
    return this.now;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.muted = this.guarded;
    this.veiled = this.guarded;
    document.addEventListener('fullscreenchange', this.screenChanged);
    this.looking = setInterval(() => this.look(), LOOK_MS);
    if (this.hasUpdated) this.open(); // it was moved within the page, and had released its source
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('fullscreenchange', this.screenChanged);
    clearInterval(this.looking);
    this.letGo();
    this.hidePoster();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('video')) this.open();
    if (changed.has('language')) {
      void loadTexts(this.language).then((texts) => {
        this.texts = texts;
      });
    }
  }

  protected override updated(): void {
    const media = this.media();
    if (media === null) return;
    media.muted = this.muted;
    media.volume = this.volume;
    media.playbackRate = this.speed;
    this.addCaptions(media);
  }

  private open(): void {
    this.hidePoster();
    if (this.video.poster !== null) this.poster = URL.createObjectURL(this.video.poster);
    void this.begin();
  }

  private hidePoster(): void {
    if (this.poster !== null) URL.revokeObjectURL(this.poster);
    this.poster = null;
  }

  private media(): HTMLMediaElement | null {
    return this.querySelector<HTMLMediaElement>('video, audio');
  }

  private async begin(fromMemory = false, from = 0): Promise<void> {
    this.letGo();
    this.from = from;
    const attempt = this.attempt;
    this.state = fromMemory ? 'loading-whole' : 'loading';
    try {
      let source = fromMemory ? null : await streamed(this.client, this.video);
      if (source === null && attempt === this.attempt) {
        this.state = 'loading-whole';
        source = await whole(this.client, this.video);
      }
      if (attempt !== this.attempt) source?.release();
      else {
        this.source = source;
        this.state = 'ready';
      }
    } catch {
      if (attempt === this.attempt) this.state = 'failed';
    }
  }

  private letGo(): void {
    this.attempt += 1;
    this.media()?.pause();
    this.source?.release();
    this.source = null;
    this.playing = false;
    this.loaded = false;
    this.now = 0;
  }

  private begun(): void {
    this.loaded = true;
    if (this.from > 0) this.seek(this.from);
    this.from = 0;
  }

  /** Some browsers do not let a service worker answer media requests: they load the whole video. */
  private broken(): void {
    const { source } = this;
    if (source === null) return;
    if (source.streamed && !this.loaded) void this.begin(true, this.now);
    else this.state = 'failed';
  }

  /** A video that stalls although nothing is missing resumes after another seek. */
  private look(): void {
    const media = this.media();
    if (media !== null && isStalled(media, this.seen)) {
      media.pause();
      void this.toggle();
    }
    this.seen = media?.currentTime ?? -1;
  }

  private readonly screenChanged = (): void => {
    this.full = document.fullscreenElement !== null && this.contains(document.fullscreenElement);
  };

  private addCaptions(media: HTMLMediaElement): void {
    const { captions } = this;
    if (!(media instanceof HTMLVideoElement) || (captions === null && media.textTracks.length === 0)) return;
    const track = media.textTracks[0] ?? media.addTextTrack('captions', this.texts?.captions ?? '', this.language);
    if (this.cued?.track !== track || this.cued.captions !== captions) {
      for (const cue of Array.from(track.cues ?? [])) track.removeCue(cue);
      for (const cue of parse(captions ?? '').cues) track.addCue(new VTTCue(cue.start / 1000, cue.end / 1000, cue.text));
      this.cued = { track, captions };
    }
    track.mode = this.captioned ? 'showing' : 'hidden';
  }

  private async toggle(): Promise<void> {
    const media = this.media();
    if (media === null) return;
    if (!media.paused) {
      media.pause();
      return;
    }
    try {
      await media.play();
    } catch {
      this.playing = false; // the element's own error event says more
    }
  }

  private seek(seconds: number): void {
    const media = this.media();
    if (media === null) return;
    this.now = Math.min(Math.max(0, seconds), this.seconds);
    media.currentTime = this.now;
  }

  private async toggleFull(): Promise<void> {
    try {
      if (this.full) await document.exitFullscreen();
      else await this.querySelector('.frame')?.requestFullscreen();
    } catch {
      this.full = false; // a browser may refuse; the picture stays in place
    }
  }

  private get seconds(): number {
    return this.video.durationMs / 1000;
  }

  private key(event: KeyboardEvent): void {
    // Buttons, sliders and lists keep their own keys.
    if (!(event.target instanceof HTMLMediaElement)) return;
    const acts: Readonly<Record<string, () => void>> = {
      ' ': () => void this.toggle(),
      Enter: () => void this.toggle(),
      ArrowLeft: () => this.seek(this.now - STEP_SECONDS),
      ArrowRight: () => this.seek(this.now + STEP_SECONDS),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { texts } = this;
    if (texts === null) return nothing;
    if (this.state === 'failed') {
      return html`<p class="note warn" role="alert">${texts.failed}</p>
        <button type="button" @click=${() => this.begin(false, this.now)}>${texts.again}</button>`;
    }
    if (this.source === null) return html`<p role="status">${this.state === 'loading' ? texts.loading : texts.loadingWhole}</p>`;
    const isPicture = this.mode === 'picture' && this.video.hasPicture;
    return html`<div class="frame" role="group" aria-label=${isPicture ? texts.player : texts.soundPlayer} @keydown=${(event: KeyboardEvent) => this.key(event)}>
      ${this.guarded && isPicture && this.veiled ? html`<p class="quiet">${texts.guarded}</p>` : nothing}
      ${isPicture ? this.renderPicture(texts, this.source) : this.renderSound(texts, this.source)}
      ${this.renderControls(texts, isPicture)} ${this.renderTranscript(texts)}
    </div>`;
  }

  private renderPicture(texts: Texts, source: Source): TemplateResult {
    return html`<video
      class=${this.veiled ? 'picture veiled' : 'picture'}
      src=${source.url}
      poster=${this.poster ?? nothing}
      preload="metadata"
      playsinline
      disablepictureinpicture
      disableremoteplayback
      tabindex="0"
      aria-label=${texts.player}
      @click=${() => this.toggle()}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @play=${() => (this.playing = true)}
      @pause=${() => (this.playing = false)}
      @ended=${() => (this.playing = false)}
      @timeupdate=${() => this.moved()}
      @seeking=${() => this.moved()}
      @loadedmetadata=${() => this.begun()}
      @error=${() => this.broken()}
    ></video>`;
  }

  private renderSound(texts: Texts, source: Source): TemplateResult {
    return html`<audio
      src=${source.url}
      preload="metadata"
      aria-label=${texts.soundPlayer}
      @play=${() => (this.playing = true)}
      @pause=${() => (this.playing = false)}
      @ended=${() => (this.playing = false)}
      @timeupdate=${() => this.moved()}
      @seeking=${() => this.moved()}
      @loadedmetadata=${() => this.begun()}
      @error=${() => this.broken()}
    ></audio>`;
  }

  /** Voice has no picture for captions: its transcript is below, unless the review page already shows it. */
  private renderTranscript(texts: Texts): TemplateResult | typeof nothing {
    if (this.video.hasPicture || this.guarded || this.captions === null) return nothing;
    return html`<section class="reading" aria-label=${texts.transcript}>
      ${transcript(this.captions).map((paragraph) => html`<p>${paragraph}</p>`)}
    </section>`;
  }

  private renderControls(texts: Texts, isPicture: boolean): TemplateResult {
    const { now, seconds } = this;
    return html`<div class="controls">
      <button class="primary" type="button" @click=${() => this.toggle()}>${this.playing ? texts.pause : texts.play}</button>
      <input
        type="range"
        aria-label=${texts.position}
        aria-valuetext=${texts.at(clock(now), clock(seconds))}
        min="0"
        max=${Math.max(seconds, 0.1)}
        step="0.1"
        .value=${String(now)}
        @input=${(event: Event) => this.seek(Number((event.target as HTMLInputElement).value))}
      />
      <span>${texts.at(clock(now), clock(seconds))}</span>
    </div>
    <div class="controls">
      <button type="button" @click=${() => (this.muted = !this.muted)}>${this.muted ? texts.unmute : texts.mute}</button>
      <input
        class="volume"
        type="range"
        aria-label=${texts.volume}
        min="0"
        max="1"
        step="0.05"
        .value=${String(this.volume)}
        @input=${(event: Event) => (this.volume = Number((event.target as HTMLInputElement).value))}
      />
      <label>${texts.speed}
        <select @change=${(event: Event) => (this.speed = Number((event.target as HTMLSelectElement).value))}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === this.speed}>${speed.toLocaleString(this.language)} ×</option>`)}
        </select>
      </label>
      ${isPicture && this.captions !== null
        ? html`<button type="button" aria-pressed=${this.captioned ? 'true' : 'false'} @click=${() => (this.captioned = !this.captioned)}>${texts.captions}</button>`
        : nothing}
      ${isPicture && this.guarded
        ? html`<button type="button" @click=${() => (this.veiled = !this.veiled)}>${this.veiled ? texts.clear : texts.blur}</button>`
        : nothing}
      ${isPicture && document.fullscreenEnabled
        ? html`<button type="button" @click=${() => this.toggleFull()}>${this.full ? texts.leaveFullScreen : texts.fullScreen}</button>`
        : nothing}
    </div>`;
  }

  private moved(): void {
    const media = this.media();
    if (media === null) return;
    this.now = media.currentTime;
    this.tell('position', media.currentTime);
  }
}

customElements.define('relay-player', RelayPlayer);

/**
 * Records video or voice in the page: choose devices, check that they work, count down, record, watch, use or repeat.
 * Each piece is stored as soon as it is recorded, so a crash of the page loses seconds at most.
 */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { NewTake, Uuid } from '../client/contract';
import { begins, keeps, setFragile } from '../ui/activity';
import '../ui/dialog';
import { PlainElement, reactive } from '../ui/element';
import type { Language } from '../i18n/catalogue';
import { clock } from '../i18n/clock';
import './recorder.css';
import {
  type CaptureFault,
  type Devices,
  devices,
  faultOf,
  type Form,
  Loudness,
  recordableType,
  Recording,
  Sight,
  type Take,
  turnOff,
  turnOn,
} from './recording';
import { loadTexts, type Texts } from './i18n';

const COUNTDOWN_SECONDS = 3;
const LIMIT_SECONDS = 60 * 60;
const LIMIT_NOTICE_SECONDS = 5 * 60;
const TICK_MS = 250;
const QUIET = 0.35;
const LOUD = 0.92;
/** A silent microphone or a black camera is reported after this time. */
const NOTHING_SECONDS = 4;

type Stage = 'off' | 'starting' | 'ready' | 'counting' | 'recording' | 'paused' | 'taken';
/** `lost`: only in this page, because it could not be stored. */
type StoredIn = 'device' | 'memory' | 'lost';

/** Stores a recording while it is being made. */
export interface TakeStore {
  /** Resolves with whether it is on the device rather than only in memory; rejects if it could not be stored. */
  keep(take: NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean>;
  discard(id: string): Promise<void>;
  /** The recorder was removed before its recording was used; the recording is stored. */
  left(): void;
}

/** A finished recording that the user chose. */
export interface Recorded {
  readonly file: Blob;
  readonly mediaType: string;
  /** The identifier of the stored recording; null if it is not stored. */
  readonly take: string | null;
  readonly seconds: number;
}

export class RelayRecorder extends PlainElement {
  static override properties = reactive(
    ['language', 'form', 'assisted', 'revises'],
    [
      'texts', 'stage', 'fault', 'found', 'level', 'loudest', 'left', 'seconds', 'take', 'limited', 'storedIn',
      'unheard', 'unseen', 'asking',
    ],
  );

  language: Language = 'en';
  form: Form = 'video';
  /** Assisted mode: nothing stays on the device, as the page has explained. */
  assisted = false;
  revises: Uuid | null = null;
  store!: TakeStore;
  private texts: Texts | null = null;
  private stage: Stage = 'off';
  private fault: CaptureFault | null = null;
  private found: Devices = { cameras: [], microphones: [] };
  private level = 0;
  /** The peak of the last seconds, so that a pause between words does not count as silence. */
  private loudest = 0;
  private left = 0;
  private seconds = 0;
  private take: Take | null = null;
  private limited = false;
  private storedIn: StoredIn = 'device';
  /** The microphone is silent, or the camera black. */
  private unheard = false;
  private unseen = false;
  private asking = false;
  private camera: string | null = null;
  private microphone: string | null = null;
  private stream: MediaStream | null = null;
  /** What the camera says of its picture. */
  private picture: MediaTrackSettings = {};
  private loudness: Loudness | null = null;
  private sight: Sight | null = null;
  private recording: Recording | null = null;
  /** The recording in progress, or finished and not yet used. */
  private making: NewTake | null = null;
  private watching: string | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private countdown: ReturnType<typeof setInterval> | undefined;
  private ticked = 0;
  private heardAt = 0;
  private seenAt = 0;
  /** Whether the whole take had any sound. */
  private heard = false;
  private ends: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.outOfSight);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.outOfSight);
    if (this.making !== null && this.storedIn !== 'lost') this.store.left();
    this.off();
    this.forget();
    this.mind();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('language')) {
      void loadTexts(this.language).then((texts) => {
        this.texts = texts;
      });
    }
  }

  protected override updated(): void {
    const live = this.live();
    if (live !== null && live.srcObject !== this.stream) live.srcObject = this.stream;
    this.mind();
  }

  private live(): HTMLVideoElement | null {
    return this.querySelector<HTMLVideoElement>('video.mirrored');
  }

  /** A page that is recording does not lock for inactivity; a paused one may, and loses nothing. */
  private mind(): void {
    const isGoing = this.isConnected && (this.stage === 'counting' || this.stage === 'recording');
    if (isGoing) this.ends ??= begins();
    else {
      this.ends?.();
      this.ends = null;
    }
  }

  private readonly outOfSight = (): void => {
    if (document.visibilityState === 'hidden') this.recording?.flush();
  };

  private async on(): Promise<void> {
    if (recordableType(this.form) === null) {
      this.fault = 'unsupported';
      return;
    }
    this.off();
    this.fault = null;
    this.stage = 'starting';
    try {
      const stream = await turnOn(this.form, this.camera, this.microphone);
      if (!this.isConnected) {
        turnOff(stream);
        return;
      }
      this.stream = stream;
      this.loudness = new Loudness(stream);
      this.sight = this.form === 'video' ? new Sight() : null;
      const found = await devices();
      if (this.stream !== stream) return; // the page was left meanwhile, and the devices are off
      this.found = found;
      this.camera = deviceOf(stream.getVideoTracks());
      this.picture = stream.getVideoTracks()[0]?.getSettings() ?? {};
      this.microphone = deviceOf(stream.getAudioTracks());
      this.heardAt = this.seenAt = performance.now();
      this.timer = setInterval(() => this.tick(), TICK_MS);
      this.stage = 'ready';
    } catch (thrown) {
      this.off();
      this.fault = faultOf(thrown);
      // Do not ask again for a device that has gone.
      this.camera = null;
      this.microphone = null;
    }
  }

  /** Releases the devices, so that their lights go out. */
  private off(): void {
    clearInterval(this.timer);
    clearInterval(this.countdown);
    this.recording?.stop();
    this.recording = null;
    this.loudness?.close();
    this.loudness = null;
    this.sight = null;
    turnOff(this.stream);
    this.stream = null;
    this.level = 0;
    this.unheard = false;
    this.unseen = false;
    this.stage = this.take === null ? 'off' : 'taken';
  }

  private forget(): void {
    if (this.watching !== null) URL.revokeObjectURL(this.watching);
    this.watching = null;
    this.take = null;
  }

  private tick(): void {
    const now = performance.now();
    if (this.stage === 'recording') this.seconds += (now - this.ticked) / 1000;
    this.ticked = now;
    this.sense(now);
    if (this.seconds >= LIMIT_SECONDS) {
      this.limited = true;
      this.recording?.stop();
    }
  }

  /** Checks whether the devices deliver anything. */
  private sense(now: number): void {
    const { level, isHeard } = this.loudness?.look() ?? { level: 0, isHeard: true };
    this.level = level;
    this.loudest = Math.max(level, this.loudest * 0.93);
    if (isHeard && !isMuted(this.stream?.getAudioTracks())) {
      this.heardAt = now;
      this.heard ||= this.stage === 'recording';
    }
    if (this.sight?.isSeen(this.live()) !== false && !isMuted(this.stream?.getVideoTracks())) this.seenAt = now;
    this.unheard = now - this.heardAt > NOTHING_SECONDS * 1000;
    this.unseen = now - this.seenAt > NOTHING_SECONDS * 1000;
  }

  private count(): void {
    this.left = COUNTDOWN_SECONDS;
    this.stage = 'counting';
    this.countdown = setInterval(() => {
      this.left -= 1;
      if (this.left > 0) return;
      clearInterval(this.countdown);
      void this.record();
    }, 1000);
  }

  private cancelCount(): void {
    clearInterval(this.countdown);
    this.stage = 'ready';
  }

  private async record(): Promise<void> {
    const type = recordableType(this.form);
    if (this.stream === null || type === null) return;
    let before = this.making;
    const [mediaType = type] = type.split(';');
    const making: NewTake = { id: crypto.randomUUID(), mediaType, startedAt: new Date().toISOString(), revises: this.revises };
    let line = Promise.resolve();
    this.seconds = 0;
    this.limited = false;
    this.heard = false;
    this.ticked = performance.now();
    let recording: Recording;
    try {
      recording = new Recording(this.stream, type, (piece) => {
        const { seconds } = this;
        line = line.then(() => this.keep(making, piece, seconds));
        if (before !== null) void this.store.discard(before.id).catch(() => undefined);
        before = null;
      });
    } catch {
      this.off(); // a device went away while it was counted down
      this.fault = 'missing';
      return;
    }
    this.forget();
    this.storedIn = 'device';
    this.recording = recording;
    this.making = making;
    this.stage = 'recording';
    keeps(recording.taken.then(() => line));
    const take = await recording.taken;
    if (this.recording !== recording) return; // released together with the page
    this.off();
    this.fault = take.broken ? 'broken' : null;
    if (take.file.size === 0) {
      // The device is on but delivers nothing; some browsers then record nothing at all.
      this.fault = 'nothing';
      this.making = null;
      return;
    }
    this.take = take;
    this.watching = URL.createObjectURL(take.file);
    this.stage = 'taken';
  }

  /** Passes one piece on to be stored. After a failure nothing more is stored: the rest would be unusable without it. */
  private async keep(making: NewTake, piece: Blob, seconds: number): Promise<void> {
    if (this.storedIn === 'lost') return;
    try {
      this.storedIn = (await this.store.keep(making, await piece.arrayBuffer(), seconds)) ? 'device' : 'memory';
    } catch {
      this.storedIn = 'lost';
    }
    if (this.storedIn !== 'device') setFragile(true);
  }

  private pause(): void {
    this.recording?.pause();
    this.stage = 'paused';
  }

  private resume(): void {
    this.ticked = performance.now();
    this.recording?.resume();
    this.stage = 'recording';
  }

  private use(): void {
    const { take, making, seconds } = this;
    if (take === null || making === null) return;
    this.making = null;
    const { file, mediaType } = take;
    const used: Recorded = { file, mediaType, take: this.storedIn === 'lost' ? null : making.id, seconds };
    this.tell('recorded', used);
  }

  /** The current recording is replaced when the next one starts. */
  private async again(): Promise<void> {
    this.asking = false;
    await this.on();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { texts } = this;
    if (texts === null) return nothing;
    const { fault } = this;
    return html`${fault === null ? nothing : html`<p class="note warn" role="alert">${texts[this.form].faults[fault]}</p>`}
      ${this.limited && this.stage === 'taken' ? html`<p class="note" role="status">${texts.limitReached}</p>` : nothing}
      ${this.renderStage(texts)}`;
  }

  private renderStage(texts: Texts): TemplateResult {
    const form = texts[this.form];
    switch (this.stage) {
      case 'off':
        return html`<p>${form.intro}</p>
          <button class="primary" type="button" @click=${() => this.on()}>${form.start}</button>`;
      case 'starting':
        return html`<p role="status">${form.starting}</p>`;
      case 'taken':
        return this.renderTaken(texts);
      case 'ready':
      case 'counting':
      case 'recording':
      case 'paused':
        return html`${this.form === 'voice'
            ? nothing
            : this.renderMirror(texts)}
          ${this.renderLive(texts)} ${this.renderNothing(texts)}`;
    }
  }

  /** As high from the beginning as the picture will be: the buttons below must not move under a finger. */
  private renderMirror(texts: Texts): TemplateResult {
    const { width = nothing, height = nothing } = this.picture;
    return html`<video
      class="mirrored"
      tabindex="-1"
      width=${width}
      height=${height}
      muted
      autoplay
      playsinline
      aria-label=${texts.live}
      .muted=${true}
    ></video>`;
  }

  private renderLive(texts: Texts): TemplateResult {
    switch (this.stage) {
      case 'counting':
        return html`<p class="count" role="status" aria-live="assertive">${texts.countdown(this.left)}</p>
          <button type="button" @click=${() => this.cancelCount()}>${texts.cancel}</button>`;
      case 'recording':
      case 'paused':
        return this.renderRecording(texts, this.stage === 'paused');
      default:
        return this.renderReady(texts);
    }
  }

  /** Warns of a silent microphone or a black camera while it can still be fixed. */
  private renderNothing(texts: Texts): TemplateResult {
    return html`${this.unheard ? html`<p class="note warn" role="alert">${texts.unheard}</p>` : nothing}
      ${this.unseen ? html`<p class="note warn" role="alert">${texts.unseen}</p>` : nothing}`;
  }

  private renderReady(texts: Texts): TemplateResult {
    const { cameras, microphones } = this.found;
    return html`${this.renderLevel(texts)}
      ${this.form === 'voice'
        ? nothing
        : this.renderDevices(texts.camera, cameras, this.camera, texts.unnamedCamera, (id) => (this.camera = id))}
      ${this.renderDevices(texts.microphone, microphones, this.microphone, texts.unnamedMicrophone, (id) => (this.microphone = id))}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.count()}>${texts.record}</button>
        <button type="button" @click=${() => this.off()}>${texts[this.form].off}</button>
      </div>`;
  }

  private renderLevel(texts: Texts): TemplateResult {
    const { levelQuiet, levelGood, levelLoud } = texts;
    const text = this.loudest < QUIET ? levelQuiet : this.loudest > LOUD ? levelLoud : levelGood;
    // Reserve space for the longest text, so that the buttons below do not move while somebody speaks.
    return html`<div class="field">
      <meter aria-label=${texts.level} min="0" max="1" low=${QUIET} high=${LOUD} optimum="0.6" .value=${this.level}></meter>
      <div class="quiet room">
        ${[levelQuiet, levelGood, levelLoud].map((each) => html`<p aria-hidden="true">${each}</p>`)}
        <p role="status">${text}</p>
      </div>
    </div>`;
  }

  private renderDevices(
    label: string,
    choices: readonly MediaDeviceInfo[],
    chosen: string | null,
    unnamed: (number: number) => string,
    choose: (id: string) => void,
  ): TemplateResult | typeof nothing {
    if (choices.length < 2) return nothing;
    const change = (event: Event): void => {
      choose((event.target as HTMLSelectElement).value);
      void this.on();
    };
    return html`<label class="field">${label}
      <select @change=${change}>
        ${choices.map(
          (device, place) =>
            html`<option value=${device.deviceId} ?selected=${device.deviceId === chosen}>${device.label === '' ? unnamed(place + 1) : device.label}</option>`,
        )}
      </select>
    </label>`;
  }

  private renderRecording(texts: Texts, paused: boolean): TemplateResult {
    return html`<p>
        <span class="on-air" role="status">${paused ? texts.paused : texts.recording}</span>
        ${texts.recorded(clock(this.seconds))}
      </p>
      <meter aria-label=${texts.level} min="0" max="1" .value=${this.level}></meter>
      ${this.seconds > LIMIT_SECONDS - LIMIT_NOTICE_SECONDS ? html`<p class="note" role="status">${texts.limit}</p>` : nothing}
      ${this.renderStored(texts)}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.recording?.stop()}>${texts.stop}</button>
        ${paused
          ? html`<button type="button" @click=${() => this.resume()}>${texts.resume}</button>`
          : html`<button type="button" @click=${() => this.pause()}>${texts.pause}</button>`}
      </div>`;
  }

  /** Says honestly whether the recording would survive closing the page. */
  private renderStored(texts: Texts): TemplateResult {
    if (this.storedIn === 'device') return html`<p class="quiet">${texts.kept}</p>`;
    if (this.assisted && this.storedIn === 'memory') return html`<p class="quiet">${texts.keptAssisted}</p>`;
    return html`<p class="note warn" role="alert">${texts.notKept}</p>`;
  }

  private renderTaken(texts: Texts): TemplateResult {
    const { watching } = this;
    const { width = nothing, height = nothing } = this.picture;
    const form = texts[this.form];
    return html`<p>${form.watch}</p>
      ${this.form === 'voice'
        ? html`<audio controls src=${watching ?? nothing} aria-label=${texts.preview}></audio>`
        : html`<video controls playsinline width=${width} height=${height} src=${watching ?? nothing} aria-label=${texts.preview}></video>`}
      <p>${texts.recorded(clock(this.seconds))}</p>
      ${this.heard ? nothing : html`<p class="note warn" role="status">${texts.silent}</p>`}
      ${this.renderStored(texts)}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.use()}>${texts.use}</button>
        <button type="button" @click=${() => (this.asking = true)}>${texts.again}</button>
      </div>
      ${this.asking ? this.renderAsking(texts) : nothing}`;
  }

  private renderAsking(texts: Texts): TemplateResult {
    const close = (): void => {
      this.asking = false;
    };
    return html`<relay-dialog
      .heading=${texts.againSure}
      .content=${html`<p>${texts.againMeans}</p>
        <div class="row">
          <button type="button" @click=${close}>${texts.againNot}</button>
          <button class="grave" type="button" @click=${() => this.again()}>${texts.again}</button>
        </div>`}
      @dismissed=${close}
    ></relay-dialog>`;
  }
}

function deviceOf(tracks: readonly MediaStreamTrack[]): string | null {
  return tracks[0]?.getSettings().deviceId ?? null;
}

/** Whether a device is muted: by a hardware switch, or by a phone call. */
function isMuted(tracks: readonly MediaStreamTrack[] | undefined): boolean {
  return tracks?.some((track) => track.muted) === true;
}

customElements.define('relay-recorder', RelayRecorder);

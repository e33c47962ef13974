/**
 * Records a video or a voice in the page: choose devices, see and hear that they work, count down, take, watch, use or repeat.
 * Every piece is given to whoever keeps it as it comes: nothing that goes wrong with the page takes more than seconds.
 */

import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import type { NewTake, Uuid } from '../client/contract';
import { begins, keeps, setFragile } from '../ui/activity';
import '../ui/dialog';
import { PlainElement } from '../ui/element';
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
/** A microphone that gives nothing, or a camera that shows only black, for so long is told. */
const NOTHING_SECONDS = 4;

type Stage = 'off' | 'starting' | 'ready' | 'counting' | 'recording' | 'paused' | 'taken';
/** `lost`: by this page alone, where it cannot be kept. */
type KeptBy = 'device' | 'memory' | 'lost';

/** Where a recording is kept while it is made. */
export interface Keeper {
  /** Whether it is kept on the device, and not only in memory; refused where it is not kept at all. */
  keep(take: NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean>;
  discard(id: string): Promise<void>;
  /** The recorder was put away before what it had recorded was used; it is kept. */
  left(): void;
}

/** What was recorded and is to be used. */
export interface Recorded {
  readonly file: Blob;
  readonly mediaType: string;
  /** Under which it is kept; null where it is not. */
  readonly take: string | null;
  readonly seconds: number;
}

export class RelayRecorder extends PlainElement {
  static override properties: PropertyDeclarations = {
    language: { attribute: false },
    form: { attribute: false },
    assisted: { attribute: false },
    revises: { attribute: false },
    texts: { state: true },
    stage: { state: true },
    fault: { state: true },
    found: { state: true },
    level: { state: true },
    loudest: { state: true },
    left: { state: true },
    seconds: { state: true },
    take: { state: true },
    limited: { state: true },
    keptBy: { state: true },
    unheard: { state: true },
    unseen: { state: true },
    asking: { state: true },
  };

  language: Language = 'en';
  form: Form = 'video';
  /** Where nothing stays on the device, as everybody has been told. */
  assisted = false;
  revises: Uuid | null = null;
  keeper!: Keeper;
  private texts: Texts | null = null;
  private stage: Stage = 'off';
  private fault: CaptureFault | null = null;
  private found: Devices = { cameras: [], microphones: [] };
  private level = 0;
  /** Over the last seconds: a word is loud, and the pause after it is not quiet. */
  private loudest = 0;
  private left = 0;
  private seconds = 0;
  private take: Take | null = null;
  private limited = false;
  private keptBy: KeptBy = 'device';
  /** Nothing comes from the microphone, or from the camera. */
  private unheard = false;
  private unseen = false;
  private asking = false;
  private camera: string | null = null;
  private microphone: string | null = null;
  private stream: MediaStream | null = null;
  private loudness: Loudness | null = null;
  private sight: Sight | null = null;
  private recording: Recording | null = null;
  /** What is being recorded, or was, until it is used. */
  private making: NewTake | null = null;
  private watching: string | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private countdown: ReturnType<typeof setInterval> | undefined;
  private ticked = 0;
  private heardAt = 0;
  private seenAt = 0;
  /** Whether anything was heard in the whole of the take. */
  private heard = false;
  private ends: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.outOfSight);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.outOfSight);
    if (this.making !== null && this.keptBy !== 'lost') this.keeper.left();
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

  /** Nobody need touch a page that records; one that is paused may be locked, and loses nothing. */
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
      this.microphone = deviceOf(stream.getAudioTracks());
      this.heardAt = this.seenAt = performance.now();
      this.timer = setInterval(() => this.tick(), TICK_MS);
      this.stage = 'ready';
    } catch (thrown) {
      this.off();
      this.fault = faultOf(thrown);
      // A device that is no longer there is not asked for again.
      this.camera = null;
      this.microphone = null;
    }
  }

  /** Lets go of the devices: their lights go out. */
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

  /** Looks whether anything comes from the devices. */
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
        if (before !== null) void this.keeper.discard(before.id).catch(() => undefined);
        before = null;
      });
    } catch {
      this.off(); // a device went away while it was counted down
      this.fault = 'missing';
      return;
    }
    this.forget();
    this.keptBy = 'device';
    this.recording = recording;
    this.making = making;
    this.stage = 'recording';
    keeps(recording.taken.then(() => line));
    const take = await recording.taken;
    if (this.recording !== recording) return; // it was let go of, with the page
    this.off();
    this.fault = take.broken ? 'broken' : null;
    if (take.file.size === 0) {
      // A device that is on and gives nothing, from which some browsers record nothing at all.
      this.fault = 'nothing';
      this.making = null;
      return;
    }
    this.take = take;
    this.watching = URL.createObjectURL(take.file);
    this.stage = 'taken';
  }

  /** Gives one piece to be kept; after one that was not, no more: what follows would have no beginning. */
  private async keep(making: NewTake, piece: Blob, seconds: number): Promise<void> {
    if (this.keptBy === 'lost') return;
    try {
      this.keptBy = (await this.keeper.keep(making, await piece.arrayBuffer(), seconds)) ? 'device' : 'memory';
    } catch {
      this.keptBy = 'lost';
    }
    if (this.keptBy !== 'device') setFragile(true);
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
    const used: Recorded = { file, mediaType, take: this.keptBy === 'lost' ? null : making.id, seconds };
    this.tell('recorded', used);
  }

  /** The one that is there is replaced when the next one begins. */
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
            : html`<video class="mirrored" muted autoplay playsinline aria-label=${texts.live} .muted=${true}></video>`}
          ${this.renderLive(texts)} ${this.renderNothing(texts)}`;
    }
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

  /** What a device does not give, while something can still be done about it. */
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
    // The room of the longest is kept: no button below moves while somebody speaks.
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
      ${this.renderKept(texts)}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.recording?.stop()}>${texts.stop}</button>
        ${paused
          ? html`<button type="button" @click=${() => this.resume()}>${texts.resume}</button>`
          : html`<button type="button" @click=${() => this.pause()}>${texts.pause}</button>`}
      </div>`;
  }

  /** Truthfully, whether it would still be there after the page was closed. */
  private renderKept(texts: Texts): TemplateResult {
    if (this.keptBy === 'device') return html`<p class="quiet">${texts.kept}</p>`;
    if (this.assisted && this.keptBy === 'memory') return html`<p class="quiet">${texts.keptAssisted}</p>`;
    return html`<p class="note warn" role="alert">${texts.notKept}</p>`;
  }

  private renderTaken(texts: Texts): TemplateResult {
    const { watching } = this;
    const form = texts[this.form];
    return html`<p>${form.watch}</p>
      ${this.form === 'voice'
        ? html`<audio controls src=${watching ?? nothing} aria-label=${texts.preview}></audio>`
        : html`<video controls playsinline src=${watching ?? nothing} aria-label=${texts.preview}></video>`}
      <p>${texts.recorded(clock(this.seconds))}</p>
      ${this.heard ? nothing : html`<p class="note warn" role="status">${texts.silent}</p>`}
      ${this.renderKept(texts)}
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

/** Whether a device gives nothing at the moment: switched off by a key, or taken by a call. */
function isMuted(tracks: readonly MediaStreamTrack[] | undefined): boolean {
  return tracks?.some((track) => track.muted) === true;
}

customElements.define('relay-recorder', RelayRecorder);

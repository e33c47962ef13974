/** Records a video in the page: choose devices, see and hear that they work, count down, take, watch, use or repeat. */

import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import { PlainElement } from '../ui/element';
import type { Language } from '../words/catalogue';
import { clock } from '../words/clock';
import './recorder.css';
import { type CaptureFault, type Devices, devices, faultOf, Loudness, recordableType, Recording, type Take, turnOff, turnOn } from './recording';
import { loadWords, type Words } from './words';

const COUNTDOWN_SECONDS = 3;
const LIMIT_SECONDS = 60 * 60;
const LIMIT_NOTICE_SECONDS = 5 * 60;
const TICK_MS = 250;
const QUIET = 0.35;
const LOUD = 0.92;

type Stage = 'off' | 'starting' | 'ready' | 'counting' | 'recording' | 'paused' | 'taken';

export class RelayRecorder extends PlainElement {
  static override properties: PropertyDeclarations = {
    language: { attribute: false },
    words: { state: true },
    stage: { state: true },
    fault: { state: true },
    found: { state: true },
    level: { state: true },
    loudest: { state: true },
    left: { state: true },
    seconds: { state: true },
    take: { state: true },
    limited: { state: true },
  };

  language: Language = 'en';
  private words: Words | null = null;
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
  private camera: string | null = null;
  private microphone: string | null = null;
  private stream: MediaStream | null = null;
  private loudness: Loudness | null = null;
  private recording: Recording | null = null;
  private watching: string | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private countdown: ReturnType<typeof setInterval> | undefined;
  private ticked = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.off();
    this.forget();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('language')) {
      void loadWords(this.language).then((words) => {
        this.words = words;
      });
    }
  }

  protected override updated(): void {
    const live = this.querySelector<HTMLVideoElement>('video.mirrored');
    if (live !== null && live.srcObject !== this.stream) live.srcObject = this.stream;
  }

  private async on(): Promise<void> {
    if (recordableType() === null) {
      this.fault = 'unsupported';
      return;
    }
    this.off();
    this.fault = null;
    this.stage = 'starting';
    try {
      const stream = await turnOn(this.camera, this.microphone);
      if (!this.isConnected) {
        turnOff(stream);
        return;
      }
      this.stream = stream;
      this.loudness = new Loudness(stream);
      const found = await devices();
      if (this.stream !== stream) return; // the page was left meanwhile, and the devices are off
      this.found = found;
      this.camera = deviceOf(stream.getVideoTracks());
      this.microphone = deviceOf(stream.getAudioTracks());
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
    turnOff(this.stream);
    this.stream = null;
    this.level = 0;
    this.stage = 'off';
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
    this.level = this.loudness?.level() ?? 0;
    this.loudest = Math.max(this.level, this.loudest * 0.93);
    if (this.seconds >= LIMIT_SECONDS) {
      this.limited = true;
      this.recording?.stop();
    }
  }

  private count(): void {
    this.forget();
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
    const type = recordableType();
    if (this.stream === null || type === null) return;
    this.seconds = 0;
    this.limited = false;
    this.ticked = performance.now();
    let recording: Recording;
    try {
      recording = new Recording(this.stream, type);
    } catch {
      this.off(); // a device went away while it was counted down
      this.fault = 'missing';
      return;
    }
    this.recording = recording;
    this.stage = 'recording';
    const take = await recording.taken;
    if (this.recording !== recording) return; // it was let go of, with the page
    this.off();
    this.fault = take.broken ? 'broken' : null;
    if (take.file.size === 0) return;
    this.take = take;
    this.watching = URL.createObjectURL(take.file);
    this.stage = 'taken';
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
    const { take } = this;
    if (take === null) return;
    this.tell('recorded', { file: take.file, mediaType: take.mediaType });
  }

  private async again(): Promise<void> {
    this.forget();
    await this.on();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { words } = this;
    if (words === null) return nothing;
    return html`${this.fault === null ? nothing : html`<p class="note warn" role="alert">${words.faults[this.fault]}</p>`}
      ${this.limited && this.stage === 'taken' ? html`<p class="note" role="status">${words.limitReached}</p>` : nothing}
      ${this.renderStage(words)}`;
  }

  private renderStage(words: Words): TemplateResult {
    switch (this.stage) {
      case 'off':
        return html`<p>${words.intro}</p>
          <button class="primary" type="button" @click=${() => this.on()}>${words.start}</button>`;
      case 'starting':
        return html`<p role="status">${words.starting}</p>`;
      case 'taken':
        return this.renderTaken(words);
      case 'ready':
      case 'counting':
      case 'recording':
      case 'paused':
        return html`<video class="mirrored" muted autoplay playsinline aria-label=${words.live} .muted=${true}></video>
          ${this.renderLive(words)}`;
    }
  }

  private renderLive(words: Words): TemplateResult {
    switch (this.stage) {
      case 'counting':
        return html`<p class="count" role="status" aria-live="assertive">${words.countdown(this.left)}</p>
          <button type="button" @click=${() => this.cancelCount()}>${words.cancel}</button>`;
      case 'recording':
      case 'paused':
        return this.renderRecording(words, this.stage === 'paused');
      default:
        return this.renderReady(words);
    }
  }

  private renderReady(words: Words): TemplateResult {
    const { cameras, microphones } = this.found;
    return html`${this.renderLevel(words)}
      ${this.renderDevices(words.camera, cameras, this.camera, words.unnamedCamera, (id) => (this.camera = id))}
      ${this.renderDevices(words.microphone, microphones, this.microphone, words.unnamedMicrophone, (id) => (this.microphone = id))}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.count()}>${words.record}</button>
        <button type="button" @click=${() => this.off()}>${words.off}</button>
      </div>`;
  }

  private renderLevel(words: Words): TemplateResult {
    const text = this.loudest < QUIET ? words.levelQuiet : this.loudest > LOUD ? words.levelLoud : words.levelGood;
    return html`<div class="field">
      <meter aria-label=${words.level} min="0" max="1" low=${QUIET} high=${LOUD} optimum="0.6" .value=${this.level}></meter>
      <p class="quiet" role="status">${text}</p>
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

  private renderRecording(words: Words, paused: boolean): TemplateResult {
    return html`<p>
        <span class="on-air" role="status">${paused ? words.paused : words.recording}</span>
        ${words.recorded(clock(this.seconds))}
      </p>
      <meter aria-label=${words.level} min="0" max="1" .value=${this.level}></meter>
      ${this.seconds > LIMIT_SECONDS - LIMIT_NOTICE_SECONDS ? html`<p class="note" role="status">${words.limit}</p>` : nothing}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.recording?.stop()}>${words.stop}</button>
        ${paused
          ? html`<button type="button" @click=${() => this.resume()}>${words.resume}</button>`
          : html`<button type="button" @click=${() => this.pause()}>${words.pause}</button>`}
      </div>`;
  }

  private renderTaken(words: Words): TemplateResult {
    return html`<p>${words.watch}</p>
      <video controls playsinline src=${this.watching ?? nothing} aria-label=${words.preview}></video>
      <p>${words.recorded(clock(this.seconds))}</p>
      <div class="row">
        <button class="primary" type="button" @click=${() => this.use()}>${words.use}</button>
        <button type="button" @click=${() => this.again()}>${words.again}</button>
      </div>
      <p class="quiet">${words.againSure}</p>`;
  }
}

function deviceOf(tracks: readonly MediaStreamTrack[]): string | null {
  return tracks[0]?.getSettings().deviceId ?? null;
}

customElements.define('relay-recorder', RelayRecorder);

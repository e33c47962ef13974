/** `/kiosk`: a link is scanned, pasted or typed into the page, so that it never becomes an address of this browser. */

import { html, nothing, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import { watchIdle } from '../ui/idle';
import { whoToCall } from './explaining';
import { readHanded } from './handed';
import './kiosk.css';
import { scanFaultOf, startScan, type Scan, type ScanFault } from './scanning';
import type { Arriving, LinkTexts } from './i18n';

const MINUTE_MS = 60_000;
const IDLE_MS = 3 * MINUTE_MS;
const NOT_YET_MS = 15_000;
const TOO_LONG_MS = 2 * MINUTE_MS;

type Hint = 'notYet' | 'notLink' | 'elsewhere' | 'tooLong';

export class RelayKiosk extends PlainElement {
  static override properties = reactive(['texts', 'linkTexts'], ['stage', 'hint', 'fault', 'wrong']);

  texts!: Arriving;
  linkTexts!: LinkTexts;
  private stage: 'off' | 'starting' | 'looking' = 'off';
  private hint: Hint | null = null;
  private fault: ScanFault | null = null;
  private wrong: 'missing' | 'notLink' | 'elsewhere' | null = null;
  private scan: Scan | null = null;
  private timers: ReturnType<typeof setTimeout>[] = [];
  /** Counts camera releases: results requested before the last one are ignored. */
  private asked = 0;
  private pasted = false;
  private stopIdle: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.mind();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopIdle?.();
    this.off();
  }

  /** What somebody left in the field, or in front of the camera, must not reach the next person. */
  private mind(): void {
    this.stopIdle?.();
    this.stopIdle = watchIdle({
      idleMs: IDLE_MS,
      warnMs: 0,
      busy: () => false,
      warn: () => undefined,
      idle: () => {
        this.off();
        this.clear();
        this.wrong = null;
        this.hint = null;
        this.fault = null;
        this.mind();
      },
    });
  }

  protected override updated(): void {
    const video = this.querySelector('video');
    if (video === null || this.scan === null || video.srcObject === this.scan.stream) return;
    video.srcObject = this.scan.stream;
    void video.play().catch(() => undefined);
    this.scan.watch(video, (text) => this.seen(text));
  }

  protected override render(): TemplateResult {
    const { kiosk } = this.linkTexts;
    return html`<h1 tabindex="-1">${kiosk.heading}</h1>
      <p>${kiosk.text}</p>
      <p class="note">${kiosk.notAddress}</p>
      ${this.renderScan()} ${this.renderField()}
      <p><a href="/receipt">${kiosk.receipt}</a></p>
      ${whoToCall(this.texts)}`;
  }

  private renderScan(): TemplateResult {
    const { scan } = this.linkTexts.kiosk;
    const { stage, hint, fault } = this;
    return html`<section class="card">
      <h2>${scan.heading}</h2>
      <p>${scan.text}</p>
      ${fault === null ? nothing : html`<p class="note warn" role="alert">${scan.fault[fault]}</p>`}
      ${stage === 'looking' ? html`<video muted playsinline tabindex="-1" aria-label=${scan.picture}></video>` : nothing}
      <p role="status">${stage === 'starting' ? scan.starting : hint !== null ? scan[hint] : stage === 'looking' ? scan.looking : nothing}</p>
      <div class="row">
        ${stage === 'off'
          ? html`<button class="primary" type="button" @click=${() => this.on()}>${scan.start}</button>`
          : html`<button type="button" @click=${() => this.off()}>${scan.stop}</button>`}
        ${stage === 'looking' && (this.scan?.cameras ?? 0) > 1
          ? html`<button type="button" @click=${() => this.on()}>${scan.other}</button>`
          : nothing}
      </div>
    </section>`;
  }

  private renderField(): TemplateResult {
    const { field } = this.linkTexts.kiosk;
    const { wrong } = this;
    // `off` also keeps browsers from storing the field for restoring after a crash.
    return html`<form class="card" autocomplete="off" @submit=${(event: Event) => this.open(event)}>
      <h2>${field.heading}</h2>
      <div class="field">
        <label for="link">${field.label}</label>
        <input
          id="link"
          class="code"
          type="text"
          inputmode="url"
          autocomplete="off"
          autocapitalize="none"
          autocorrect="off"
          spellcheck="false"
          aria-describedby="link-hint link-said"
          aria-invalid=${wrong === null ? 'false' : 'true'}
          @paste=${() => (this.pasted = true)}
        />
        <small id="link-hint">${field.hint}</small>
        <div id="link-said">${wrong === null ? nothing : html`<p class="fault" role="alert">${field[wrong]}</p>`}</div>
      </div>
      <button>${field.open}</button>
    </form>`;
  }

  private async on(): Promise<void> {
    const before = this.scan?.camera ?? null;
    this.off();
    this.fault = null;
    this.stage = 'starting';
    const asked = this.asked;
    try {
      const scan = await startScan(before);
      // The camera was turned off, or the page was left, during the permission prompt.
      if (this.asked !== asked) {
        scan.stop();
        return;
      }
      this.scan = scan;
      this.stage = 'looking';
      this.timers = [
        setTimeout(() => (this.hint ??= 'notYet'), NOT_YET_MS),
        setTimeout(() => {
          this.off();
          this.hint = 'tooLong';
        }, TOO_LONG_MS),
      ];
    } catch (thrown) {
      if (this.asked !== asked) return;
      this.stage = 'off';
      this.fault = scanFaultOf(thrown);
    }
  }

  /** Turns the camera off, with its light. */
  private off(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.asked += 1;
    this.scan?.stop();
    this.scan = null;
    this.hint = null;
    this.stage = 'off';
  }

  private seen(text: string): void {
    const link = readHanded(text, location.origin);
    if (typeof link === 'string') {
      this.hint = link;
      return;
    }
    this.off();
    this.tell('handed', link);
  }

  private open(event: Event): void {
    event.preventDefault();
    const field = this.querySelector('input');
    const text = field?.value.trim() ?? '';
    const link = text === '' ? 'missing' : readHanded(text, location.origin);
    if (typeof link === 'string') {
      this.wrong = link;
      field?.focus();
      return;
    }
    this.wrong = null;
    this.off();
    this.clear();
    this.tell('handed', link);
  }

  /** Clears the field, and the clipboard that filled it. */
  private clear(): void {
    const field = this.querySelector('input');
    if (field !== null) field.value = '';
    if (this.pasted && 'clipboard' in navigator) void navigator.clipboard.writeText('').catch(() => undefined);
    this.pasted = false;
  }
}

customElements.define('relay-kiosk', RelayKiosk);

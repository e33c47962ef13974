/** Behind the passphrase: chooses the screen, keeps data up to date, and manages uploads and idle time. */

import { html, nothing, type TemplateResult } from 'lit';
import {
  asRefusal,
  type Arrival,
  type Consent,
  type Correspondence,
  type Language,
  type Refusal,
  type SendingProgress,
  type Stop,
} from '../client/contract';
import { isActive, isFragile } from '../ui/activity';
import '../ui/dialog';
import { PlainElement, reactive } from '../ui/element';
import { watchIdle } from '../ui/idle';
import { watchFocus } from '../ui/in-sight';
import { titled } from './titles';
import { whoToCallAtHand } from './explaining';
import { keys } from './keys';
import { loadScreen, renderScreen } from './screens';
import { Trail } from './trail';
import type { Screen, Sending, Transfer, Visit } from './visit';
import type { Arriving, Inside } from './i18n';

const MINUTE_MS = 60_000;
const IDLE_MS = { alone: 10 * MINUTE_MS, assisted: 3 * MINUTE_MS } as const;

export class RelayInside extends PlainElement {
  static override properties = reactive(
    ['language', 'arriving', 'texts', 'arrival', 'assistant'],
    ['shown', 'correspondence', 'broken', 'transfer', 'secondsLeft'],
  );

  language: Language = 'en';
  arriving!: Arriving;
  texts!: Inside;
  arrival!: Arrival;
  assistant: string | null = null;
  private shown: Screen | null = null;
  private correspondence: Correspondence | null = null;
  private broken = false;
  private transfer: Transfer | null = null;
  private secondsLeft: number | null = null;
  private trail: Trail<Screen> | null = null;
  private stops: (() => unknown)[] = [];
  private gone = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.gone = false;
    const onlySends = this.arrival.purpose === 'upload';
    this.trail = new Trail<Screen>(history, onlySends ? { name: 'choose' } : { name: 'home' });
    const back = (event: PopStateEvent): void => {
      if (location.hash !== '') return; // an address was opened, which is not a step
      const screen = this.trail?.came(event.state);
      if (screen !== undefined) void this.show(screen);
    };
    const closing = (event: BeforeUnloadEvent): void => {
      if (document.body.hidden) return; // quick exit in progress
      if (isFragile() || (this.transfer?.state === 'running' && this.transfer.progress?.safeToClose !== true)) event.preventDefault();
    };
    window.addEventListener('popstate', back);
    window.addEventListener('beforeunload', closing);
    this.stops = [
      watchFocus(),
      () => window.removeEventListener('popstate', back),
      () => window.removeEventListener('beforeunload', closing),
      watchIdle({
        idleMs: this.assistant === null ? IDLE_MS.alone : IDLE_MS.assisted,
        warnMs: MINUTE_MS,
        busy: () => this.transfer?.state === 'running' || isActive(),
        warn: (secondsLeft) => (this.secondsLeft = secondsLeft),
        idle: () => this.tell('idled'),
      }),
    ];
    if (!onlySends || this.arrival.spent) void this.watch();
    void this.show(this.trail.current);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.gone = true;
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { shown } = this;
    if (shown === null) return html`<p class="waiting" role="status">${this.texts.home.home.loading}</p>`;
    return html`${renderScreen(shown, this.visit())} ${whoToCallAtHand(this.arriving)} ${this.renderIdle()}`;
  }

  private renderIdle(): TemplateResult | typeof nothing {
    const { secondsLeft } = this;
    if (secondsLeft === null) return nothing;
    const texts = this.arriving.shared.idle;
    const stay = (): void => {
      this.secondsLeft = null;
    };
    // Any touch keeps it open; the button is there for people who look for one.
    return html`<relay-dialog
      .heading=${texts.heading}
      .content=${html`<p>${this.assistant === null ? texts.willLock(secondsLeft) : texts.willEnd(secondsLeft)}</p>
        <button class="primary" type="button" @click=${stay}>${texts.stay}</button>`}
      @dismissed=${stay}
    ></relay-dialog>`;
  }

  private visit(): Visit {
    return {
      client: keys,
      language: this.language,
      arriving: this.arriving,
      texts: this.texts,
      arrival: this.arrival,
      correspondence: this.correspondence,
      broken: this.broken,
      assistant: this.assistant,
      transfer: this.transfer,
      go: (screen) => {
        this.trail?.go(screen);
        void this.show(screen);
      },
      replace: (screen) => {
        if (screen.name === 'sent') this.spend();
        this.trail?.replace(screen);
        void this.show(screen);
      },
      back: () => history.back(),
      say: (text) => this.tell('said', text),
      send: (file, sending) => void this.send(file, sending),
      endTransfer: () => (this.transfer = null),
      more: async (side) => {
        this.correspondence = await keys.more(side);
      },
      consented: (status) => this.consented(status),
      renew: () => this.renew(),
      refused: (refusal) => this.tell('refused', refusal),
    };
  }

  private async show(screen: Screen): Promise<void> {
    try {
      await loadScreen(screen);
    } catch {
      this.tell('refused', { refusal: 'offline' } satisfies Refusal);
      return;
    }
    if (this.gone || this.trail?.current !== screen) return;
    void this.include(screen);
    this.shown = screen;
    document.title = titled(this.arriving, screen.name === 'choose' ? 'home' : screen.name);
    await this.updateComplete;
    await new Promise((painted) => requestAnimationFrame(painted));
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  /** The one message of an upload link was sent; from now on its state is shown. */
  private spend(): void {
    if (this.arrival.purpose !== 'upload' || this.arrival.spent) return;
    this.arrival = { ...this.arrival, spent: true };
    void this.watch();
  }

  private async watch(): Promise<void> {
    try {
      const stop: Stop = await keys.watch(
        (correspondence) => {
          this.correspondence = correspondence;
          this.broken = false;
        },
        (refusal) => {
          if (refusal.refusal === 'untrusted' || refusal.refusal === 'signed-out') this.tell('refused', refusal);
          else this.broken = true;
        },
      );
      // The page was locked meanwhile: nobody else will stop it.
      if (this.gone) await stop();
      else this.stops.push(() => void stop().catch(() => undefined));
    } catch (thrown) {
      if (!this.gone) this.tell('refused', asRefusal(thrown));
    }
  }

  /** The screen's message may be further down the list than was fetched, if somebody came back to it. */
  private async include(screen: Screen): Promise<void> {
    const about = 'message' in screen ? screen.message : 'revises' in screen ? screen.revises : null;
    const { sent, received } = this.correspondence ?? { sent: [], received: [] };
    if (about === null || [...sent, ...received].some(({ message }) => message === about)) return;
    await keys.include(about).then(
      (correspondence) => (this.correspondence = correspondence),
      () => undefined, // watchers are told
    );
  }

  private async renew(): Promise<void> {
    if (this.arrival.purpose === 'participate' || this.arrival.spent) this.correspondence = await keys.correspondence();
  }

  private consented(status: Consent): void {
    if (this.correspondence !== null) this.correspondence = { ...this.correspondence, consent: status };
  }

  private async send(file: Blob | null, sending: Sending): Promise<void> {
    this.transfer = { progress: null, state: 'running', refusal: null, file };
    try {
      const sent = await sending((progress: SendingProgress) => {
        if (this.transfer?.state === 'running') this.transfer = { ...this.transfer, progress };
      });
      this.transfer = null;
      this.tell('said', this.texts.sending.done.heading);
      const after: Screen = { name: 'sent', kind: sent.form, receipt: sent.receipt };
      // Do not pull somebody away from another screen.
      if (this.shown?.name === 'video' || sent.receipt !== null) this.visit().replace(after);
      await this.renew().catch(() => undefined);
    } catch (thrown) {
      const refusal = asRefusal(thrown);
      const { progress } = this.transfer ?? { progress: null };
      this.transfer = refusal.refusal === 'paused' ? { progress, state: 'paused', refusal: null, file } : { progress, state: 'failed', refusal, file };
      if (!this.gone && (refusal.refusal === 'untrusted' || refusal.refusal === 'signed-out')) this.tell('refused', refusal);
    }
  }
}

customElements.define('relay-inside', RelayInside);

/** The page around everything that a participant sees: the top bar, entering, and problems. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, type Arrival, type Language, type Refusal } from '../client/contract';
import '../ui/announcer';
import type { RelayAnnouncer } from '../ui/announcer';
import { PlainElement, reactive } from '../ui/element';
import { watchIdle } from '../ui/idle';
import type { RelayPassphrase } from '../ui/passphrase';
import { leave, watchForEscape } from '../ui/quick-exit';
import { rememberLanguage, speak } from '../i18n/language';
import { paint, renderMark } from '../profile/drawing';
import { profiles, refreshOnReturn } from '../profile/profiles';
import { bareAddress, KIOSK, readAddress } from './address';
import './arrive';
import type { Why } from './come-back';
import { whoToCall } from './explaining';
import type { HandedLink } from './handed';
import { keys, keysWereAskedFor, prepareKeys } from './keys';
import './problem'; // at hand when nothing else can be fetched
import { forgetOpened, rememberOpened, wasOpened } from './opened';
import { problemOf, type Problem } from './problem-of';
import { titled } from './titles';
import { loadArriving, loadInside, loadLinkTexts, type Arriving, type Inside, type LinkTexts } from './i18n';

type Phase =
  /** The link is being looked up; the likely next page can already be read and typed into. */
  | { readonly name: 'checking' }
  | { readonly name: 'arrive' }
  | { readonly name: 'assistant' }
  | { readonly name: 'come-back'; readonly why: Why | null }
  | { readonly name: 'inside' }
  | { readonly name: 'receipt' }
  /** A link is entered into the page, and nothing is stored. */
  | { readonly name: 'kiosk' }
  /** A link was opened as an address where it must not be. */
  | { readonly name: 'exposed' }
  /** The address names another root than the one stored with the link. */
  | { readonly name: 'another' }
  | { readonly name: 'left' }
  | { readonly name: 'problem'; readonly problem: Problem };

/** What a phase shows beyond the first page, fetched when needed. */
const ELEMENTS: Readonly<Partial<Record<Phase['name'], () => Promise<unknown>>>> = {
  assistant: () => import('./assistant'),
  'come-back': () => import('./come-back'),
  inside: () => import('./inside'),
  receipt: () => import('./receipt'),
  kiosk: () => import('./kiosk'),
  exposed: () => import('./exposed'),
  another: () => import('./another'),
};

const MINUTE_MS = 60_000;
/** Idle time before the passphrase in assisted mode; after it, `relay-inside` watches. */
const IDLE_MS = 3 * MINUTE_MS;

export class RelayParticipant extends PlainElement {
  static override properties = reactive(
    [],
    ['texts', 'inside', 'linkTexts', 'idling', 'phase', 'arrival', 'assistant', 'assisted'],
  );

  private texts: Arriving | null = null;
  private inside: Inside | null = null;
  private linkTexts: LinkTexts | null = null;
  private phase: Phase = { name: 'checking' };
  private arrival: Arrival | null = null;
  /** On the page for assisted use: nothing is stored, and no link is ever an address. */
  private assisted = false;
  private assistant: string | null = null;
  private language: Language = 'en';
  private link: string | null = null;
  /** What was typed before it was known that the link had been claimed. */
  private typed = '';
  private faced: Exclude<Phase['name'], 'checking'> | null = null;
  /** The link's secret, until the page is left: to start over, and to retry. */
  private fragment: string | null = null;
  private unwatch: (() => void) | null = null;
  private unwatchProfile: (() => void) | null = null;
  private stopIdle: (() => void) | null = null;
  /** Assisted mode: nobody has touched the page for a while. */
  private idling = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.unwatch = watchForEscape(this.leave);
    this.unwatchProfile = profiles.watch(() => { if (this.texts !== null) void this.speak(this.language); });
    refreshOnReturn();
    window.addEventListener('hashchange', this.addressed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unwatch?.();
    this.unwatchProfile?.();
    this.stopIdle?.();
    window.removeEventListener('hashchange', this.addressed);
  }

  async begin(language: Language, texts: Promise<Arriving>): Promise<void> {
    await this.speak(language, texts);
    await this.updateComplete;
    this.toAddress();
  }

  /** Another link was opened in the same tab: only what follows the # has changed. */
  private readonly addressed = (): void => {
    if (location.hash.length <= 1) return;
    if (!this.assisted) void this.saveLetter().then(() => this.toAddress());
    else if (readAddress(new URL(location.href)).page === 'exposed') void this.expose();
    else history.replaceState(history.state, '', KIOSK);
  };

  private readonly leave = (): void => {
    leave(() => {
      const kept = this.saveLetter();
      if (keysWereAskedFor()) void (this.assisted ? keys.leaveNothing() : keys.lock()).catch(() => undefined);
      return kept;
    });
  };

  private toAddress(): void {
    const address = readAddress(new URL(location.href));
    const inTheWay = whatIsInTheWay();
    if (this.phase.name === 'inside') this.phase = { name: 'checking' }; // what it shows is no longer available
    this.assisted = address.page === 'kiosk';
    this.forgetHere();
    if (this.assisted || address.page === 'exposed') history.replaceState(history.state, '', KIOSK);
    if (address.page === 'receipt') void this.show({ name: 'receipt' });
    else if (address.page === 'none') void this.show({ name: 'problem', problem: 'no-such-link' });
    else if (address.page === 'exposed') void this.show({ name: 'exposed' });
    else if (inTheWay !== null) void this.show({ name: 'problem', problem: inTheWay });
    else if (address.page === 'kiosk') void this.show({ name: 'kiosk' });
    else void this.open(address.link, address.fragment);
  }

  /** Forgets what the page itself holds of a link; the worker forgets its own part. */
  private forgetHere(): void {
    this.link = null;
    this.fragment = null;
    this.assistant = null;
    this.arrival = null;
  }

  private async open(link: string, fragment: string | null): Promise<void> {
    this.link = link;
    this.fragment = fragment;
    await this.check();
  }

  /** Shows the likely next page at once, and looks the link up after that is painted. */
  private async check(): Promise<void> {
    await this.show({ name: 'checking' });
    whenAtRest(() => {
      prepareKeys();
      void this.look();
    });
  }

  /** Looks the link up and shows the resulting page. */
  private async look(): Promise<void> {
    if (this.link === null) return;
    try {
      const { link, fragment, assisted, language } = this;
      this.arrival = await keys.arrive(link, fragment, { keep: !assisted, language });
      // A link from an address leaves the address bar once the device has stored it.
      if (!assisted && (await keys.kept())) history.replaceState(history.state, '', bareAddress(link));
    } catch (thrown) {
      await this.refuse(asRefusal(thrown));
      return;
    }
    await this.toEntrance(null);
  }

  private async toEntrance(why: Why | null): Promise<void> {
    const { arrival } = this;
    if (arrival === null) return;
    if (this.assisted && this.assistant === null) await this.show({ name: 'assistant' });
    else if (arrival.purpose === 'upload' && arrival.spent) await this.lookAgain();
    else if (arrival.claimed || why !== null) await this.show({ name: 'come-back', why });
    else await this.show({ name: 'arrive' });
    void import('./inside').catch(() => undefined); // while somebody reads or types
  }

  /** For a used upload link: shows the state of its message. */
  private async lookAgain(): Promise<void> {
    try {
      await this.enter(await keys.enter());
    } catch (thrown) {
      await this.refuse(asRefusal(thrown));
    }
  }

  private async enter(arrival: Arrival): Promise<void> {
    this.arrival = arrival;
    this.typed = '';
    if (!this.assisted && arrival.purpose === 'participate') rememberOpened(arrival.link);
    await this.show({ name: 'inside' });
  }

  private async refuse(refusal: Refusal): Promise<void> {
    if (refusal.refusal === 'signed-out') await this.toEntrance('locked');
    else if (refusal.refusal === 'another-root') await this.show({ name: 'another' });
    else await this.show({ name: 'problem', problem: problemOf(refusal) });
  }

  private async lock(why: Why): Promise<void> {
    void this.saveLetter();
    // Hide everything before waiting for relay or for a part of the page.
    void keys.lock().catch(() => undefined);
    if (this.phase.name === 'inside') this.phase = { name: 'checking' };
    if (this.arrival?.purpose === 'participate') this.arrival = { ...this.arrival, claimed: true };
    await this.toEntrance(this.arrival?.purpose === 'participate' ? why : null);
  }

  /** Saves the letter in progress; call it before its keys are removed. */
  private async saveLetter(): Promise<void> {
    await this.querySelector('relay-write')?.saveNow();
  }

  private async finish(): Promise<void> {
    await this.show({ name: 'left' }); // turns off the camera and removes all text first
    await this.leaveNothing();
  }

  private async leaveNothing(): Promise<void> {
    if (this.link !== null) forgetOpened(this.link);
    this.forgetHere();
    if (keysWereAskedFor()) await keys.leaveNothing().catch(() => undefined);
  }

  /** A link opened as an address is in the history: a shared computer does not continue with it. */
  private async expose(): Promise<void> {
    history.replaceState(history.state, '', KIOSK);
    await this.show({ name: 'exposed' });
    await this.leaveNothing();
  }

  /** The next link at a kiosk. */
  private async startOver(): Promise<void> {
    void profiles.refresh();
    await this.show({ name: 'kiosk' });
    await this.leaveNothing();
  }

  /** The user chose the stored root. */
  private async goOnWithStored(link: string): Promise<void> {
    history.replaceState(history.state, '', bareAddress(link));
    await this.open(link, null);
  }

  /** Or the root of the new address, which replaces everything stored for the old one. */
  private async replaceStored(link: string): Promise<void> {
    await keys.forgetLink(link).catch(() => undefined);
    await this.check();
  }

  /** The element of each phase. */
  private face(phase: Phase): Exclude<Phase['name'], 'checking'> {
    if (phase.name !== 'checking') return phase.name;
    return !this.assisted && this.link !== null && wasOpened(this.link) ? 'come-back' : 'arrive';
  }

  private async show(phase: Phase): Promise<void> {
    const before = this.faced;
    const face = this.face(phase);
    try {
      const [inside, linkTexts] = await Promise.all([
        face === 'inside' || face === 'receipt' ? loadInside(this.language) : this.inside,
        face === 'kiosk' || face === 'exposed' || face === 'another' ? loadLinkTexts(this.language) : this.linkTexts,
        ELEMENTS[face]?.(),
      ]);
      this.inside = inside;
      this.linkTexts = linkTexts;
      // Keep everything typed while a part of the page was loading.
      if (face !== before) this.typed = this.phase.name === 'checking' ? (this.querySelector<RelayPassphrase>('relay-passphrase')?.value ?? '') : '';
      this.faced = face;
      this.phase = phase;
    } catch {
      // A part of the page could not be loaded.
      this.faced = 'problem';
      this.phase = { name: 'problem', problem: 'offline' };
    }
    this.mind();
    await this.updateComplete;
    this.entitle();
    // Do not interrupt reading or typing if the response changes nothing for the user.
    if (this.faced !== 'inside' && this.faced !== before && before !== null) await this.headed();
  }

  /** A link entered in assisted mode and left is not shown to the next person. */
  private mind(): void {
    this.stopIdle?.();
    this.stopIdle = null;
    this.idling = false;
    if (!this.assisted || this.link === null || this.faced === 'inside' || this.faced === 'kiosk' || this.faced === 'left') return;
    this.stopIdle = watchIdle({
      idleMs: IDLE_MS,
      warnMs: MINUTE_MS,
      busy: () => false,
      warn: (secondsLeft) => (this.idling = secondsLeft !== null),
      idle: () => void this.finish(),
    });
  }

  private entitle(): void {
    if (this.texts !== null && this.faced !== null && this.faced !== 'inside') document.title = titled(this.texts, this.faced);
  }

  private async headed(): Promise<void> {
    await new Promise((painted) => requestAnimationFrame(painted));
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  private async speak(language: Language, asked = loadArriving(language)): Promise<void> {
    const [texts, inside, linkTexts] = await Promise.all([
      asked,
      this.inside === null ? null : loadInside(language),
      this.linkTexts === null ? null : loadLinkTexts(language),
    ]);
    this.language = language;
    this.texts = texts;
    this.inside = inside;
    this.linkTexts = linkTexts;
    paint(texts.programme?.colours ?? null);
    speak(language);
    if (keysWereAskedFor()) void keys.speak(language).catch(() => undefined);
    this.entitle();
  }

  private async choose(language: Language): Promise<void> {
    if (!this.assisted) rememberLanguage(language);
    await this.speak(language);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { texts } = this;
    if (texts === null) return nothing;
    return html`<button class="skip" type="button" @click=${() => this.querySelector<HTMLElement>('h1')?.focus()}>${texts.skip}</button>
      <header class="bar">
        <span class="mark">${renderMark(texts.programme)}</span>
        <nav>
          <button class="plain" type="button" lang=${this.language === 'en' ? 'fr' : 'en'} @click=${() => this.choose(this.language === 'en' ? 'fr' : 'en')}>
            ${texts.shared.otherLanguage}
          </button>
          ${this.phase.name === 'inside' && !this.assisted && this.arrival?.purpose === 'participate'
            ? html`<button type="button" @click=${() => this.lock('locked')}>${texts.lock}</button>`
            : nothing}
          <button class="primary" type="button" @click=${this.leave}>${texts.shared.leaveNow}</button>
        </nav>
      </header>
      ${this.assistant === null || this.phase.name === 'left'
        ? nothing
        : html`<div class="banner">
            <span>${texts.staffPresent(this.assistant)}</span>
            <button type="button" @click=${() => this.finish()}>${texts.finish}</button>
          </div>`}
      ${this.idling && this.linkTexts !== null ? html`<p class="banner" role="alert">${this.linkTexts.kiosk.idle}</p>` : nothing}
      ${this.phase.name === 'inside' ? nothing : html`<p class="mark below">${renderMark(texts.programme)}</p>`}
      <main>${this.renderPhase(texts)}</main>
      <relay-announcer></relay-announcer>`;
  }

  private renderPhase(texts: Arriving): TemplateResult {
    const { phase } = this;
    const { link, linkTexts } = this;
    const mayAssist = !this.assisted && this.fragment !== null;
    switch (this.face(phase)) {
      case 'arrive':
        return html`<relay-arrive
          .texts=${texts}
          .language=${this.language}
          .link=${this.address()}
          .arrival=${this.arrival}
          .early=${this.fragment !== null && !this.assisted}
          .assisted=${this.assisted}
          .mayAssist=${mayAssist}
          @entered=${(event: CustomEvent<Arrival>) => this.enter(event.detail)}
          @refused=${(event: CustomEvent<Refusal>) => this.refuse(event.detail)}
          @taken=${() => this.lock('taken')}
          @assist=${() => this.expose()}
        ></relay-arrive>`;
      case 'come-back':
        return html`<relay-come-back
          .texts=${texts}
          .language=${this.language}
          .why=${phase.name === 'come-back' ? phase.why : null}
          .ready=${phase.name === 'come-back'}
          .typed=${this.typed}
          .mayAssist=${mayAssist}
          @entered=${(event: CustomEvent<Arrival>) => this.enter(event.detail)}
          @refused=${(event: CustomEvent<Refusal>) => this.refuse(event.detail)}
          @assist=${() => this.expose()}
        ></relay-come-back>`;
      case 'assistant':
        return html`<relay-assistant
          .texts=${texts}
          @named=${(event: CustomEvent<string>) => {
            this.assistant = event.detail;
            void this.toEntrance(null);
          }}
        ></relay-assistant>`;
      case 'inside':
        return html`<relay-inside
          .language=${this.language}
          .arriving=${texts}
          .texts=${this.inside}
          .arrival=${this.arrival}
          .assistant=${this.assistant}
          @said=${(event: CustomEvent<string>) => this.querySelector<RelayAnnouncer>('relay-announcer')?.say(event.detail)}
          @refused=${(event: CustomEvent<Refusal>) => this.refuse(event.detail)}
          @idled=${() => (this.assisted ? this.finish() : this.lock('lockedIdle'))}
        ></relay-inside>`;
      case 'receipt':
        return html`<relay-receipt .texts=${texts} .home=${this.inside?.home} .reasons=${this.inside?.reasons} .language=${this.language}></relay-receipt>`;
      case 'left':
        return html`<h1 tabindex="-1">${texts.left.heading}</h1>
          <p class="note good">${texts.left.text}</p>
          <p>${texts.left.close}</p>
          <p><button type="button" @click=${() => this.toAddress()}>${texts.left.again}</button></p>
          ${whoToCall(texts)}`;
      case 'kiosk':
        return html`<relay-kiosk
          .texts=${texts}
          .linkTexts=${linkTexts}
          @handed=${({ detail }: CustomEvent<HandedLink>) => this.open(detail.id, detail.fragment)}
        ></relay-kiosk>`;
      case 'exposed':
        return html`<relay-exposed .texts=${texts} .linkTexts=${linkTexts}></relay-exposed>`;
      case 'another':
        return html`<relay-another
          .texts=${texts}
          .linkTexts=${linkTexts}
          @kept=${() => (link === null ? undefined : this.goOnWithStored(link))}
          @replaced=${() => (link === null ? undefined : this.replaceStored(link))}
        ></relay-another>`;
      case 'problem':
        return html`<relay-problem .texts=${texts} .problem=${phase.name === 'problem' ? phase.problem : 'unexpected'} @again=${() => this.again()}></relay-problem>
          ${this.assisted && linkTexts !== null
            ? html`<p><button type="button" @click=${() => this.startOver()}>${linkTexts.kiosk.startOver}</button></p>`
            : nothing}`;
    }
  }

  /** The address of the link, as far as the page has it; the worker has all of it. */
  private address(): string {
    return this.link === null ? '' : `${location.origin}${bareAddress(this.link)}#${this.fragment ?? ''}`;
  }

  private again(): void {
    if (this.link === null) {
      this.toAddress();
      return;
    }
    void this.check();
  }
}

/** Why this browser cannot seal: it is too old, or a privacy setting disables something. */
function whatIsInTheWay(): 'unsupported' | 'switchedOff' | null {
  if (typeof Worker !== 'function' || !('subtle' in crypto)) return 'unsupported';
  return typeof WebAssembly === 'object' ? null : 'switchedOff';
}

/** Runs after the first page is painted; after a short delay if the browser has no idle callback. */
function whenAtRest(act: () => void): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(act, { timeout: 1_500 });
  else setTimeout(act, 50);
}

customElements.define('relay-participant', RelayParticipant);

declare global {
  interface HTMLElementTagNameMap {
    'relay-participant': RelayParticipant;
  }
}

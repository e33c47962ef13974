/** The mediators' console as a whole: how it was opened, locked or unlocked, which screen, and when to stop everything. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { connectClient } from '../client/connect';
import { asRefusal, isRefusal, type KnownKeyring, type MediatorSelf, type OwnKeys, type Refusal, type Uuid } from '../client/contract';
import { isFingerprint, LABEL_MOST } from '../embed/protocol';
import './another-root';
import { AttentionWatch } from './attention';
import { PlainElement, reactive } from '../ui/element';
import { bringInSight, watchFocus } from '../ui/in-sight';
import { isActive } from '../ui/activity';
import { watchIdle } from '../ui/idle';
import type { Language } from '../i18n/catalogue';
import { preferredLanguage, rememberLanguage, speak } from '../i18n/language';
import { paint } from '../profile/drawing';
import type { Profile } from '../profile/profile';
import { profiles, refreshOnReturn } from '../profile/profiles';
import { loadReasons, type Reasons } from '../i18n/reasons';
import { refusalText } from './element';
import { allowedOrigins, greetParent, NotEmbedded, type Embedding } from './embedding';
import { saveAllForms } from './form-saver';
import { failureOf, Host } from './host';
import { cleanName, Names } from './names';
import { Pins } from './pins';
import { renderScreen, screenTitle } from './screen-elements';
import { screenOf, type Screen } from './screens';
import { followSight } from './sight';
import type { Mediator, Session } from './session';
import { focusOf, shortcutOf, shortcutsOn, switchShortcuts, type Shortcut } from './shortcuts';
import { renderHelp, renderIdle, renderKeysEnd, renderNav, renderPlain, renderTitle, type Plain } from './stages';
import '../ui/dialog';
import './unlock';
import { loadTexts, type Texts } from './i18n';

const IDLE_MS = 10 * 60_000;
const IDLE_WARN_MS = 60_000;
const SAID_MS = 8_000;

type Stage = Plain | 'another-root' | 'locked' | 'open';

/** A screen that handles shortcuts. */
interface Listening {
  shortcut(does: Shortcut): void;
}

export class RelayConsole extends PlainElement {
  static override properties = reactive([], [
    'stage', 'texts', 'session', 'screen', 'said', 'helping', 'shortcuts', 'idling', 'ownKeys', 'fingerprint', 'handed', 'profile',
  ]);

  private stage: Stage = 'starting';
  private texts: Texts | null = null;
  private reasons: Reasons | null = null;
  private language: Language = preferredLanguage();
  /** Null until it could be fetched. */
  private profile: Profile | null = null;
  private client: Mediator | null = null;
  private session: Session | null = null;
  private screen: Screen = { name: 'queue' };
  /** What the screen shows, if it has said so. */
  private place: ((texts: Texts) => string) | null = null;
  private said = '';
  private helping = false;
  private shortcuts = shortcutsOn();
  private idling = false;
  private ownKeys: OwnKeys | null = null;
  private readonly pins = Pins.ofThisBrowser();
  /** The root in use; or the one that was named and is not trusted. */
  private fingerprint = '';
  private handed: KnownKeyring | null = null;
  private embedding: Embedding | null = null;
  private host = new Host(null);
  /** In memory only, as long as the page. */
  private names = Names.none;
  private attention: AttentionWatch | null = null;
  private notice: string | null = null;
  private stopIdle: (() => void) | null = null;
  private unsaying: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('unlocked', (event) => void this.unlocked((event as CustomEvent<MediatorSelf>).detail));
    this.addEventListener('unlock-refused', (event) => this.failed((event as CustomEvent<Refusal>).detail, true));
    this.addEventListener('signed-out', () => {
      if (this.stage === 'open') this.host.failed('refused-token');
      this.locked(null);
    });
    this.addEventListener('untrusted', () => this.stop());
    window.addEventListener('popstate', (event) => {
      if (location.hash === '') this.show(screenOf(event.state) ?? { name: 'queue' }); // otherwise an address was opened
    });
    window.addEventListener('keydown', this.pressed);
    window.addEventListener('hashchange', this.addressed);
    profiles.watch(() => this.profiled(profiles.current));
    refreshOnReturn();
    watchFocus();
    void this.start();
  }

  private async start(): Promise<void> {
    await this.speak(this.language);
    if (window.parent !== window) {
      if (!(await this.beEmbedded())) return;
    } else if (!this.findFingerprint()) {
      return;
    }
    if (this.embedding === null) this.screen = screenOf(history.state) ?? this.screen; // after a reload
    await this.connect();
  }

  private async connect(): Promise<void> {
    try {
      this.client = (await connectClient()).mediator as unknown as Mediator;
      this.stage = 'locked';
    } catch {
      this.stage = 'offline';
    }
  }

  private async beEmbedded(): Promise<boolean> {
    try {
      this.embedding = await greetParent(window, window.parent, await allowedOrigins());
    } catch (thrown) {
      this.stage = thrown instanceof NotEmbedded ? thrown.why : 'no-answer';
      return false;
    }
    const { embedding, embedding: { settings } } = this;
    this.host = new Host((told) => { embedding.tell(told); });
    embedding.watchNames((given) => this.takeNames(this.names.replacedBy(given)));
    this.fingerprint = settings.fingerprint;
    this.handed = {
      id: 'embedded',
      label: cleanName(settings.label ?? '', LABEL_MOST) ?? '',
      keyring: Uint8Array.from(atob(settings.keyring), (character) => character.charCodeAt(0)),
      fingerprint: settings.fingerprint,
    };
    if (settings.message !== undefined) this.screen = { name: 'review', message: settings.message };
    else if (settings.case !== undefined) this.screen = { name: 'case', case: settings.case };
    followSight(embedding);
    if (settings.language !== this.language) await this.speak(settings.language);
    new ResizeObserver(() => { embedding.tell({ relay: 'height', pixels: this.scrollHeight }); }).observe(this);
    return this.isTrusted(settings.fingerprint);
  }

  private takeNames(names: Names): void {
    this.names = names;
    if (this.session !== null) this.session = { ...this.session, names };
  }

  private failed(refusal: Refusal, unlocking: boolean): void {
    const code = failureOf(refusal, unlocking);
    if (code !== null) this.host.failed(code);
  }

  /** From the address, which is then cleared, or from this browser's storage; false if neither works. */
  private findFingerprint(): boolean {
    const given = location.hash.slice(1);
    return this.isTrusted(isFingerprint(given) ? given : null);
  }

  /** An address with a fingerprint was opened in this tab: only what follows the # has changed. */
  private readonly addressed = (): void => {
    if (!isFingerprint(location.hash.slice(1)) || this.embedding !== null || this.stage === 'untrusted') return;
    if (this.stage === 'open') {
      history.replaceState({ screen: this.screen }, '', location.pathname); // unsaved work stays on the screen
      this.say(this.texts?.roots.whileOpen ?? '');
    } else if (this.findFingerprint()) void this.connect();
  };

  /** Decides between the root named by an address or the embedding page, and the stored one. */
  private isTrusted(given: string | null): boolean {
    const judged = this.pins.judge(given);
    if (judged.verdict === 'none') {
      this.stage = 'no-fingerprint';
      return false;
    }
    this.fingerprint = judged.fingerprint;
    // If nothing can be stored the address stays; an untrusted one is removed, so that a reload goes on without it.
    if (judged.verdict === 'another' || judged.kept) history.replaceState(history.state, '', location.pathname);
    if (judged.verdict === 'another') this.stage = 'another-root';
    return judged.verdict === 'trusted';
  }

  private async goOnWith(fingerprint: string): Promise<void> {
    this.pins.add(fingerprint);
    this.fingerprint = fingerprint;
    if (this.handed !== null) this.handed = { ...this.handed, fingerprint };
    await this.connect();
  }

  private forgetRoot(fingerprint: string): void {
    this.pins.forget(fingerprint);
    this.fingerprint = this.pins.all()[0] ?? this.fingerprint;
    this.requestUpdate();
  }

  private async speak(language: Language): Promise<void> {
    const [texts, reasons, profile] = await Promise.all([loadTexts(language), loadReasons(language), profiles.first()]);
    this.profiled(profile);
    this.texts = texts;
    this.reasons = reasons;
    this.language = language;
    speak(language);
    void this.client?.speak(language).catch(() => undefined);
    if (this.session !== null) this.session = { ...this.session, texts, reasons, language };
    this.entitle();
  }

  private profiled(profile: Profile | null): void {
    this.profile = profile;
    paint(profile?.colours ?? null);
    if (this.session !== null) this.session = { ...this.session, profile };
  }

  private async choose(language: Language): Promise<void> {
    rememberLanguage(language);
    await this.speak(language);
  }

  private entitle(): void {
    if (this.texts === null) return;
    const place = this.place?.(this.texts) ?? screenTitle(this.texts, this.screen);
    const here = this.stage === 'open' ? `${place} · ` : '';
    const title = `${here}${this.texts.title}`;
    document.title = title;
    this.host.entitled(title);
  }

  private async unlocked(self: MediatorSelf): Promise<void> {
    await import('./inside');
    if (this.client === null || this.texts === null || this.reasons === null) return;
    this.session = {
      client: this.client,
      self,
      handed: this.handed !== null,
      texts: this.texts,
      names: this.names,
      reasons: this.reasons,
      language: this.language,
      profile: this.profile,
      go: (screen) => this.go(screen),
      replace: (screen) => {
        history.replaceState({ screen }, '');
        this.show(screen);
      },
      next: () => void this.next(),
      entitle: (place) => {
        this.place = place;
        this.entitle();
      },
      lock: () => this.locked(null),
      say: (sentence) => this.say(sentence),
    };
    this.notice = null;
    this.stage = 'open';
    this.ownKeys = null;
    void this.lookAtKeys(this.session);
    this.entitle();
    history.replaceState({ screen: this.screen }, '');
    this.watchAttention(this.client);
    this.stopIdle?.();
    this.stopIdle = watchIdle({
      idleMs: IDLE_MS,
      warnMs: IDLE_WARN_MS,
      busy: isActive,
      warn: (secondsLeft) => (this.idling = secondsLeft !== null),
      idle: () => this.locked(this.texts?.unlock.idle ?? null),
    });
  }

  private watchAttention(client: Mediator): void {
    if (this.embedding === null) return;
    this.attention?.stop();
    this.attention = new AttentionWatch(client, (counts) => this.host.counted(counts), (refusal) => this.failed(refusal, false));
    this.attention.start();
  }

  /** Keys expire; every screen says so during the last 60 days. */
  private async lookAtKeys({ client, self }: Session): Promise<void> {
    try {
      const ownKeys = await client.ownKeys();
      if (self === this.session?.self) this.ownKeys = ownKeys;
    } catch (thrown) {
      if (isRefusal(thrown) && thrown.refusal === 'untrusted') this.stop();
    }
  }

  private locked(notice: string | null): void {
    if (this.stage !== 'open') return;
    this.notice = notice ?? this.texts?.unlock.locked ?? null;
    this.forget('locked');
  }

  private stop(): void {
    this.forget('untrusted');
  }

  private forget(stage: 'locked' | 'untrusted'): void {
    this.stopIdle?.();
    this.stopIdle = null;
    this.attention?.stop();
    this.attention = null;
    saveAllForms(); // before the keys are locked
    this.session = null;
    this.place = null;
    this.helping = false;
    this.idling = false;
    this.say('');
    this.stage = stage;
    this.entitle();
    void this.client?.lock();
    this.host.keysLocked();
  }

  private go(screen: Screen): void {
    history.pushState({ screen }, '');
    this.show(screen);
  }

  private async next(): Promise<void> {
    const { screen, session } = this;
    if (session === null) return;
    let found: Uuid | null;
    try {
      found = await session.client.nextWaiting(screen.name === 'review' ? screen.message : null);
    } catch (thrown) {
      const refusal = asRefusal(thrown);
      if (refusal.refusal === 'untrusted') this.stop();
      else if (refusal.refusal === 'signed-out') this.locked(null);
      else this.say(refusalText(session.texts, refusal));
      return;
    }
    if (this.screen !== screen || this.stage !== 'open') return; // another screen was opened meanwhile
    if (found === null) {
      this.say(session.texts.lists.noNext);
      if (screen.name === 'review') this.go({ name: 'queue' });
    } else this.go({ name: 'review', message: found });
  }

  private show(screen: Screen): void {
    this.screen = screen;
    this.place = null;
    this.entitle();
    window.scrollTo(0, 0);
    if (this.stage === 'open') this.host.shows(screen);
  }

  private say(sentence: string): void {
    clearTimeout(this.unsaying);
    this.said = sentence;
    if (sentence !== '') this.unsaying = setTimeout(() => (this.said = ''), SAID_MS);
  }

  /** The notice covers the bottom of the window: scrolls the focused element out from under it. */
  private makeRoom(): void {
    const height = this.said === '' ? 0 : (this.querySelector<HTMLElement>('p[role=status]')?.offsetHeight ?? 0);
    document.documentElement.style.setProperty('scroll-padding-bottom', `${height}px`);
    bringInSight(document.activeElement);
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    if (this.stage !== 'open' || !this.shortcuts) return;
    const does = shortcutOf(event, focusOf(event.target instanceof Element ? event.target : null));
    if (does === null) return;
    event.preventDefault();
    if (does === 'help') this.helping = true;
    else if (does === 'back') this.go({ name: 'queue' });
    else if (does === 'next-message') void this.next();
    else (this.querySelector('[data-screen]') as Partial<Listening> | null)?.shortcut?.(does);
  };

  protected override updated(changed: PropertyValues): void {
    if (changed.has('said')) this.makeRoom();
    if (changed.has('stage')) this.host.stands(this.stage, this.screen);
    if (changed.has('stage') && this.stage !== 'open' && this.stage !== 'locked') this.querySelector<HTMLElement>('h1')?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { texts } = this;
    if (texts === null) return nothing;
    return html`<a class="unseen skip" href="#content" @click=${this.skip}>${texts.skip}</a>
      <header class="bar">
        ${this.stage === 'open' ? renderNav(texts, this.screen, (screen) => this.go(screen)) : renderTitle(texts, this.profile, this.language)}
        <div class="row">
          ${this.stage === 'open'
            ? html`<button class="plain keys-only" @click=${() => (this.helping = true)}>${texts.nav.shortcuts}</button>`
            : nothing}
          <button class="plain" lang=${this.language === 'en' ? 'fr' : 'en'} @click=${() => this.choose(this.language === 'en' ? 'fr' : 'en')}>
            ${texts.otherLanguage}
          </button>
          ${this.stage === 'open' ? html`<button @click=${() => this.locked(null)}>${texts.lock}</button>` : nothing}
        </div>
      </header>
      <p class=${this.said === '' ? 'unseen' : 'said'} role="status">${this.said}</p>
      ${this.renderKeysEnd(texts)} ${this.idling ? renderIdle(texts, () => (this.idling = false)) : nothing}
      ${this.renderStage(texts)}
      ${this.helping ? renderHelp(texts, this.shortcuts, (on) => this.switchShortcuts(on), () => (this.helping = false)) : nothing}`;
  }

  private renderKeysEnd(texts: Texts): TemplateResult | typeof nothing {
    const { ownKeys, screen, session, stage } = this;
    if (stage !== 'open' || ownKeys === null || session === null || screen.name === 'keys') return nothing;
    return renderKeysEnd(texts, ownKeys, session.language, () => this.go({ name: 'keys' }));
  }

  private renderStage(texts: Texts): TemplateResult {
    switch (this.stage) {
      case 'another-root': {
        const known = this.pins.all();
        return html`<console-another-root
          .texts=${texts}
          .given=${this.fingerprint}
          .known=${known}
          @kept=${() => this.goOnWith(known[0] ?? this.fingerprint)}
          @trusted=${() => this.goOnWith(this.fingerprint)}
        ></console-another-root>`;
      }
      case 'locked':
        return html`<console-unlock
          .door=${{ client: this.client }}
          .texts=${texts}
          .language=${this.language}
          .fingerprint=${this.fingerprint}
          .roots=${this.pins.all()}
          @root-chosen=${({ detail }: CustomEvent<string>) => this.goOnWith(detail)}
          @root-forgotten=${({ detail }: CustomEvent<string>) => this.forgetRoot(detail)}
          .handed=${this.handed}
          .notice=${this.notice}
        ></console-unlock>`;
      case 'open':
        return this.session === null ? html`` : renderScreen(this.screen, this.session);
      default:
        return renderPlain(this.stage, texts, window.parent !== window, () => void this.connect());
    }
  }

  private switchShortcuts(on: boolean): void {
    this.shortcuts = on;
    switchShortcuts(on);
  }

  private readonly skip = (event: Event): void => {
    event.preventDefault(); // the address does not change
    this.querySelector<HTMLElement>('h1')?.focus();
  };
}

customElements.define('relay-console', RelayConsole);

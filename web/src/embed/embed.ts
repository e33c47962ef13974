/** The script that a case system loads to embed the mediators' console in its own page: `relayConsole.open(…)`. */

import {
  faultySetting,
  isHello,
  isOtherHello,
  readNames,
  readTold,
  WELCOME,
  type Attention,
  type EmbedSettings,
  type FailureCode,
  type GivenNames,
  type NamesMessage,
  type Place,
  type Sight,
  type Told,
} from './protocol';

export interface OpenOptions extends Omit<EmbedSettings, 'relay'> {
  /** The origin of relay, such as `https://relay.example`. */
  readonly relay: string;
  /** What the case system calls people and cases, by relay's references; either may be left out. */
  readonly names?: Partial<GivenNames>;
  /** Called once the console waits for the passphrase. */
  readonly onReady?: (where: Place) => void;
  /** Called with a stable code if the console cannot be opened, or stops. */
  readonly onFailed?: (why: { readonly code: FailureCode }) => void;
  /** Called with the mediator's location whenever it changes, so that the embedding page can follow; never content. */
  readonly onNavigated?: (where: Place) => void;
  /** Called with how much asks for the mediator, after unlocking and after every change. */
  readonly onAttention?: (counts: Attention) => void;
  /** Called when the mediator's keys were locked. */
  readonly onLocked?: () => void;
}

export interface OpenedConsole {
  /** Replaces all names. Throws a TypeError if something in them is not a reference with a text, and then changes nothing. */
  setNames(names: Partial<GivenNames>): void;
  close(): void;
}

const TITLE = { en: 'Messages for review', fr: 'Messages à examiner' };
const HEIGHT_LEAST = 320;
const HEIGHT_MOST = 20_000;
const HELLO_MS = 30_000;

/**
 * Puts the console into an element. Its address contains no secret: the settings are passed over a port, only to
 * exactly the origin given and the frame created here. Throws a TypeError that names a setting that cannot be right.
 */
export function open(element: Element, options: OpenOptions): OpenedConsole {
  const origin = new URL(options.relay).origin;
  const settings = settingsMessage(options);
  const fault = faultySetting({ ...settings });
  if (fault !== null) throw new TypeError(`relayConsole.open: "${fault}" is missing or not what it must be`);
  const names = namesMessage(options.names ?? {});
  const frame = document.createElement('iframe');
  frame.title = TITLE[options.language];
  frame.allow = 'fullscreen';
  frame.referrerPolicy = 'no-referrer';
  frame.style.setProperty('border', '0');
  frame.style.setProperty('width', '100%');
  frame.style.setProperty('min-height', '40rem');
  const handshake = answerHello(window, () => frame.contentWindow, origin, settings, {
    names,
    told: (told) => {
      if (told.relay === 'taken') sight.look();
      follow(frame, options, told);
    },
    failed: (code) => options.onFailed?.({ code }),
  });
  const sight = watchSight(frame, (seen) => {
    handshake.tell(seen);
  });
  frame.src = `${origin}/console`;
  element.append(frame);
  return {
    setNames: (given) => {
      handshake.tell(namesMessage(given));
    },
    close: () => {
      sight.stop();
      handshake.stop();
      frame.remove();
    },
  };
}

/**
 * Reports the visible part of the frame whenever it may have changed, whichever ancestor scrolls or clips it: the
 * frame is as tall as its content, so only the embedding page knows.
 */
function watchSight(frame: HTMLElement, tell: (seen: Sight) => void): { look(): void; stop(): void } {
  const observer = new IntersectionObserver((entries) => {
    const entry = entries.at(-1);
    if (entry === undefined || entry.intersectionRect.height === 0) return;
    const { boundingClientRect: whole, intersectionRect: part } = entry;
    tell({ relay: 'sight', top: Math.max(0, part.top - whole.top), height: part.height });
  });
  const look = (): void => {
    observer.unobserve(frame); // observing again measures at once
    observer.observe(frame);
  };
  const resizing = new ResizeObserver(look);
  resizing.observe(frame);
  resizing.observe(document.documentElement);
  window.addEventListener('scroll', look, { capture: true, passive: true });
  window.addEventListener('resize', look);
  return {
    look,
    stop: () => {
      observer.disconnect();
      resizing.disconnect();
      window.removeEventListener('scroll', look, { capture: true });
      window.removeEventListener('resize', look);
    },
  };
}

/** The windows in a handshake, so that tests can replace the browser's. */
export interface Listening {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/** What an embedding page gives to a handshake, and what it hears from it. */
export interface Embedder {
  /** The names to begin with. */
  readonly names: NamesMessage;
  readonly told: (message: Told) => void;
  readonly failed: (code: FailureCode) => void;
}

/**
 * Waits for the console's hello from exactly this origin and this frame, and answers it with a port. A reloaded
 * frame says hello again: it receives a new port with the latest names, and the old one is closed. Messages of the
 * console that are not valid are dropped.
 */
export function answerHello(
  own: Listening,
  frameWindow: () => MessageEventSource | null,
  origin: string,
  settings: EmbedSettings,
  embedder: Embedder,
  patienceMs: number = HELLO_MS,
): { tell(message: Sight | NamesMessage): void; stop(): void } {
  let port: MessagePort | null = null;
  let { names } = embedder;
  const patience = setTimeout(() => { embedder.failed('no-answer'); }, patienceMs);
  const listener = (event: MessageEvent): void => {
    const frame = frameWindow();
    if (event.origin !== origin || frame === null || event.source !== frame) return;
    if (isOtherHello(event.data)) {
      clearTimeout(patience);
      embedder.failed('version-mismatch');
    }
    if (!isHello(event.data)) return;
    clearTimeout(patience);
    port?.close();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data }: MessageEvent) => {
      const told = readTold(data);
      if (told !== null) embedder.told(told);
    };
    (frame as Window).postMessage(WELCOME, origin, [channel.port2]);
    port.postMessage(settings);
    port.postMessage(names);
  };
  own.addEventListener('message', listener);
  return {
    tell: (message) => {
      if (message.relay === 'names') names = message;
      port?.postMessage(message);
    },
    stop: () => {
      clearTimeout(patience);
      own.removeEventListener('message', listener);
      port?.close();
    },
  };
}

function settingsMessage(given: Omit<EmbedSettings, 'relay'>): EmbedSettings {
  return {
    relay: 'settings',
    fingerprint: given.fingerprint,
    keyring: given.keyring,
    language: given.language,
    ...(given.label === undefined ? {} : { label: given.label }),
    ...(given.case === undefined ? {} : { case: given.case }),
    ...(given.message === undefined ? {} : { message: given.message }),
  };
}

/** The names as a message; a TypeError if they are not what they must be. */
export function namesMessage({ participants = {}, cases = {} }: Partial<GivenNames>): NamesMessage {
  const read = readNames({ relay: 'names', participants, cases });
  if (read === null) throw new TypeError('relayConsole: names must map references of participants and cases to texts of 1,000 characters at most');
  return { relay: 'names', participants: { ...participants }, cases: { ...cases } };
}

function follow(frame: HTMLIFrameElement, options: OpenOptions, told: Told): void {
  switch (told.relay) {
    case 'height': {
      const pixels = Math.min(HEIGHT_MOST, Math.max(HEIGHT_LEAST, Math.ceil(told.pixels)));
      frame.style.setProperty('height', `${String(pixels)}px`);
      break;
    }
    case 'title':
      frame.title = told.title;
      break;
    case 'ready':
      options.onReady?.(placeOf(told));
      break;
    case 'navigated':
      if (frame.getBoundingClientRect().top < 0) frame.scrollIntoView({ block: 'start' }); // another screen starts at its top
      options.onNavigated?.(placeOf(told));
      break;
    case 'failed':
      options.onFailed?.({ code: told.code });
      break;
    case 'attention': {
      const { waiting, secondApprovals, claims, casesToOpen } = told;
      options.onAttention?.({ waiting, secondApprovals, claims, casesToOpen });
      break;
    }
    case 'locked':
      options.onLocked?.();
      break;
    case 'taken':
  }
}

function placeOf({ screen, case: inCase, message }: Place): Place {
  return { screen, ...(inCase === undefined ? {} : { case: inCase }), ...(message === undefined ? {} : { message }) };
}

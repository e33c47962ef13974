/** The script that a case system loads to embed the mediators' console in its own page: `relayConsole.open(…)`. */

import { isHello, isRecord, WELCOME, type EmbedSettings, type Sight } from './protocol';

export interface OpenOptions extends Omit<EmbedSettings, 'relay'> {
  /** The origin of relay, such as `https://relay.example`. */
  readonly relay: string;
  /** Called when the mediator's keys were locked. */
  readonly onLocked?: () => void;
  /** Called with the mediator's location, so that the embedding page can follow; never content. */
  readonly onNavigated?: (where: { readonly screen: string; readonly case?: string; readonly message?: string }) => void;
}

export interface OpenedConsole {
  close(): void;
}

const TITLE = { en: 'Messages for review', fr: 'Messages à examiner' };
const HEIGHT_LEAST = 320;
const HEIGHT_MOST = 20_000;

/**
 * Puts the console into an element. Its address contains no secret: the settings are passed over a port, only to
 * exactly the origin given and the frame created here.
 */
export function open(element: Element, options: OpenOptions): OpenedConsole {
  const origin = new URL(options.relay).origin;
  const frame = document.createElement('iframe');
  frame.title = TITLE[options.language];
  frame.allow = 'fullscreen';
  frame.referrerPolicy = 'no-referrer';
  frame.style.setProperty('border', '0');
  frame.style.setProperty('width', '100%');
  frame.style.setProperty('min-height', '40rem');
  const handshake = answerHello(window, () => frame.contentWindow, origin, options, (told) => {
    if (isRecord(told) && told['relay'] === 'ready') sight.look();
    follow(frame, options, told);
  });
  const sight = watchSight(frame, (seen) => {
    handshake.tell(seen);
  });
  frame.src = `${origin}/console`;
  element.append(frame);
  return {
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

/**
 * Waits for the console's hello from exactly this origin and this frame, and answers it with a port. A reloaded
 * frame says hello again: it receives a new port, and the old one is closed.
 */
export function answerHello(
  own: Listening,
  frameWindow: () => MessageEventSource | null,
  origin: string,
  settings: Omit<EmbedSettings, 'relay'>,
  told: (message: unknown) => void,
): { tell(sight: Sight): void; stop(): void } {
  let port: MessagePort | null = null;
  const listener = (event: MessageEvent): void => {
    const frame = frameWindow();
    if (event.origin !== origin || frame === null || event.source !== frame || !isHello(event.data)) return;
    port?.close();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data }: MessageEvent) => told(data);
    (frame as Window).postMessage(WELCOME, origin, [channel.port2]);
    port.postMessage(settingsMessage(settings));
  };
  own.addEventListener('message', listener);
  return {
    tell: (sight) => port?.postMessage(sight),
    stop: () => {
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

function follow(frame: HTMLIFrameElement, options: OpenOptions, told: unknown): void {
  if (!isRecord(told)) return;
  if (told['relay'] === 'height' && typeof told['pixels'] === 'number' && Number.isFinite(told['pixels'])) {
    const pixels = Math.min(HEIGHT_MOST, Math.max(HEIGHT_LEAST, Math.ceil(told['pixels'])));
    frame.style.setProperty('height', `${String(pixels)}px`);
  } else if (told['relay'] === 'title' && typeof told['title'] === 'string') {
    frame.title = told['title'];
  } else if (told['relay'] === 'locked') {
    options.onLocked?.();
  } else if (told['relay'] === 'navigated' && typeof told['screen'] === 'string') {
    if (frame.getBoundingClientRect().top < 0) frame.scrollIntoView({ block: 'start' }); // another screen starts at its top
    options.onNavigated?.({
      screen: told['screen'],
      ...(typeof told['case'] === 'string' ? { case: told['case'] } : {}),
      ...(typeof told['message'] === 'string' ? { message: told['message'] } : {}),
    });
  }
}

/** The messages between the case system's page and the console in its frame; both sides are built from this. */

/** From the console to its parent, once per page, only to the origins that may embed it. */
export interface Hello {
  readonly relay: 'console-hello';
  readonly version: 1;
}

/** The answer, only to relay's origin, with one port; everything after goes over the port. */
export interface Welcome {
  readonly relay: 'console-welcome';
  readonly version: 1;
}

/** The first message over the port. The keyring is sealed: it is useless without its passphrase. */
export interface EmbedSettings {
  readonly relay: 'settings';
  readonly fingerprint: string;
  /** Base64. */
  readonly keyring: string;
  readonly language: 'en' | 'fr';
  readonly label?: string;
  readonly case?: string;
  readonly message?: string;
}

/** The visible part of the frame, in pixels of the frame; from the embedding page, whenever it has changed. */
export interface Sight {
  readonly relay: 'sight';
  readonly top: number;
  readonly height: number;
}

/** What the console sends over the port. Never content. */
export type Told =
  | { readonly relay: 'ready' }
  | { readonly relay: 'height'; readonly pixels: number }
  | { readonly relay: 'title'; readonly title: string }
  | { readonly relay: 'locked' }
  | { readonly relay: 'navigated'; readonly screen: string; readonly case?: string; readonly message?: string };

export const HELLO: Hello = { relay: 'console-hello', version: 1 };
export const WELCOME: Welcome = { relay: 'console-welcome', version: 1 };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FINGERPRINT = /^[A-Za-z0-9_-]{21}[AQgw]$/; // 16 bytes
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KEYRING_MOST = 90_000;
const LABEL_MOST = 200;

export function isHello(said: unknown): said is Hello {
  return isRecord(said) && said['relay'] === HELLO.relay && said['version'] === HELLO.version;
}

export function isWelcome(said: unknown): said is Welcome {
  return isRecord(said) && said['relay'] === WELCOME.relay && said['version'] === WELCOME.version;
}

export function isFingerprint(text: unknown): text is string {
  return typeof text === 'string' && FINGERPRINT.test(text);
}

/** The settings if valid, else null: arriving over the right port does not make them trusted. */
export function readSettings(said: unknown): EmbedSettings | null {
  if (!isRecord(said) || said['relay'] !== 'settings') return null;
  const { fingerprint, keyring, language, label, case: forCase, message } = said;
  if (!isFingerprint(fingerprint) || (language !== 'en' && language !== 'fr')) return null;
  if (typeof keyring !== 'string' || keyring.length > KEYRING_MOST || !BASE64.test(keyring)) return null;
  if (label !== undefined && (typeof label !== 'string' || label.length > LABEL_MOST)) return null;
  if (forCase !== undefined && !isUuid(forCase)) return null;
  if (message !== undefined && !isUuid(message)) return null;
  return {
    relay: 'settings',
    fingerprint,
    keyring,
    language,
    ...(label === undefined ? {} : { label }),
    ...(forCase === undefined ? {} : { case: forCase }),
    ...(message === undefined ? {} : { message }),
  };
}

/** The visible part if valid, else null. */
export function readSight(said: unknown): Sight | null {
  if (!isRecord(said) || said['relay'] !== 'sight') return null;
  const { top, height } = said;
  return isLength(top) && isLength(height) && height > 0 ? { relay: 'sight', top, height } : null;
}

function isLength(pixels: unknown): pixels is number {
  return typeof pixels === 'number' && Number.isFinite(pixels) && pixels >= 0;
}

function isUuid(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text);
}

export function isRecord(said: unknown): said is Record<string, unknown> {
  return typeof said === 'object' && said !== null;
}

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

/** What the case system calls people and cases, by relay's references. Text of somebody else: see `console/names`. */
export interface GivenNames {
  readonly participants: Readonly<Record<string, string>>;
  readonly cases: Readonly<Record<string, string>>;
}

/** From the embedding page, after the settings and at any time; replaces all names given before. */
export interface NamesMessage extends GivenNames {
  readonly relay: 'names';
}

/** The visible part of the frame, in pixels of the frame; from the embedding page, whenever it has changed. */
export interface Sight {
  readonly relay: 'sight';
  readonly top: number;
  readonly height: number;
}

const PLACES = ['unlock', 'another-root', 'queue', 'review', 'captions', 'cases', 'case', 'keys', 'new-case', 'letter'] as const;

/** Where the mediator is: before the keys are open `unlock` or `another-root`, then a screen. */
export interface Place {
  readonly screen: (typeof PLACES)[number];
  readonly case?: string;
  readonly message?: string;
}

const FAILURES = [
  'no-answer', // the frame said nothing: relay is out of reach, or does not allow this origin
  'version-mismatch', // the script and the console are of different versions of relay
  'invalid-settings',
  'offline',
  'unavailable', // relay answers that it cannot work now
  'another-root', // the fingerprint is not the one that this browser trusts; the mediator is asked
  'integrity', // the chain of trust does not hold; the keys were locked
  'wrong-credential', // the organization does not vouch for the keys, or no longer
  'refused-token', // relay refused the session of the mediator and gave no new one; the keys were locked
  'unexpected',
] as const;

export type FailureCode = (typeof FAILURES)[number];

/** How much asks for the mediator. */
export interface Attention {
  /** Messages that wait for this mediator, whatever for. */
  readonly waiting: number;
  /** Those of them that another mediator has approved, and that need a second approval. */
  readonly secondApprovals: number;
  /** Links that somebody used, and that no mediator has checked. */
  readonly claims: number;
  /** Cases that are registered and not open yet. */
  readonly casesToOpen: number;
}

/** What the console sends over the port: references and counts, never content, and never a name. */
export type Told =
  | { readonly relay: 'taken' } // the settings were
  | ({ readonly relay: 'ready' } & Place)
  | ({ readonly relay: 'navigated' } & Place)
  | { readonly relay: 'failed'; readonly code: FailureCode }
  | ({ readonly relay: 'attention' } & Attention)
  | { readonly relay: 'height'; readonly pixels: number }
  | { readonly relay: 'title'; readonly title: string }
  | { readonly relay: 'locked' };

export const HELLO: Hello = { relay: 'console-hello', version: 1 };
export const WELCOME: Welcome = { relay: 'console-welcome', version: 1 };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FINGERPRINT = /^[A-Za-z0-9_-]{21}[AQgw]$/; // 16 bytes
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KEYRING_MOST = 90_000;
export const LABEL_MOST = 200;
const TITLE_MOST = 1000;
/** Of each kind. */
const NAMES_MOST = 20_000;
/** Before the console shortens it for people. */
const NAME_MOST = 1000;

export function isHello(said: unknown): said is Hello {
  return isRecord(said) && said['relay'] === HELLO.relay && said['version'] === HELLO.version;
}

/** A greeting of a console of another version. */
export function isOtherHello(said: unknown): boolean {
  return isRecord(said) && said['relay'] === HELLO.relay && said['version'] !== HELLO.version;
}

export function isWelcome(said: unknown): said is Welcome {
  return isRecord(said) && said['relay'] === WELCOME.relay && said['version'] === WELCOME.version;
}

export function isFingerprint(text: unknown): text is string {
  return typeof text === 'string' && FINGERPRINT.test(text);
}

type Settings = Omit<EmbedSettings, 'relay'>;

const SETTINGS: Readonly<Record<keyof Settings, (value: unknown) => boolean>> = {
  fingerprint: isFingerprint,
  keyring: (value) => typeof value === 'string' && value.length <= KEYRING_MOST && BASE64.test(value),
  language: (value) => value === 'en' || value === 'fr',
  label: (value) => value === undefined || (typeof value === 'string' && value.length <= LABEL_MOST),
  case: (value) => value === undefined || isUuid(value),
  message: (value) => value === undefined || isUuid(value),
};

/** The first setting that is not what it must be; null if all are. */
export function faultySetting(given: Readonly<Record<string, unknown>>): string | null {
  return Object.entries(SETTINGS).find(([name, holds]) => !holds(given[name]))?.[0] ?? null;
}

/** The settings if valid, else null: arriving over the right port does not make them trusted. */
export function readSettings(said: unknown): EmbedSettings | null {
  if (!isRecord(said) || said['relay'] !== 'settings' || faultySetting(said) !== null) return null;
  const known = Object.keys(SETTINGS).filter((name) => said[name] !== undefined);
  return { relay: 'settings', ...Object.fromEntries(known.map((name) => [name, said[name]])) } as unknown as EmbedSettings;
}

/** The names if all of them are valid, else null. */
export function readNames(said: unknown): NamesMessage | null {
  if (!isRecord(said) || said['relay'] !== 'names') return null;
  const { participants, cases } = said;
  return areNames(participants) && areNames(cases) ? { relay: 'names', participants, cases } : null;
}

function areNames(said: unknown): said is Readonly<Record<string, string>> {
  if (!isRecord(said)) return false;
  const entries = Object.entries(said);
  return entries.length <= NAMES_MOST && entries.every(([id, name]) => isUuid(id) && typeof name === 'string' && name.length <= NAME_MOST);
}

/** The visible part if valid, else null. */
export function readSight(said: unknown): Sight | null {
  if (!isRecord(said) || said['relay'] !== 'sight') return null;
  const { top, height } = said;
  return isLength(top) && isLength(height) && height > 0 ? { relay: 'sight', top, height } : null;
}

/** A message of the console if valid, with nothing else in it; else null. */
export function readTold(said: unknown): Told | null {
  if (!isRecord(said)) return null;
  const { relay, pixels, title, code } = said;
  switch (relay) {
    case 'taken':
    case 'locked':
      return { relay };
    case 'ready':
    case 'navigated': {
      const place = readPlace(said);
      return place === null ? null : { relay, ...place };
    }
    case 'failed': {
      const known = FAILURES.find((one) => one === code);
      return known === undefined ? null : { relay, code: known };
    }
    case 'attention': {
      const { waiting, secondApprovals, claims, casesToOpen } = said;
      return [waiting, secondApprovals, claims, casesToOpen].every(isCount)
        ? ({ relay, waiting, secondApprovals, claims, casesToOpen } as Told)
        : null;
    }
    case 'height':
      return isLength(pixels) ? { relay, pixels } : null;
    case 'title':
      return typeof title === 'string' && title.length <= TITLE_MOST ? { relay, title } : null;
    default:
      return null;
  }
}

function readPlace({ screen, case: inCase, message }: Readonly<Record<string, unknown>>): Place | null {
  const known = PLACES.find((one) => one === screen);
  if (known === undefined || (inCase !== undefined && !isUuid(inCase)) || (message !== undefined && !isUuid(message))) return null;
  return { screen: known, ...(inCase === undefined ? {} : { case: inCase }), ...(message === undefined ? {} : { message }) };
}

function isCount(number: unknown): number is number {
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0;
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

/** Failures on their way to the page: nothing of an error but its refusal leaves the worker. */

import { WeakPassphrase } from '../crypto/passphrases';
import type { Gate, Refusal, RefusalKind } from './contract';

/** These are 429 too, but waiting does not help: relay's sentence says what does. */
const QUOTAS = new Set(['too-many-drafts', 'too-many-uploads', 'stored-too-much']);

type Details = Omit<Refusal, 'refusal'>;

/** Thrown anywhere in the worker; the page receives only its `refusal`. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(kind: RefusalKind, details: Details = {}) {
    super(kind);
    this.refusal = { refusal: kind, ...details };
  }
}

/** Whether a thrown value is a refusal of that kind, with that code where one is given. */
export function isRefused(thrown: unknown, kind: RefusalKind, code?: string): thrown is Refused {
  return thrown instanceof Refused && thrown.refusal.refusal === kind && (code === undefined || thrown.refusal.code === code);
}

/** What a page is told about a thrown value. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refused) return thrown.refusal;
  if (thrown instanceof WeakPassphrase) return { refusal: 'weak-passphrase', weakness: thrown.weakness };
  if (isStorageFull(thrown)) return { refusal: 'storage-full' };
  return { refusal: 'unexpected' };
}

/** Whether the device had no space. */
export function isStorageFull(thrown: unknown): boolean {
  return thrown instanceof DOMException && (thrown.name === 'QuotaExceededError' || thrown.name === 'NS_ERROR_DOM_QUOTA_REACHED');
}

/** Converts relay's problem document; falls back to `status` if something else answered. */
export function refusedBy(status: number, document: unknown): Refused {
  const code = member(document, 'code');
  const sentence = member(document, 'title');
  const gates = gatesOf(document);
  const details: Details = {
    ...(code === null ? {} : { code }),
    ...(sentence === null ? {} : { sentence }),
    ...(gates === null ? {} : { gates }),
  };
  if (status === 401) return new Refused('signed-out', details);
  if (code === 'too-many-tries') return new Refused('wait', { ...details, waitSeconds: waitOf(document) });
  const isQuota = code !== null && QUOTAS.has(code);
  if ((status === 429 && !isQuota) || status >= 500) return new Refused('busy', details);
  return new Refused('refused', details);
}

function member(document: unknown, name: 'code' | 'title'): string | null {
  const value: unknown = isObject(document) ? document[name] : null;
  return typeof value === 'string' ? value : null;
}

function gatesOf(document: unknown): Gate[] | null {
  const value: unknown = isObject(document) ? document['gates'] : null;
  return Array.isArray(value) ? value.filter((gate): gate is Gate => typeof gate === 'string') : null;
}

/** One minute if relay does not say. */
function waitOf(document: unknown): number {
  const value: unknown = isObject(document) ? document['wait_seconds'] : null;
  return typeof value === 'number' ? value : 60;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

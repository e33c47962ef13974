/**
 * The organization roots that this browser trusts for the console: a set of fingerprints. The first visit adds the
 * first one. After that neither an address nor an embedding page adds any: only the mediator does.
 *
 * Fingerprints are not secret. They are stored unsealed, the last used one first.
 */

import { isFingerprint } from '../embed/protocol';

const KEY = 'relay-roots';

export type Verdict =
  /** Use this one. `kept` is false if this browser can store nothing: the address has to stay. */
  | { readonly verdict: 'trusted'; readonly fingerprint: string; readonly kept: boolean }
  /** A root was given that this browser does not trust, and it trusts others. */
  | { readonly verdict: 'another'; readonly fingerprint: string }
  /** None was given, and none is stored. */
  | { readonly verdict: 'none' };

export type PinStorage = Pick<Storage, 'getItem' | 'setItem'>;

export class Pins {
  /** `storage`: null if the browser allows none. */
  constructor(private readonly storage: PinStorage | null) {}

  static ofThisBrowser(): Pins {
    try {
      return new Pins(localStorage);
    } catch {
      return new Pins(null);
    }
  }

  /** Every trusted root, the last used one first. */
  all(): readonly string[] {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? '[]');
      return Array.isArray(kept) ? [...new Set(kept.filter(isFingerprint))] : [];
    } catch {
      return [];
    }
  }

  /** What to do with a fingerprint from outside, or with none. Adds one only if none is stored yet. */
  judge(given: string | null): Verdict {
    const known = this.all();
    const [last] = known;
    if (given === null) return last === undefined ? { verdict: 'none' } : { verdict: 'trusted', fingerprint: last, kept: true };
    if (last !== undefined && !known.includes(given)) return { verdict: 'another', fingerprint: given };
    return { verdict: 'trusted', fingerprint: given, kept: this.add(given) };
  }

  /** Trusts it in addition to the others, and uses it; false if nothing can be stored. */
  add(fingerprint: string): boolean {
    return this.keep([fingerprint, ...this.all().filter((one) => one !== fingerprint)]);
  }

  forget(fingerprint: string): boolean {
    return this.keep(this.all().filter((one) => one !== fingerprint));
  }

  private keep(fingerprints: readonly string[]): boolean {
    if (this.storage === null) return false;
    try {
      this.storage.setItem(KEY, JSON.stringify(fingerprints));
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * The organization roots that this browser trusts for the console: a set of fingerprints. Who opens the console for the
 * first time brings the first one. After that an address or a page around adds nothing: only the mediator does.
 *
 * A fingerprint is no secret. It is kept in the clear, the one that was worked with last first.
 */

import { isFingerprint } from '../embed/protocol';

const KEY = 'relay-roots';

export type Verdict =
  /** Work with this one. `kept` is false where this browser can keep nothing: the address has to stay. */
  | { readonly verdict: 'trusted'; readonly fingerprint: string; readonly kept: boolean }
  /** One was given that this browser does not trust, and it trusts others. */
  | { readonly verdict: 'another'; readonly fingerprint: string }
  /** None was given, and none is kept. */
  | { readonly verdict: 'none' };

export type PinShelf = Pick<Storage, 'getItem' | 'setItem'>;

export class Pins {
  /** `shelf`: null where a browser lets nothing be kept. */
  constructor(private readonly shelf: PinShelf | null) {}

  static ofThisBrowser(): Pins {
    try {
      return new Pins(localStorage);
    } catch {
      return new Pins(null);
    }
  }

  /** Every root that is trusted, the one that was worked with last first. */
  all(): readonly string[] {
    try {
      const kept: unknown = JSON.parse(this.shelf?.getItem(KEY) ?? '[]');
      return Array.isArray(kept) ? [...new Set(kept.filter(isFingerprint))] : [];
    } catch {
      return [];
    }
  }

  /** What to do with a fingerprint that came from outside, or with none. It adds one only where there is none yet. */
  judge(given: string | null): Verdict {
    const known = this.all();
    const [last] = known;
    if (given === null) return last === undefined ? { verdict: 'none' } : { verdict: 'trusted', fingerprint: last, kept: true };
    if (last !== undefined && !known.includes(given)) return { verdict: 'another', fingerprint: given };
    return { verdict: 'trusted', fingerprint: given, kept: this.add(given) };
  }

  /** Trusts it beside those that are trusted, and works with it; false where nothing can be kept. */
  add(fingerprint: string): boolean {
    return this.keep([fingerprint, ...this.all().filter((one) => one !== fingerprint)]);
  }

  forget(fingerprint: string): boolean {
    return this.keep(this.all().filter((one) => one !== fingerprint));
  }

  private keep(fingerprints: readonly string[]): boolean {
    if (this.shelf === null) return false;
    try {
      this.shelf.setItem(KEY, JSON.stringify(fingerprints));
      return true;
    } catch {
      return false;
    }
  }
}

/** The roots that a browser trusts for the console: nothing from outside adds any but the first. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pins, type PinStorage } from '../../src/console/pins';

const [A, B, C] = ['A', 'B', 'C'].map((letter) => `${letter.repeat(21)}A`) as [string, string, string];

class FakeStorage implements PinStorage {
  readonly kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }
}

describe('pins', () => {
  it('take the first that is given, and find it again where none is', () => {
    const pins = new Pins(new FakeStorage());
    expect(pins.judge(null)).toEqual({ verdict: 'none' });
    expect(pins.judge(A)).toEqual({ verdict: 'trusted', fingerprint: A, kept: true });
    expect(pins.judge(null)).toEqual({ verdict: 'trusted', fingerprint: A, kept: true });
    expect(pins.judge(A)).toEqual({ verdict: 'trusted', fingerprint: A, kept: true });
  });

  it('are replaced by nothing that is given later', () => {
    const pins = new Pins(new FakeStorage());
    pins.judge(A);
    expect(pins.judge(B)).toEqual({ verdict: 'another', fingerprint: B });
    expect(pins.all()).toEqual([A]);
    expect(pins.judge(null)).toEqual({ verdict: 'trusted', fingerprint: A, kept: true });
  });

  it('are a set: a second stands beside the first, and either is a way in', () => {
    const pins = new Pins(new FakeStorage());
    pins.judge(A);
    pins.add(B);
    for (const one of [A, B, A]) {
      expect(pins.judge(one)).toEqual({ verdict: 'trusted', fingerprint: one, kept: true });
      expect(pins.judge(null)).toEqual({ verdict: 'trusted', fingerprint: one, kept: true });
    }
    expect([...pins.all()].sort()).toEqual([A, B]);
    pins.forget(A);
    expect(pins.judge(A)).toEqual({ verdict: 'another', fingerprint: A });
  });

  it('grow by what a mediator adds and by the first alone, whatever comes in whatever order', () => {
    const act = fc.record({ does: fc.constantFrom('judge', 'add', 'forget'), with: fc.constantFrom(A, B, C) });
    fc.assert(
      fc.property(fc.array(act), (acts) => {
        const pins = new Pins(new FakeStorage());
        let trusted = new Set<string>();
        for (const { does, with: one } of acts) {
          if (does === 'add') trusted.add(one);
          else if (does === 'forget') trusted.delete(one);
          else if (trusted.size === 0) trusted = new Set([one]);
          if (does === 'judge') expect(pins.judge(one).verdict).toBe(trusted.has(one) ? 'trusted' : 'another');
          else pins[does](one);
          expect(new Set(pins.all())).toEqual(trusted);
        }
      }),
    );
  });

  it.each(['', 'null', '{}', '["short", 7, null]', '[', `"${A}"`])('pass over what is no list of fingerprints, as %j', (kept) => {
    const storage = new FakeStorage();
    storage.kept.set('relay-roots', kept);
    expect(new Pins(storage).all()).toEqual([]);
  });

  it('work with what is given where a browser keeps nothing, and say so', () => {
    const full: PinStorage = {
      getItem: () => null,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    for (const storage of [null, full]) {
      expect(new Pins(storage).judge(A)).toEqual({ verdict: 'trusted', fingerprint: A, kept: false });
      expect(new Pins(storage).judge(null)).toEqual({ verdict: 'none' });
    }
  });
});

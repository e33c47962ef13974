/** What the embedding page is told of the console: where it stands, what failed, counts; once, and nothing more. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Attention, Refusal, RefusalKind } from '../../src/client/contract';
import { AttentionWatch } from '../../src/console/attention';
import { failureOf, Host } from '../../src/console/host';
import { screenOf, type Screen } from '../../src/console/screens';
import { readTold, type Told } from '../../src/embed/protocol';

const ID = '0b8f9f5e-3f4b-4d1e-9a57-0d6f3f1f0c11';
const COUNTS: Attention = { waiting: 2, secondApprovals: 1, claims: 1, casesToOpen: 0 };

const SCREENS: readonly Screen[] = [
  { name: 'queue' },
  { name: 'review', message: ID },
  { name: 'captions', message: ID },
  { name: 'cases' },
  { name: 'case', case: ID, claim: ID },
  { name: 'keys' },
  { name: 'new-case' },
  { name: 'new-case', case: ID },
  { name: 'letter', case: ID },
];

function listened(): { readonly host: Host; readonly told: Told[] } {
  const told: Told[] = [];
  return { host: new Host((one) => void told.push(one)), told };
}

describe('the page around', () => {
  it('is told once that the console is ready, and then each other place once', () => {
    const { host, told } = listened();
    host.locked();
    host.locked();
    host.shows({ name: 'queue' });
    host.shows({ name: 'queue' });
    host.shows({ name: 'case', case: ID });
    host.keysLocked();
    host.locked();
    expect(told).toEqual([
      { relay: 'ready', screen: 'unlock' },
      { relay: 'navigated', screen: 'queue' },
      { relay: 'navigated', screen: 'case', case: ID },
      { relay: 'locked' },
      { relay: 'navigated', screen: 'unlock' },
    ]);
  });

  it.each(SCREENS)('understands every screen: %j', (screen) => {
    expect(screenOf({ screen })).toEqual(screen);
    const { host, told } = listened();
    host.shows(screen);
    expect(told).toHaveLength(1);
    expect(readTold(told[0])).toEqual(told[0]);
  });

  it('is told counts, and nothing that came with them', () => {
    const { host, told } = listened();
    host.counted({ ...COUNTS, reference: 'R-2030-014' } as Attention);
    expect(told).toEqual([{ relay: 'attention', ...COUNTS }]);
    expect(readTold(told[0])).toEqual(told[0]);
  });

  it('is not there where the console stands by itself', () => {
    const host = new Host(null);
    expect(() => {
      host.locked();
      host.failed('offline');
      host.counted(COUNTS);
      host.entitled('Queue');
    }).not.toThrow();
  });
});

describe('a failure', () => {
  it.each<readonly [Refusal, boolean, string | null]>([
    [{ refusal: 'offline' }, true, 'offline'],
    [{ refusal: 'busy' }, true, 'unavailable'],
    [{ refusal: 'untrusted' }, false, 'integrity'],
    [{ refusal: 'signed-out' }, true, 'wrong-credential'],
    [{ refusal: 'signed-out' }, false, 'refused-token'],
    [{ refusal: 'refused', code: 'unknown-signer' }, true, 'wrong-credential'],
    [{ refusal: 'refused', code: 'not-found', sentence: 'There is nothing here.' }, true, null],
    [{ refusal: 'wrong-passphrase' }, true, null],
    [{ refusal: 'unexpected' }, true, 'unexpected'],
  ])('of %j, unlocking: %j, is %j', (refusal, unlocking, code) => {
    expect(failureOf(refusal, unlocking)).toBe(code);
  });

  it('is told once, until something went well', () => {
    const { host, told } = listened();
    host.failed('offline');
    host.failed('offline');
    host.counted(COUNTS);
    host.failed('offline');
    host.failed('integrity');
    expect(told.map(({ relay }) => relay)).toEqual(['failed', 'attention', 'failed', 'failed']);
  });

  it('that concerns one record, or what somebody typed, is not the page’s', () => {
    const kinds: readonly RefusalKind[] = ['broken', 'not-opened', 'weak-passphrase', 'wait', 'storage-full', 'no-such-link'];
    for (const refusal of kinds) expect(failureOf({ refusal }, false)).toBeNull();
  });
});

describe('what asks for the mediator', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** The worker's side, of which a test says when something changes. */
  class Worker {
    asked = 0;
    stopped = 0;
    refusal: Refusal | null = null;
    change: (() => void) | null = null;

    watchQueue = (changed: () => void): Promise<() => Promise<void>> => {
      this.change = changed;
      return Promise.resolve(() => {
        this.stopped += 1;
        return Promise.resolve();
      });
    };

    attention = (): Promise<Attention> => {
      this.asked += 1;
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the worker rejects
      return this.refusal === null ? Promise.resolve({ ...COUNTS, waiting: this.asked }) : Promise.reject(this.refusal);
    };
  }

  function watched(): { readonly worker: Worker; readonly watch: AttentionWatch; readonly counts: Attention[]; readonly failures: Refusal[] } {
    const [worker, counts, failures] = [new Worker(), [] as Attention[], [] as Refusal[]];
    const watch = new AttentionWatch(
      worker as unknown as ConstructorParameters<typeof AttentionWatch>[0],
      (one) => void counts.push(one),
      (one) => void failures.push(one),
    );
    watch.start();
    return { worker, watch, counts, failures };
  }

  it('is counted at once, and after changes that follow each other once', async () => {
    const { worker, watch, counts } = watched();
    worker.change?.();
    await vi.advanceTimersByTimeAsync(1);
    expect(counts.map(({ waiting }) => waiting)).toEqual([1]);
    for (let change = 0; change < 20; change += 1) worker.change?.();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(worker.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(counts.map(({ waiting }) => waiting)).toEqual([1, 2]);
    watch.stop();
  });

  it('is not counted any more once the keys are locked', async () => {
    const { worker, watch, counts } = watched();
    worker.change?.();
    watch.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(counts).toEqual([]);
    expect(worker.stopped).toBe(1);
  });

  it('says why it cannot be counted', async () => {
    const { worker, watch, counts, failures } = watched();
    worker.refusal = { refusal: 'offline' };
    worker.change?.();
    await vi.advanceTimersByTimeAsync(1);
    expect([counts, failures]).toEqual([[], [{ refusal: 'offline' }]]);
    watch.stop();
  });
});

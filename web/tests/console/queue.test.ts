/** Ages, keys and choices: what a mediator is shown follows only from what relay said. */

import { describe, expect, it } from 'vitest';
import type { Action, Broken, PastDecision, State } from '../../src/client/contract';
import { ageOf, countdown } from '../../src/console/ages';
import { choicesFor, isApprovedByMe, standing, waitsForAnother } from '../../src/console/choices';
import { screenOf } from '../../src/console/screens';
import { SHORTCUTS, shortcutOf, type Pressed } from '../../src/console/shortcuts';
import { en } from '../../src/console/i18n/en';
import { fr } from '../../src/console/i18n/fr';

const NOW = Date.parse('2030-05-01T12:00:00Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;

describe('ages', () => {
  it.each([
    [0, 0, 'minutes'],
    [59 * MINUTE, 59, 'minutes'],
    [60 * MINUTE, 1, 'hours'],
    [47 * 60 * MINUTE, 47, 'hours'],
    [48 * 60 * MINUTE, 2, 'days'],
    [-5 * MINUTE, 0, 'minutes'],
  ] as const)('after %d ms are %d %s', (passed, count, unit) => {
    expect(ageOf(ago(passed), NOW)).toEqual({ count, unit });
  });

  it('count down to nothing and not below', () => {
    expect(countdown(ago(-15 * MINUTE), NOW)).toBe('15:00');
    expect(countdown(ago(-1), NOW)).toBe('0:01');
    expect(countdown(ago(MINUTE), NOW)).toBe('0:00');
  });
});

describe('shortcuts', () => {
  const press = (key: string, with_: Partial<Pressed> = {}): Pressed => ({
    key,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    repeat: false,
    defaultPrevented: false,
    ...with_,
  });
  const nowhere = { typing: false, onControl: false };

  it('are one key each, and no key has two', () => {
    expect(new Set(SHORTCUTS.map((one) => one.key)).size).toBe(SHORTCUTS.length);
    for (const { key, does } of SHORTCUTS) expect(shortcutOf(press(key), nowhere)).toBe(does);
  });

  it('never work while somebody types, nor with a key that the browser may need', () => {
    for (const { key } of SHORTCUTS) {
      expect(shortcutOf(press(key), { typing: true, onControl: false })).toBeNull();
      expect(shortcutOf(press(key, { ctrlKey: true }), nowhere)).toBeNull();
      expect(shortcutOf(press(key, { metaKey: true }), nowhere)).toBeNull();
      expect(shortcutOf(press(key, { defaultPrevented: true }), nowhere)).toBeNull();
    }
  });

  it('leave Enter to the button that has the focus', () => {
    expect(shortcutOf(press('Enter'), { typing: false, onControl: true })).toBeNull();
    expect(shortcutOf(press('j'), { typing: false, onControl: true })).toBe('next');
  });

  it('decide nothing because a key was held down', () => {
    expect(shortcutOf(press('a', { repeat: true }), nowhere)).toBeNull();
    expect(shortcutOf(press('j', { repeat: true }), nowhere)).toBe('next');
  });
});

describe('choices', () => {
  const item = (actions: readonly Action[], mine: boolean | null = null) => ({
    state: (mine === null ? 'approved' : 'claimed') as State,
    actions,
    grantAgain: false,
    recipientReady: true,
    standing: 'verified' as 'verified' | 'unverified' | 'ended' | null,
    faults: [] as readonly Broken[],
    lease: mine === null ? null : { holder: 'a', mine, expiresAt: ago(0) },
  });
  const reviewing = ['withdraw', 'lease', 'let-go', 'approve', 'caption', 'return', 'decline', 'hold'] as const satisfies readonly Action[];
  /** What a hostile relay may say, whatever the state. */
  const everything = [...reviewing, 'retry', 'resume', 'reopen', 'offer', 'grant-again', 'retract', 'recall'] as const satisfies readonly Action[];

  it('are what relay allows, in one order, and what belongs to others is none', () => {
    expect(choicesFor(item(reviewing, true))).toEqual(['approve', 'return', 'hold', 'decline', 'caption', 'let-go']);
    expect(choicesFor(item(['reopen', 'offer', 'withdraw']))).toEqual(['offer', 'reopen']);
    expect(choicesFor(item(['lease', 'withdraw']))).toEqual(['lease']);
    expect(choicesFor(item(['accept', 'open', 'submit-letter', 'lapse', 'expire']))).toEqual([]);
    expect(choicesFor(item([]))).toEqual([]);
  });

  it('know whose approval counts, and whether another one is to come', () => {
    const past = (decision: string, mine: boolean, current: boolean): PastDecision => ({
      at: ago(0),
      mediator: 'a',
      mine,
      decision,
      reason: null,
      words: null,
      wordsFault: null,
      current,
    });
    const [approved, reopened] = [past('approve', true, true), past('reopen', false, true)];
    for (const [decisions, counts] of [
      [[approved], true],
      [[past('return', false, false), approved, { fault: 'not-signed' }], true],
      [[reopened, approved, past('hold', true, true), past('resume', true, true)], true],
      [[approved, reopened], false],
      [[past('approve', true, false)], false], // of an earlier version, or before there were captions
      [[past('approve', false, true)], false],
      [[past('hold', true, true)], false],
    ] as const satisfies readonly (readonly [readonly PastDecision[], boolean])[]) {
      const of = { state: 'claimed' as State, decisions, approvals: 1, approvalsNeeded: 2 };
      expect(isApprovedByMe(of)).toBe(counts);
      expect([waitsForAnother(of), waitsForAnother({ ...of, state: 'queued' }), waitsForAnother({ ...of, state: 'held' })]).toEqual([counts, counts, false]);
      expect(waitsForAnother({ ...of, approvals: 2 })).toBe(false);
    }
  });

  it('are those of a message that waits, once a lease has run out', () => {
    const leased = item(reviewing, true); // until NOW
    expect(choicesFor(standing(leased, NOW - 1))).toContain('approve');
    expect(choicesFor(standing(leased, NOW))).toEqual(['lease']);
    expect(standing(leased, NOW)).toMatchObject({ state: 'queued', lease: null, actions: ['withdraw', 'lease'] });
    expect(choicesFor(standing(item(['withdraw'], false), NOW))).toEqual([]); // relay has to be asked again
    expect(standing({ ...leased, state: 'held' }, NOW).state).toBe('held');
  });

  it('let nothing on that may be somebody else’s, whatever relay allows', () => {
    for (const of of ['unverified', 'ended', null] as const) {
      const choices = choicesFor({ ...item(everything), grantAgain: true, standing: of });
      for (const choice of ['approve', 'offer', 'grant-again'] as const) expect(choices).not.toContain(choice);
      for (const choice of ['return', 'decline', 'hold', 'recall', 'retry'] as const) expect(choices).toContain(choice);
    }
  });

  it('let nothing on of which something does not hold, and still end it, hold it and give it back', () => {
    const faults: readonly Broken[] = [{ record: 'body', fault: 'no-key' }];
    for (const of of ['verified', null] as const) {
      expect(choicesFor({ ...item(everything), grantAgain: true, standing: of, faults })).toEqual([
        ...['lease', 'return', 'hold', 'resume', 'decline', 'caption', 'let-go', 'reopen', 'retract', 'recall'],
      ]);
    }
  });

  it('offer to nobody without keys, and grant again only where there are newer ones', () => {
    expect(choicesFor({ ...item(['offer', 'reopen']), recipientReady: false })).toEqual(['reopen']);
    expect(choicesFor({ ...item(['grant-again', 'recall']), grantAgain: true })).toEqual(['grant-again', 'recall']);
    expect(choicesFor(item(['grant-again', 'recall']))).toEqual(['recall']);
  });
});

describe('screens', () => {
  it('come from the state of the history, and from nothing else', () => {
    expect(screenOf({ screen: { name: 'review', message: 'm' } })).toEqual({ name: 'review', message: 'm' });
    expect(screenOf({ screen: { name: 'new-case' } })).toEqual({ name: 'new-case' });
    for (const other of [null, 3, {}, { screen: {} }, { screen: { name: 'review' } }, { screen: { name: 'case', case: 4 } }]) {
      expect(screenOf(other)).toBeNull();
    }
  });
});

describe('words', () => {
  it('have a sentence for every event that relay logs about a move, in both languages', () => {
    expect(Object.keys(fr.event).sort()).toEqual(Object.keys(en.event).sort());
  });

  it('use no exclamation marks, and French has its spaces and apostrophes', () => {
    const all = (catalogue: object): string[] =>
      Object.values(catalogue).flatMap((entry: unknown) =>
        typeof entry === 'string' ? [entry] : typeof entry === 'object' && entry !== null ? all(entry) : [],
      );
    for (const sentence of [...all(en), ...all(fr)]) {
      expect(sentence).not.toContain('!');
      expect(sentence).not.toContain("'");
    }
    for (const sentence of all(fr)) expect(sentence).not.toMatch(/[^\s\u00A0\u202F][?:]\s|[^\s\u00A0\u202F]\?$/);
  });
});

/** Whom a root vouches for, until when, and how roots succeed one another. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { PublicKey, Time } from '../../src/crypto/values';
import { fingerprint, Signer } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { Revocation, sign, Succession } from '../../src/crypto/statements';
import { establishTrust, isValidAt, ofRole, pinRoot } from '../../src/crypto/trust';
import { BEGAN, CHANGED, vouch } from './fixtures';
import { refusal } from './refusal';

const BEFORE = '2030-05-31T23:59:59Z';
const AFTER = '2030-06-01T00:00:01Z';

let root: Signer;
let next: Signer;
let other: Signer;

beforeAll(async () => {
  await sodiumReady();
  [root, next, other] = [Signer.generate(), Signer.generate(), Signer.generate()];
});

function succession(signer: Signer, old: Signer, to: Signer, at: Time = CHANGED): string {
  return sign(signer, Succession, { at, old: old.publicKey, new: to.publicKey });
}

function names(pinned: readonly PublicKey[], credentials: readonly string[], successions: readonly string[] = []): string[] {
  return [...establishTrust(pinned, credentials, [], successions).authorities.keys()];
}

describe('the root', () => {
  test('is the one behind the pinned fingerprint', () => {
    expect(pinRoot(fingerprint(root.publicKey), root.publicKey)).toBe(root.publicKey);
    expect(refusal(() => pinRoot(fingerprint(other.publicKey), root.publicKey))).toBe('chain');
  });

  test('vouches for each id and each key once, or for nobody', () => {
    const anna = vouch(root, 'mediator');
    const same = vouch(root, 'mediator', { credential: anna.id });
    const sameKey = vouch(root, 'recovery', { signer: anna.keys.signer.publicKey });
    for (const shared of [same, sameKey]) {
      expect(refusal(() => establishTrust([root.publicKey], [anna.compact, shared.compact]))).toBe('chain');
    }
    const renewed = vouch(root, 'mediator', { person: anna.person });
    const trust = establishTrust([root.publicKey], [anna.compact, renewed.compact]);
    expect(ofRole(trust, 'mediator').map(({ person }) => person)).toEqual([anna.person, anna.person]);
  });

  test('is not spoken for by another: what that signed is set aside', () => {
    const [anna, theirs] = [vouch(root, 'mediator'), vouch(other, 'mediator')];
    expect(names([root.publicKey], [theirs.compact, anna.compact])).toEqual([anna.id]);
    expect(names([root.publicKey, other.publicKey], [theirs.compact, anna.compact])).toEqual([theirs.id, anna.id]);
    const revocation = sign(other, Revocation, { at: BEGAN, credential: anna.id });
    expect(establishTrust([root.publicKey], [anna.compact], [revocation]).authorities.get(anna.id)?.revokedAt).toBeNull();
  });

  test('is believed of nothing that names it and does not verify', () => {
    const { compact } = vouch(root, 'mediator');
    const forged = `${compact.slice(0, -8)}${compact.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`;
    expect(refusal(() => establishTrust([root.publicKey], [forged]))).toBe('statement');
    const revocation = sign(root, Revocation, { at: BEGAN, credential: crypto.randomUUID() });
    expect(refusal(() => establishTrust([root.publicKey], [revocation]))).toBe('statement');
  });

  test('revokes after a time, and the earliest of two counts', () => {
    const anna = vouch(root, 'mediator');
    const revocations = [CHANGED, '2030-03-01T00:00:00Z'].map((at) => sign(root, Revocation, { at, credential: anna.id }));
    const authority = establishTrust([root.publicKey], [anna.compact], revocations).authorities.get(anna.id);
    if (authority === undefined) throw new Error('she is vouched for');
    const times = ['2029-12-31T23:59:59Z', BEGAN, '2030-03-01T00:00:00Z', '2030-03-01T00:00:01Z'];
    expect(times.map((at) => isValidAt(authority, at))).toEqual([false, true, true, false]);
  });
});

describe('a root that takes the place of another', () => {
  const later = { at: CHANGED, not_before: CHANGED } as const;

  test.each([
    ['whoever pinned the old one', 'old'],
    ['whoever pinned the new one', 'new'],
  ])('is led to by its own signature for %s', (_, pinned) => {
    const [before, after] = [vouch(root, 'mediator'), vouch(next, 'mediator', later)];
    const [pin, signer, stranger] = pinned === 'old' ? [root, root, next] : [next, next, root];
    const credentials = [before.compact, after.compact];
    expect(names([pin.publicKey], credentials, [succession(signer, root, next)])).toEqual([before.id, after.id]);
    // The root that is already trusted decides.
    const own = pinned === 'old' ? before.id : after.id;
    expect(names([pin.publicKey], credentials, [succession(stranger, root, next)])).toEqual([own]);
  });

  test('ends what the old one may sign, however it is told', () => {
    const [before, late] = [vouch(root, 'mediator', { at: CHANGED }), vouch(root, 'mediator', { at: AFTER })];
    const both = [succession(root, root, next), succession(next, root, next)];
    for (const pin of [root, next]) {
      expect(names([pin.publicKey], [before.compact], both)).toEqual([before.id]);
      expect(refusal(() => names([pin.publicKey], [late.compact], both))).toBe('chain');
    }
    const revocation = sign(root, Revocation, { at: AFTER, credential: before.id });
    expect(refusal(() => establishTrust([next.publicKey], [before.compact], [revocation], both))).toBe('chain');
  });

  test('ends no root that somebody pinned, unless that says so itself', () => {
    const late = vouch(root, 'mediator', { at: AFTER });
    const pins = [root.publicKey, next.publicKey];
    expect(names(pins, [late.compact], [succession(next, root, next)])).toEqual([late.id]);
    expect(refusal(() => names(pins, [late.compact], [succession(root, root, next)]))).toBe('chain');
  });

  test('revokes what the old one vouched for; no other organization does, and no root that was replaced', () => {
    const [early, late] = [vouch(root, 'mediator'), vouch(next, 'mediator')];
    const revoked = (by: Signer, pins: readonly Signer[], successions: readonly string[]) => {
      const revocations = [early, late].map(({ id }) => sign(by, Revocation, { at: BEFORE, credential: id }));
      const pinned = pins.map(({ publicKey }) => publicKey);
      const { authorities } = establishTrust(pinned, [early.compact, late.compact], revocations, successions);
      return [early, late].map(({ id }) => authorities.get(id)?.revokedAt);
    };
    const told = [succession(root, root, next)];
    expect(revoked(next, [root], told)).toEqual([BEFORE, BEFORE]);
    expect(revoked(root, [root], told)).toEqual([BEFORE, null]);
    expect(revoked(next, [root, next], [])).toEqual([null, BEFORE]);
    expect(revoked(next, [root], [])).toEqual([null, undefined]);
  });

  test('may have a successor itself, which revokes what the first one vouched for', () => {
    const [one, two, three] = [vouch(root, 'mediator'), vouch(next, 'mediator'), vouch(other, 'mediator', later)];
    const line = [succession(root, root, next), succession(next, root, next), succession(next, next, other), succession(other, next, other)];
    const all = [one, two, three].map(({ compact }) => compact);
    for (const pin of [root, next, other]) expect(names([pin.publicKey], all, line)).toHaveLength(3);
    const revocation = sign(other, Revocation, { at: CHANGED, credential: one.id });
    expect(establishTrust([root.publicKey], all, [revocation], line).authorities.get(one.id)?.revokedAt).toBe(CHANGED);
    // Without a statement by the middle one, the chain ends there.
    expect(names([root.publicKey], all, [line[0] ?? '', line[3] ?? ''])).toEqual([one.id, two.id]);
  });

  test('has one predecessor and one successor, whoever names them', () => {
    const third = Signer.generate();
    const forks: readonly (readonly [Signer, string, string])[] = [
      [root, succession(root, root, next), succession(root, root, third)],
      [root, succession(root, root, next), succession(root, root, next, BEFORE)],
      [next, succession(next, root, next), succession(root, root, next, BEFORE)],
      [root, succession(root, root, next), succession(next, third, next)],
      [next, succession(next, root, next), succession(next, third, next)],
      // Somebody who stole the old root's key names a successor of their own.
      [next, succession(next, root, next), succession(root, root, third)],
    ];
    for (const [pin, ...fork] of forks) {
      for (const told of [fork, [...fork].reverse()]) {
        expect(refusal(() => establishTrust([pin.publicKey], [], [], told))).toBe('chain');
      }
    }
    const circle = [succession(root, root, next), succession(next, next, other), succession(other, other, root)];
    for (const pin of [root, next, other]) expect(refusal(() => establishTrust([pin.publicKey], [], [], circle))).toBe('chain');
  });

  test('is named by one of the two, and by a succession', () => {
    expect(refusal(() => establishTrust([root.publicKey], [], [], [succession(root, next, other)]))).toBe('chain');
    const revocation = sign(root, Revocation, { at: BEGAN, credential: crypto.randomUUID() });
    expect(refusal(() => establishTrust([root.publicKey], [], [], [revocation]))).toBe('statement');
    expect(refusal(() => succession(root, root, root))).toBe('statement');
  });
});

/** Who opens a case, who changes it, whose keys it has, and how a reader recognizes the case of their link. */

import { beforeAll, describe, expect, test } from 'vitest';
import { HybridIdentity } from '../../src/crypto/age';
import { checkAnchor, checkIdentities, checkSeen, verifyCharter, verifyCharters, type VerifiedCharter } from '../../src/crypto/chain';
import { b64uEncode } from '../../src/crypto/encoding';
import { anchorOf } from '../../src/crypto/links';
import { fingerprint, Signer, statementHash } from '../../src/crypto/signing';
import { randomBytes, sodiumReady } from '../../src/crypto/sodium';
import type { Charter, Policy } from '../../src/crypto/statements';
import { CHANGED, CLAIRE, ENDS, vouch, type Vouched, World } from './fixtures';
import { aCase } from './samples';
import { refusal } from './refusal';

let world: World;

beforeAll(async () => {
  await sodiumReady();
  world = new World();
});

function recipient(): string {
  return HybridIdentity.generate().recipient.toString();
}

function names(people: readonly { readonly credential: string }[]): string[] {
  return people.map(({ credential }) => credential);
}

describe('the first charter', () => {
  test('gives the keys, the people and the rules of the case', () => {
    const { anna, recovery, worker } = world;
    const compact = world.charter(anna);
    const charter = verifyCharter(fingerprint(world.root.publicKey), world.root.publicKey, {
      credentials: world.everybody.map((one) => one.compact),
      registration: world.registration,
      charters: [compact],
    });
    expect([charter.case, charter.version, charter.statementHash, charter.recipient]).toEqual([aCase, 1, statementHash(compact), world.recipient]);
    expect([names(charter.mediators), names(charter.media), names(charter.recovery)]).toEqual([[anna.id], [worker.id], [recovery.id]]);
    expect([charter.recipients, charter.terms[0]?.byRecovery]).toEqual([[world.recipient], false]);
  });

  test('is signed by a mediator whom the registration lists, and names it', () => {
    const { anna, boris } = world;
    const refused = (compact: string, registration = world.registration) =>
      refusal(() => verifyCharters(world.trust(), registration, [compact]));
    expect(refused(world.charter(boris, { mediators: [anna.member, boris.member] }))).toBe('chain');
    expect(refused(world.charter(boris))).toBe('chain');
    expect(refused(world.charter(anna, { registration: b64uEncode(randomBytes(32)) }))).toBe('chain');
    expect(refused(world.charter(anna, { case: CLAIRE }))).toBe('chain');
    expect(refused(world.charter(anna), world.register(world.service, { mediators: [anna.id, boris.id] }))).toBe('chain');
    expect(refused(world.next(world.charter(anna), anna))).toBe('chain');
    const later = world.register(world.service, { at: '2030-01-01T00:10:01Z' });
    expect(refused(world.charter(anna, { registration: statementHash(later) }), later)).toBe('chain');
    expect(refusal(() => verifyCharters(world.trust(), world.registration, []))).toBe('chain');
  });

  test('lists people with their own credentials, each person once as a mediator', () => {
    const { anna, boris, worker } = world;
    const renewed = vouch(world.root, 'mediator', { person: anna.person });
    const refused = (changes: Partial<Charter>) =>
      refusal(() => verifyCharters(world.trust([renewed.compact]), world.registration, [world.charter(anna, changes)]));
    expect(refused({ mediators: [anna.member, renewed.member] })).toBe('chain');
    expect(refused({ mediators: [anna.member, worker.member], media: [] })).toBe('chain');
    expect(refused({ media: [boris.member] })).toBe('chain');
    expect(refused({ recovery: [boris.member] })).toBe('chain');
    expect(refused({ recovery: [{ ...world.recovery.member, statement: boris.member.statement }] })).toBe('chain');
  });

  test('is registered by a service, and by one of its mediators only where there was no service', () => {
    const { anna, boris, service } = world;
    const own = { mediators: [anna.id, boris.id] };
    const opened = (registration: string, without: readonly Vouched[]) =>
      verifyCharters(world.trust([], [], without), registration, [world.charter(anna, { registration: statementHash(registration) })]).version;
    expect(opened(world.register(anna, own), [service])).toBe(1);
    expect(refusal(() => opened(world.register(anna, own), []))).toBe('chain');
    expect(refusal(() => opened(world.register(boris), [service]))).toBe('chain');
    expect(refusal(() => opened(world.register(world.worker), [service]))).toBe('chain');
    // A service added later invalidates nothing that was valid before.
    const late = vouch(world.root, 'service', { at: CHANGED, not_before: CHANGED });
    const trust = world.trust([late.compact], [], [service]);
    const registration = world.register(anna);
    expect(verifyCharters(trust, registration, [world.charter(anna, { registration: statementHash(registration) })]).version).toBe(1);
  });
});

describe('a later charter', () => {
  test('is signed by a mediator or a recovery key of the version before, in order', () => {
    const { anna, boris, recovery, worker, service } = world;
    const first = world.charter(anna);
    const both = { mediators: [anna.member, boris.member] };
    expect(world.verified(first, world.next(first, anna, both)).version).toBe(2);
    const recovered = world.verified(first, world.next(first, recovery, both));
    expect(recovered.terms.map(({ byRecovery, signedBy }) => [byRecovery, signedBy.credential])).toEqual([
      [false, anna.id],
      [true, recovery.id],
    ]);
    const bad = [
      world.next(first, boris, both),
      world.next(first, worker, both),
      world.next(first, service, both),
      world.next(first, anna, { ...both, version: 3 }),
      world.next(first, anna, { ...both, previous: b64uEncode(randomBytes(32)) }),
      world.next(first, anna, { ...both, case: CLAIRE }),
      world.next(first, anna, { ...both, at: '2029-12-31T23:59:59Z' }),
    ];
    for (const second of bad) expect(refusal(() => world.verified(first, second))).toBe('chain');
  });

  test('never asks for fewer approvals', () => {
    const policy: Policy = { approvals: 2, captions: 'optional', server_processing: true, retention_days: 30 };
    const first = world.charter(world.anna, { policy });
    expect(refusal(() => world.verified(first, world.next(first, world.anna, { policy: { ...policy, approvals: 1 } })))).toBe('chain');
  });

  test('takes a new identity where somebody who could read leaves, and never one that the case had before', () => {
    const { anna, boris, recovery, worker } = world;
    const both = { mediators: [anna.member, boris.member] };
    const first = world.charter(anna, both);
    const without: Partial<Charter>[] = [
      { mediators: [anna.member] },
      { mediators: [boris.member] },
      { ...both, recovery: [] },
      { mediators: [anna.member], recovery: [], media: [] },
    ];
    for (const changes of without) {
      expect(refusal(() => world.verified(first, world.next(first, anna, changes)))).toBe('chain');
      expect(world.verified(first, world.next(first, anna, { ...changes, recipient: recipient() })).version).toBe(2);
    }
    // A media worker has no identity of the case, and somebody added has no earlier one to lose.
    expect(world.verified(first, world.next(first, anna, { ...both, media: [] })).recipient).toBe(world.recipient);
    const fresh = recipient();
    const second = world.next(first, anna, { ...both, recipient: fresh });
    const back = world.next(second, anna, { ...both, version: 3, recipient: world.recipient });
    expect(refusal(() => world.verified(first, second, back))).toBe('chain');
    const third = world.next(second, anna, { ...both, version: 3, recipient: fresh, media: [worker.member], recovery: [recovery.member] });
    expect(world.verified(first, second, third).recipients).toEqual([fresh, world.recipient]);
  });

  test('ends the term of the one before, give or take ten minutes', () => {
    const { anna, boris } = world;
    const first = world.charter(anna);
    const second = world.next(first, anna, { mediators: [boris.member], recipient: recipient() });
    const charter = world.verified(first, second);
    const [one, two] = [statementHash(first), statementHash(second)];
    expect(charter.requireVersion(one, '2030-06-01T00:09:59Z').version).toBe(1);
    expect(charter.requireVersion(two, '2030-05-31T23:50:00Z').version).toBe(2);
    for (const [named, at] of [
      [one, '2030-06-01T00:10:00Z'],
      [one, '2029-12-31T23:49:59Z'],
      [two, '2030-05-31T23:49:59Z'],
      [b64uEncode(randomBytes(32)), CHANGED],
    ] as const) {
      expect(refusal(() => charter.requireVersion(named, at))).toBe('chain');
    }
    expect(names(charter.mediators)).toEqual([boris.id]);
  });
});

test('a video is sealed for workers only where the policy lets servers process it', () => {
  const { anna, worker } = world;
  const open = world.verified(world.charter(anna));
  expect(names(open.mediaAt(CHANGED))).toEqual([worker.id]);
  expect([open.mediaAt(ENDS), open.mediatorsAt(ENDS)]).toEqual([[], []]);
  const policy: Policy = { approvals: 1, captions: 'optional', server_processing: false, retention_days: 30 };
  expect(world.verified(world.charter(anna, { policy })).mediaAt(CHANGED)).toEqual([]);
});

describe('a reader', () => {
  let first: string;
  let second: string;
  let charter: VerifiedCharter;

  beforeAll(() => {
    first = world.charter(world.anna);
    second = world.next(first, world.anna, { mediators: [world.anna.member, world.boris.member] });
    charter = world.verified(first, second);
  });

  test('is led to one case: that of a charter whose hash the link begins', () => {
    for (const compact of [first, second]) checkAnchor(charter, anchorOf(statementHash(compact)));
    expect(refusal(() => checkAnchor(charter, b64uEncode(randomBytes(16))))).toBe('chain');
    const prefix = b64uEncode(Uint8Array.from(Buffer.from(statementHash(first), 'base64url')).subarray(0, 12));
    for (const short of ['', prefix]) expect(refusal(() => checkAnchor(charter, short))).toBe('chain');
    const elsewhere = new World();
    expect(refusal(() => checkAnchor(elsewhere.verified(elsewhere.charter(elsewhere.anna)), anchorOf(statementHash(first))))).toBe('chain');
  });

  test('takes no charter that does not extend what they saw', () => {
    const seen = new Map(charter.terms.map(({ version, statementHash: hash }) => [version, hash]));
    checkSeen(charter, seen);
    checkSeen(charter, new Map());
    expect(refusal(() => checkSeen(world.verified(first), seen))).toBe('chain');
    const fork = world.next(first, world.anna, { media: [] });
    expect(refusal(() => checkSeen(world.verified(first, fork), seen))).toBe('chain');
    // Also if the fork is longer than what was seen.
    const longer = world.next(fork, world.anna, { version: 3, media: [] });
    expect(refusal(() => checkSeen(world.verified(first, fork, longer), seen))).toBe('chain');
  });

  test('opens with the identities that the charters name, in their order, and no others', () => {
    const fresh = recipient();
    const renewed = world.verified(first, world.next(first, world.anna, { recipient: fresh }));
    checkIdentities(renewed, [fresh, world.recipient]);
    for (const bad of [[], [fresh], [world.recipient, fresh], [fresh, world.recipient, recipient()], [recipient(), world.recipient]]) {
      expect(refusal(() => checkIdentities(renewed, bad))).toBe('chain');
    }
  });
});

test('a root that is no key is refused, whatever its fingerprint', () => {
  const point = b64uEncode(Uint8Array.from({ length: 32 }, (_, place) => Number(place === 0)));
  const given = { credentials: [], registration: world.registration, charters: [] };
  expect(refusal(() => verifyCharter(fingerprint(point), point, given))).toBe('key');
  expect(refusal(() => verifyCharter(fingerprint(Signer.generate().publicKey), world.root.publicKey, given))).toBe('chain');
});

/** Who counts when: credentials, revocations, terms of a charter, words that a mediator wrote down, and notes. */

import { beforeAll, describe, expect, test } from 'vitest';
import { HybridIdentity } from '../../src/crypto/age';
import { verifyCharters, type VerifiedCharter, verifyMessage, verifyRelayedMessage } from '../../src/crypto/chain';
import { b64uEncode } from '../../src/crypto/encoding';
import type { Time, Uuid } from '../../src/crypto/fields';
import { item, partOf, releasableParts } from '../../src/crypto/release';
import { fingerprint, Signer, statementHash } from '../../src/crypto/signing';
import { randomBytes, sodiumReady } from '../../src/crypto/sodium';
import { Charter, Credential, Message, Revocation, type Role, sign } from '../../src/crypto/statements';
import { establishTrust, isValidAt, pinRoot } from '../../src/crypto/trust';
import { aCase, aPart } from './people';
import { refusal } from './refusal';

const ANNA = 'cb46f721-9542-4779-8e2e-e94d8e80ccde';
const BORIS = '4f1c2672-3db0-4adb-b5f1-4776d5a6c377';
const CLAIRE = '38af30fc-8f34-49af-a20b-b070b5316a2d';
const DENIS = '2397bf36-b077-49db-b396-1e23fcac86fe';
const BEGAN = '2030-01-01T00:00:00Z';
const CHANGED = '2030-06-01T00:00:00Z';

let root: Signer;
let anna: Signer;
let boris: Signer;
let recipient: string;

beforeAll(async () => {
  await sodiumReady();
  [root, anna, boris] = [Signer.generate(), Signer.generate(), Signer.generate()];
  recipient = HybridIdentity.generate().recipient.toString();
});

function vouched(credential: Uuid, signer: Signer, by = root, role: Role = 'mediator'): string {
  return sign(by, Credential, {
    at: BEGAN,
    credential,
    role,
    recipient,
    signer: signer.publicKey,
    not_before: BEGAN,
    not_after: '2031-01-01T00:00:00Z',
  });
}

function charter(by: Signer, changes: Partial<Charter>, members: readonly (readonly [Uuid, string])[]): string {
  return sign(by, Charter, {
    at: BEGAN,
    case: aCase,
    version: 1,
    previous: null,
    recipient,
    mediators: members.map(([credential, compact]) => ({ credential, statement: statementHash(compact) })),
    media: [],
    policy: { approvals: 1, captions: 'optional', server_processing: true, retention_days: 30 },
    ...changes,
  });
}

function aLetter(at: Time): Message {
  return {
    at,
    case: aCase,
    message: BORIS,
    revision: 1,
    supersedes: null,
    from: CLAIRE,
    to: DENIS,
    kind: 'letter',
    language: 'en',
    parts: [aPart('body'), aPart('note')],
  };
}

/** A case that Anna opened and that Boris took over from her. */
function handedOver(): VerifiedCharter {
  const [hers, his] = [vouched(ANNA, anna), vouched(BORIS, boris)];
  const first = charter(anna, {}, [[ANNA, hers]]);
  const second = charter(anna, { at: CHANGED, version: 2, previous: statementHash(first) }, [[BORIS, his]]);
  return verifyCharters(establishTrust([root.publicKey], [hers, his]), [first, second]);
}

describe('the root', () => {
  test('is the one behind the pinned fingerprint', () => {
    expect(pinRoot(fingerprint(root.publicKey), root.publicKey)).toBe(root.publicKey);
    expect(refusal(() => pinRoot(fingerprint(anna.publicKey), root.publicKey))).toBe('chain');
  });

  test('vouches alone: anything by another, or shared by two, makes the whole set untrusted', () => {
    const hers = vouched(ANNA, anna);
    const revocation = sign(anna, Revocation, { at: BEGAN, credential: BORIS });
    expect(refusal(() => establishTrust([root.publicKey], [hers, vouched(BORIS, boris, anna)]))).toBe('chain');
    expect(refusal(() => establishTrust([root.publicKey], [hers, vouched(BORIS, anna)]))).toBe('chain');
    expect(refusal(() => establishTrust([root.publicKey], [hers, vouched(ANNA, boris)]))).toBe('chain');
    expect(refusal(() => establishTrust([root.publicKey], [hers], [revocation]))).toBe('chain');
  });

  test('revokes from a time on, and the earliest of two counts', () => {
    const revocations = [CHANGED, '2030-03-01T00:00:00Z'].map((at) => sign(root, Revocation, { at, credential: ANNA }));
    const authority = establishTrust([root.publicKey], [vouched(ANNA, anna)], revocations).authorities.get(ANNA);
    if (authority === undefined) throw new Error('she is vouched for');
    const times = ['2029-12-31T23:59:59Z', BEGAN, '2030-02-28T23:59:59Z', '2030-03-01T00:00:00Z'];
    expect(times.map((at) => isValidAt(authority, at))).toEqual([false, true, true, false]);
  });
});

describe('a mediator who left', () => {
  test('is believed for what they signed while they served, give or take five minutes, and not after', () => {
    const verified = handedOver();
    for (const at of [BEGAN, '2030-06-01T00:04:59Z']) {
      const { statement, by } = verifyRelayedMessage(sign(anna, Message, aLetter(at)), verified, CLAIRE);
      expect([statement.at, by.credential]).toEqual([at, ANNA]);
    }
    const late = sign(anna, Message, aLetter('2030-06-01T00:05:00Z'));
    expect(refusal(() => verifyRelayedMessage(late, verified, CLAIRE))).toBe('chain');
    const early = sign(boris, Message, aLetter('2030-05-31T23:54:59Z'));
    expect(refusal(() => verifyRelayedMessage(early, verified, CLAIRE))).toBe('chain');
    expect(verified.mediators.map(({ credential }) => credential)).toEqual([BORIS]);
  });

  test('wrote down letters, and never recorded a video for somebody else', () => {
    const letter = sign(anna, Message, aLetter(BEGAN));
    expect(verifyRelayedMessage(letter, handedOver(), CLAIRE).statement.kind).toBe('letter');
    const video = sign(anna, Message, { ...aLetter(BEGAN), kind: 'video', parts: [aPart('original')] });
    expect(refusal(() => verifyRelayedMessage(video, handedOver(), CLAIRE))).toBe('chain');
  });
});

describe('a charter', () => {
  test('is changed by a mediator of the version before, in order, and never to fewer approvals', () => {
    const [hers, his] = [vouched(ANNA, anna), vouched(BORIS, boris)];
    const trust = establishTrust([root.publicKey], [hers, his]);
    const policy = { approvals: 2, captions: 'optional', server_processing: false, retention_days: 30 } as const;
    const first = charter(anna, { policy }, [[ANNA, hers]]);
    const next = { at: CHANGED, version: 2, previous: statementHash(first), policy };
    const both = [[ANNA, hers], [BORIS, his]] as const;
    expect(verifyCharters(trust, [first, charter(anna, next, both)]).version).toBe(2);
    const bad = [
      charter(boris, next, both),
      charter(anna, { ...next, version: 3 }, both),
      charter(anna, { ...next, previous: b64uEncode(randomBytes(32)) }, both),
      charter(anna, { ...next, case: CLAIRE }, both),
      charter(anna, { ...next, policy: { ...policy, approvals: 1 } }, both),
      charter(anna, next, [[ANNA, his]]),
    ];
    for (const second of bad) expect(refusal(() => verifyCharters(trust, [first, second]))).toBe('chain');
    expect(refusal(() => verifyCharters(trust, []))).toBe('chain');
  });

  test('has a video sealed for workers only where the policy lets servers process it', () => {
    const worker = Signer.generate();
    const [hers, its] = [vouched(ANNA, anna), vouched(BORIS, worker, root, 'media')];
    const trust = establishTrust([root.publicKey], [hers, its]);
    const media = [{ credential: BORIS, statement: statementHash(its) }];
    const open = verifyCharters(trust, [charter(anna, { media }, [[ANNA, hers]])]);
    expect(open.mediaAt(CHANGED).map(({ credential }) => credential)).toEqual([BORIS]);
    expect(open.mediaAt('2031-01-01T00:00:00Z')).toEqual([]);
    const policy = { approvals: 1, captions: 'optional', server_processing: false, retention_days: 30 } as const;
    expect(verifyCharters(trust, [charter(anna, { media, policy }, [[ANNA, hers]])]).mediaAt(CHANGED)).toEqual([]);
    expect(refusal(() => verifyCharters(trust, [charter(anna, {}, [[BORIS, its]])]))).toBe('chain');
  });
});

describe('a message', () => {
  test('is of the case and the sender that it is asked for as', () => {
    const signer = Signer.generate();
    const compact = sign(signer, Message, aLetter(BEGAN));
    expect(verifyMessage(compact, aCase, CLAIRE, signer.publicKey).from).toBe(CLAIRE);
    expect(refusal(() => verifyMessage(compact, ANNA, CLAIRE, signer.publicKey))).toBe('chain');
    expect(refusal(() => verifyMessage(compact, aCase, DENIS, signer.publicKey))).toBe('chain');
    expect(refusal(() => verifyMessage(compact, aCase, CLAIRE, anna.publicKey))).toBe('statement');
  });

  test('is released without the note that says who assisted', () => {
    const statement = aLetter(BEGAN);
    const of = item({ statement, compact: sign(anna, Message, statement) });
    expect(releasableParts(of).map(({ role }) => role)).toEqual(['body']);
    expect(statement.parts.map((part) => partOf(of, part.commit)?.role)).toEqual(['body', undefined]);
  });
});

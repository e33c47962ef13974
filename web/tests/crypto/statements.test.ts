/** Rules of statements that the shared vectors do not cover: which parts belong where, and what a signer refuses. */

import { beforeAll, describe, expect, test } from 'vitest';
import { Signer } from '../../src/crypto/signing';
import { randomBytes, sodiumReady } from '../../src/crypto/sodium';
import { b64uEncode } from '../../src/crypto/encoding';
import { timeOf } from '../../src/crypto/fields';
import { Charter, Consent, Credential, decodeUnverified, Decision, Link, Message, Offer, Registration, sign, verify } from '../../src/crypto/statements';
import { HybridIdentity } from '../../src/crypto/age';
import { A_NONCE, aCase, aPart } from './samples';
import { refusal } from './refusal';

const AT = '2030-01-31T23:59:59Z';
const ONE = '38af30fc-8f34-49af-a20b-b070b5316a2d';
const OTHER = '2397bf36-b077-49db-b396-1e23fcac86fe';

beforeAll(sodiumReady);

function aMessage(changes: Partial<Message>): Message {
  return {
    at: AT,
    nonce: A_NONCE,
    case: aCase,
    charter: b64uEncode(randomBytes(32)),
    message: '4f1c2672-3db0-4adb-b5f1-4776d5a6c377',
    revision: 1,
    supersedes: null,
    from: ONE,
    to: OTHER,
    kind: 'letter',
    language: 'fr',
    parts: [aPart('body')],
    ...changes,
  };
}

describe('a message', () => {
  test.each([
    ['letter', ['body']],
    ['letter', ['body', 'note']],
    ['video', ['original']],
    ['video', ['original', 'body', 'captions', 'note']],
  ] as const)('a %s may have %s', (kind, roles) => {
    const signer = Signer.generate();
    const message = aMessage({ kind, parts: roles.map((role) => aPart(role)) });
    expect(verify(sign(signer, Message, message), Message, signer.publicKey)).toEqual(message);
  });

  test.each([
    ['letter', []],
    ['letter', ['note']],
    ['letter', ['body', 'body']],
    ['letter', ['body', 'note', 'note']],
    ['letter', ['body', 'captions']],
    ['letter', ['body', 'original']],
    ['video', ['body']],
    ['video', ['original', 'original']],
    ['video', ['original', 'note', 'note']],
    ['video', ['original', 'rendition']],
    ['video', ['original', 'poster']],
  ] as const)('a %s may not have %s', (kind, roles) => {
    const message = aMessage({ kind, parts: roles.map((role) => aPart(role)) });
    expect(refusal(() => sign(Signer.generate(), Message, message))).toBe('statement');
  });

  test('names the revision before exactly if there is one, and is not to its own sender', () => {
    const before = b64uEncode(randomBytes(32));
    expect(Message.read(aMessage({ revision: 2, supersedes: before })).revision).toBe(2);
    for (const bad of [{ revision: 2 }, { supersedes: before }, { to: ONE }, { revision: 0 }, { language: 'de' as 'en' }]) {
      expect(refusal(() => Message.read(aMessage(bad)))).toBe('statement');
    }
  });

  test('has no two parts of one file key, nor a part whose size or segments cannot be', () => {
    const part = aPart('body');
    const bad = [
      [part, { ...aPart('note'), commit: part.commit }],
      [{ ...part, size: 31 }],
      [{ ...part, segments: [] }],
      [{ ...part, segments: [...part.segments, ...part.segments] }],
    ];
    for (const parts of bad) expect(refusal(() => Message.read(aMessage({ parts })))).toMatch(/statement|payload/);
  });
});

test('an offer rests on two consents, and has at most a content note and a summary', () => {
  const notes = [aPart('note'), aPart('note'), aPart('note')];
  const offer = {
    at: AT,
    nonce: A_NONCE,
    case: aCase,
    charter: b64uEncode(randomBytes(32)),
    message: ONE,
    revision: 1,
    source: b64uEncode(randomBytes(32)),
    rendition: null,
    captions: null,
    recipient: HybridIdentity.generate().recipient.toString(),
    claim: b64uEncode(randomBytes(32)),
    consents: [b64uEncode(randomBytes(32)), b64uEncode(randomBytes(32))],
    grants: [{ commit: b64uEncode(randomBytes(32)), header: b64uEncode(randomBytes(32)) }],
    notes: notes.slice(0, 2),
    not_before: null,
  };
  expect(Offer.read(offer)).toEqual(offer);
  for (const consents of [[], offer.consents.slice(1), [...offer.consents, ...offer.consents], [offer.consents[0], offer.consents[0]]]) {
    expect(refusal(() => Offer.read({ ...offer, consents }))).toBe('statement');
  }
  expect(refusal(() => Offer.read({ ...offer, notes }))).toBe('statement');
  expect(refusal(() => Offer.read({ ...offer, grants: [] }))).toBe('statement');
  expect(refusal(() => Offer.read({ ...offer, grants: [...offer.grants, ...offer.grants] }))).toBe('statement');
  expect(refusal(() => Offer.read({ ...offer, notes: [aPart('body')] }))).toBe('statement');
});

describe('a credential', () => {
  const recipient = (): string => HybridIdentity.generate().recipient.toString();
  const credential = { at: AT, nonce: A_NONCE, credential: ONE, person: OTHER, not_before: AT, not_after: '2031-01-31T23:59:59Z' };

  test('has a signer in every role, and a recipient in every role that reads', () => {
    const signer = Signer.generate().publicKey;
    for (const role of ['mediator', 'media', 'recovery']) {
      const given = { ...credential, role, recipient: recipient(), signer };
      expect(Credential.read(given)).toEqual(given);
      expect(refusal(() => Credential.read({ ...given, signer: null }))).toBe('statement');
      expect(refusal(() => Credential.read({ ...given, recipient: null }))).toBe('statement');
    }
    const service = { ...credential, role: 'service', recipient: null, signer };
    expect(Credential.read(service).role).toBe('service');
    expect(refusal(() => Credential.read({ ...service, recipient: recipient() }))).toBe('statement');
    expect(refusal(() => Credential.read({ ...service, not_after: AT }))).toBe('statement');
  });
});

test('a registration lists a mediator, and nobody twice', () => {
  const registration = { at: AT, nonce: A_NONCE, case: aCase, mediators: [ONE, OTHER] };
  expect(Registration.read(registration)).toEqual(registration);
  for (const mediators of [[], [ONE, ONE]]) expect(refusal(() => Registration.read({ ...registration, mediators }))).toBe('statement');
});

test('the first charter names its registration, a later one the version before, and each lists nobody twice', () => {
  const hash = (): string => b64uEncode(randomBytes(32));
  const member = (credential: string) => ({ credential, statement: hash() });
  const first = {
    at: AT,
    nonce: A_NONCE,
    case: aCase,
    version: 1,
    registration: hash(),
    previous: null,
    recipient: HybridIdentity.generate().recipient.toString(),
    mediators: [member(ONE)],
    media: [],
    recovery: [member(OTHER)],
    policy: { approvals: 1, captions: 'required', server_processing: true, retention_days: 30 },
  };
  expect(Charter.read(first)).toEqual(first);
  const later = { ...first, version: 2, registration: null, previous: hash() };
  expect(Charter.read(later)).toEqual(later);
  const bad = [
    { ...first, registration: null },
    { ...first, previous: hash() },
    { ...later, previous: null },
    { ...later, registration: hash() },
    { ...first, mediators: [] },
    { ...first, media: [member(ONE)] },
    { ...first, media: [member(OTHER)] },
    { ...first, recovery: [member(ONE)] },
  ];
  for (const given of bad) expect(refusal(() => Charter.read(given))).toBe('statement');
});

test('an upload link has a signer and an end, and one to come in by a sealed claim key', () => {
  const hash = (): string => b64uEncode(randomBytes(32));
  const link = { at: AT, nonce: A_NONCE, link: ONE, case: aCase, charter: hash(), participant: OTHER, auth: hash() };
  const upload = { ...link, purpose: 'upload', signer: hash(), sealed: null, expires: AT };
  const participate = { ...link, purpose: 'participate', signer: null, sealed: hash(), expires: null };
  for (const good of [upload, participate, { ...participate, expires: AT }]) expect(Link.read(good).purpose).toBe(good.purpose);
  const bad = [
    { ...upload, signer: null },
    { ...upload, sealed: hash() },
    { ...upload, expires: null },
    { ...participate, signer: hash() },
    { ...participate, sealed: null },
    { ...participate, charter: null },
  ];
  for (const given of bad) expect(refusal(() => Link.read(given))).toBe('statement');
});

test.each(['return', 'decline', 'hold'])('a %s has a reason', (decision) => {
  const given = {
    at: AT,
    nonce: A_NONCE,
    case: aCase,
    message: ONE,
    revision: 1,
    source: b64uEncode(randomBytes(32)),
    rendition: null,
    captions: null,
    decision,
    reason: null,
    notes: [],
  };
  expect(refusal(() => Decision.read(given))).toBe('statement');
  expect(Decision.read({ ...given, reason: 'too-long' }).reason).toBe('too-long');
});

test('two that say the same in the same second are two', () => {
  const signer = Signer.generate();
  const said = { at: AT, case: aCase, participant: ONE, status: 'paused' } as const;
  expect(sign(signer, Consent, said)).not.toBe(sign(signer, Consent, said));
});

test.each(['', 'A'.repeat(21), `${'A'.repeat(21)}B`, 'A'.repeat(23), '='.repeat(22)])('"%s" is no nonce', (nonce) => {
  const said = { at: AT, nonce, case: aCase, participant: ONE, status: 'paused' } as const;
  expect(refusal(() => sign(Signer.generate(), Consent, said))).toBe('statement');
});

test('members given in another order are signed in the one order', () => {
  const signer = Signer.generate();
  const shuffled = { status: 'paused', participant: ONE, case: aCase, at: AT } as const;
  const compact = sign(signer, Consent, shuffled);
  expect(Object.keys(decodeUnverified(compact, Consent))).toEqual(['at', 'nonce', 'case', 'participant', 'status']);
});

test.each(['2030-02-30T00:00:00Z', '2030-01-31T24:00:00Z', '2030-01-31T23:59:60Z', '0000-01-01T00:00:00Z', '2030-01-31 23:59:59Z', '2030-01-31T23:59:59.0Z', '2030-01-31T23:59:59+00:00', '2030-1-31T23:59:59Z'])(
  'a time that is none or has another spelling is refused: %s',
  (at) => {
    expect(refusal(() => Consent.read({ at, case: aCase, participant: ONE, status: 'active' }))).toBe('statement');
  },
);

test('now is said in whole seconds', () => {
  expect(timeOf(new Date('2030-01-31T23:59:59.999Z'))).toBe(AT);
});

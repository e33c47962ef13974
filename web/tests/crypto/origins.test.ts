/** A participant's origin: links, claims, verifications and endings, and how far what came through them counts. */

import { beforeAll, describe, expect, test } from 'vitest';
import { HybridIdentity } from '../../src/crypto/age';
import {
  checkClaimMac,
  checkLinkSecret,
  checkSealedClaimKey,
  verifyCharters,
  verifyClaim,
  verifyConsent,
  verifyEnding,
  verifyLink,
  verifyMessage,
  verifyOrigin,
  verifyParticipant,
  verifyRelayedMessage,
  type VerifiedCharter,
} from '../../src/crypto/chain';
import { b64uEncode } from '../../src/crypto/encoding';
import type { Digest, Time } from '../../src/crypto/values';
import { generateKeyring } from '../../src/crypto/keyrings';
import { LinkSecret } from '../../src/crypto/links';
import { statementHash } from '../../src/crypto/signing';
import { randomBytes, sha256, sodiumReady } from '../../src/crypto/sodium';
import { Message, Revocation, sign } from '../../src/crypto/statements';
import { aLetter, BEGAN, CHANGED, CLAIRE, claimOf, DENIS, type WayIn, World } from './fixtures';
import { aPart } from './samples';
import { refusal } from './refusal';

const EARLIER = '2030-05-31T23:59:59Z';
const AFTER = '2030-06-01T00:00:01Z';
const LATER = '2030-07-01T00:00:00Z';

let world: World;
let first: string;
let named: Digest;
let charter: VerifiedCharter;
let claire: WayIn;

beforeAll(async () => {
  await sodiumReady();
  world = new World();
  first = world.charter(world.anna);
  named = statementHash(first);
  charter = world.verified(first);
  claire = world.wayIn(first, CLAIRE);
});

/** A case that Anna opened and that Boris took over from her. */
function handedOver(): VerifiedCharter {
  const recipient = HybridIdentity.generate().recipient.toString();
  return world.verified(first, world.next(first, world.anna, { mediators: [world.boris.member], recipient }));
}

describe('a link', () => {
  test('is made by a mediator of the case or by a service, under a charter of the time', () => {
    const { anna, boris, recovery, service, worker } = world;
    for (const by of [anna, service]) {
      const { compact } = world.link(first, CLAIRE, {}, by);
      expect(verifyLink(compact, charter).by.credential).toBe(by.id);
    }
    for (const by of [boris, recovery, worker]) {
      expect(refusal(() => verifyLink(world.link(first, CLAIRE, {}, by).compact, charter))).toBe('chain');
    }
    expect(refusal(() => verifyLink(world.link(first, CLAIRE, { case: DENIS }).compact, charter))).toBe('chain');
    expect(refusal(() => verifyLink(world.link(first, CLAIRE, { charter: b64uEncode(randomBytes(32)) }).compact, charter))).toBe('chain');
    // A service that is listed nowhere still has to name the charter of the time.
    const late = world.link(first, CLAIRE, { at: LATER }, service).compact;
    expect(refusal(() => verifyLink(late, handedOver()))).toBe('chain');
  });

  test('belongs to its secret, and to the sealed claim key that it names', () => {
    const { link, secret } = claire;
    checkLinkSecret(link, secret);
    expect(refusal(() => checkLinkSecret(link, LinkSecret.generate()))).toBe('link');
    const upload = world.link(first, CLAIRE, { purpose: 'upload' });
    checkLinkSecret(upload.link, upload.secret);
    const foreign = { ...upload.link, signer: generateKeyring().signer.publicKey };
    expect(refusal(() => checkLinkSecret(foreign, upload.secret))).toBe('link');
    const sealed = randomBytes(40);
    checkSealedClaimKey({ ...link, sealed: b64uEncode(sha256(sealed)) }, sealed);
    expect(refusal(() => checkSealedClaimKey(link, sealed))).toBe('link');
    expect(refusal(() => checkSealedClaimKey(upload.link, sealed))).toBe('link');
  });
});

describe('a claim', () => {
  test('is of its link, signed by the key it brings, and made with the claim key', () => {
    const { keys, link, secret } = claire;
    const claim = verifyClaim(claire.claim, link);
    checkClaimMac(claim, secret.claimKey(link.link));
    expect(refusal(() => checkClaimMac(claim, LinkSecret.generate().claimKey(link.link)))).toBe('link');
    const other = world.link(first, CLAIRE);
    expect(refusal(() => verifyClaim(claire.claim, other.link))).toBe('link');
    expect(refusal(() => verifyClaim(claimOf(link, secret, keys, { participant: DENIS }), link))).toBe('link');
    expect(refusal(() => verifyClaim(claimOf(link, secret, keys, { signer: generateKeyring().signer.publicKey }), link))).toBe('statement');
    const upload = world.link(first, CLAIRE, { purpose: 'upload' });
    expect(refusal(() => verifyClaim(claimOf(upload.link, upload.secret, keys), upload.link))).toBe('link');
    expect(verifyClaim(claimOf(link, secret, keys, { at: '2029-12-31T23:50:00Z' }), link).at).toBe('2029-12-31T23:50:00Z');
    expect(refusal(() => verifyClaim(claimOf(link, secret, keys, { at: '2029-12-31T23:49:59Z' }), link))).toBe('chain');
  });
});

describe('a way in', () => {
  test('is made of one link, at most one claim, and what was said of them', () => {
    const { claim, link, linkCompact, verification } = claire;
    const origin = verifyOrigin([verification, claim, linkCompact], charter);
    expect([origin.participant, origin.signer, origin.claimHash, origin.verifiedAt, origin.verifiedBy?.credential, origin.endedAt]).toEqual([
      CLAIRE,
      claire.keys.signer.publicKey,
      statementHash(claim),
      BEGAN,
      world.anna.id,
      null,
    ]);
    const other = world.wayIn(first, CLAIRE);
    const consent = world.consent(claire.keys.signer, CLAIRE);
    const bad = [
      [],
      [claim, verification],
      [linkCompact],
      [linkCompact, linkCompact, claim],
      [linkCompact, claim, claim],
      [linkCompact, claim, other.verification],
      [linkCompact, verification],
      [linkCompact, claim, verification, consent],
      [linkCompact, claim, world.ending(other.link)],
    ];
    for (const compacts of bad) expect(refusal(() => verifyOrigin(compacts, charter))).toBe('chain');
    expect(refusal(() => verifyOrigin([linkCompact, other.claim], charter))).toBe('link');
    const said = world.verification(claim, CLAIRE, claire.keys);
    expect(verifyOrigin([linkCompact, claim, said], charter).verifiedAt).toBe(link.at);
  });

  test.each([
    ['participant', { participant: DENIS }],
    ['case', { case: DENIS }],
    ['recipient', {}],
  ] as const)('is not verified by what says another %s', (what, changes) => {
    const keys = what === 'recipient' ? generateKeyring() : claire.keys;
    const verification = world.verification(claire.claim, CLAIRE, keys, changes);
    expect(refusal(() => verifyOrigin([claire.linkCompact, claire.claim, verification], charter))).toBe('chain');
  });

  test('is verified by a mediator of the time alone', () => {
    for (const by of [world.boris, world.service, world.worker, world.recovery]) {
      const verification = world.verification(claire.claim, CLAIRE, claire.keys, {}, by);
      expect(refusal(() => verifyOrigin([claire.linkCompact, claire.claim, verification], charter))).toBe('chain');
    }
  });

  test('ends by the word of a mediator or a service, about this very link', () => {
    const { link } = claire;
    for (const by of [world.anna, world.service]) expect(verifyEnding(world.ending(link, {}, by), charter, link).at).toBe(CHANGED);
    for (const by of [world.boris, world.worker, world.recovery]) {
      expect(refusal(() => verifyEnding(world.ending(link, {}, by), charter, link))).toBe('chain');
    }
    for (const changes of [{ link: DENIS }, { case: DENIS }, { participant: DENIS }, { at: '2029-12-31T23:49:59Z' }]) {
      expect(refusal(() => verifyEnding(world.ending(link, changes), charter, link))).toBe('chain');
    }
  });
});

describe('what came through a claimed link', () => {
  const standing = (said: { verifiedAt?: Time; endings?: readonly string[] }, at: Time) => {
    const { claim, keys, linkCompact } = claire;
    const { endings = [], verifiedAt } = said;
    const verifications = verifiedAt === undefined ? [] : [world.verification(claim, CLAIRE, keys, { at: verifiedAt })];
    return verifyOrigin([linkCompact, claim, ...verifications, ...endings], charter).standingAt(at);
  };

  test('counts once a mediator verified the claim, from before that too', () => {
    expect(standing({}, LATER)).toBe('unverified');
    expect(standing({ verifiedAt: CHANGED }, EARLIER)).toBe('verified');
    expect(standing({ verifiedAt: CHANGED }, LATER)).toBe('verified');
  });

  test('is not older than the claim, give or take ten minutes, and no verification is', () => {
    expect(standing({ verifiedAt: BEGAN }, '2029-12-31T23:50:00Z')).toBe('verified');
    expect(refusal(() => standing({ verifiedAt: BEGAN }, '2029-12-31T23:49:59Z'))).toBe('chain');
    const { claim, keys, link, linkCompact } = claire;
    const late = claimOf(link, claire.secret, keys, { at: '2030-01-01T00:10:01Z' });
    expect(refusal(() => verifyOrigin([linkCompact, late, world.verification(late, CLAIRE, keys)], charter))).toBe('chain');
    expect(verifyOrigin([linkCompact, claim], charter).verifiedAt).toBeNull();
  });

  test('counts until the link was replaced, if it was verified before that', () => {
    const endings = [world.ending(claire.link)];
    expect(standing({ verifiedAt: BEGAN, endings }, CHANGED)).toBe('verified');
    expect(standing({ verifiedAt: BEGAN, endings }, AFTER)).toBe('ended');
    expect(standing({ verifiedAt: CHANGED, endings }, EARLIER)).toBe('verified');
    expect(standing({ verifiedAt: AFTER, endings }, EARLIER)).toBe('ended');
    expect(standing({ endings }, EARLIER)).toBe('ended');
    const two = [world.ending(claire.link, { at: LATER }), ...endings];
    expect(standing({ verifiedAt: BEGAN, endings: two }, AFTER)).toBe('ended');
  });

  test('never counts where the link was misused', () => {
    const misused = world.ending(claire.link, { reason: 'misused' });
    for (const endings of [[misused], [world.ending(claire.link), misused]]) {
      expect(standing({ verifiedAt: BEGAN, endings }, EARLIER)).toBe('ended');
    }
  });

  test('has the earliest of two verifications', () => {
    const { claim, keys, linkCompact } = claire;
    const later = world.verification(claim, CLAIRE, keys, { at: LATER });
    const origin = verifyOrigin([linkCompact, claim, later, claire.verification, world.ending(claire.link)], charter);
    expect([origin.verifiedAt, origin.standingAt(EARLIER)]).toEqual([BEGAN, 'verified']);
  });
});

test('what came through an upload link counts until it expires or ends', () => {
  const { compact, link, secret } = world.link(first, CLAIRE, { purpose: 'upload' });
  const origin = verifyOrigin([compact], charter);
  expect(origin.signer).toBe(secret.signer(link.link).publicKey);
  expect([BEGAN, '2030-06-01T00:09:59Z', '2030-06-01T00:10:00Z'].map((at) => origin.standingAt(at))).toEqual(['verified', 'verified', 'ended']);
  expect(refusal(() => origin.standingAt('2029-12-31T23:49:59Z'))).toBe('chain');
  expect(verifyOrigin([compact, world.ending(link, { at: EARLIER })], charter).standingAt(CHANGED)).toBe('ended');
  expect(verifyOrigin([compact, world.ending(link, { reason: 'misused' })], charter).standingAt(BEGAN)).toBe('ended');
});

describe('a participant', () => {
  test('has keys to seal for while their claim is verified and their link has not ended', () => {
    const { claim, keys, linkCompact, verification } = claire;
    const compacts = [linkCompact, claim, verification];
    expect(verifyParticipant(compacts, charter, CHANGED)).toEqual({
      case: charter.case,
      participant: CLAIRE,
      recipient: keys.identity.recipient.toString(),
      signer: keys.signer.publicKey,
      claimHash: statementHash(claim),
      claimedAt: BEGAN,
    });
    expect(refusal(() => verifyParticipant([linkCompact, claim], charter, CHANGED))).toBe('chain');
    const ended = [...compacts, world.ending(claire.link)];
    expect(verifyParticipant(ended, charter, CHANGED).participant).toBe(CLAIRE);
    expect(refusal(() => verifyParticipant(ended, charter, AFTER))).toBe('chain');
    const { compact } = world.link(first, CLAIRE, { purpose: 'upload' });
    expect(refusal(() => verifyParticipant([compact], charter, BEGAN))).toBe('chain');
  });
});

describe('a message', () => {
  test('is signed by the key of its way in, for that participant, under a charter of the time', () => {
    const { keys } = claire;
    const origin = verifyOrigin([claire.linkCompact, claire.claim], charter);
    const signed = (changes: Partial<Message>, by = keys) => sign(by.signer, Message, aLetter(named, BEGAN, changes));
    expect(verifyMessage(signed({}), charter, origin).from).toBe(CLAIRE);
    expect(refusal(() => verifyMessage(signed({ case: DENIS }), charter, origin))).toBe('chain');
    expect(refusal(() => verifyMessage(signed({ from: DENIS, to: CLAIRE }), charter, origin))).toBe('chain');
    expect(refusal(() => verifyMessage(signed({ charter: b64uEncode(randomBytes(32)) }), charter, origin))).toBe('chain');
    expect(refusal(() => verifyMessage(signed({}, generateKeyring()), charter, origin))).toBe('statement');
  });

  test('of a mediator who left counts from while they served, give or take ten minutes, and not after', () => {
    const verified = handedOver();
    const second = verified.statementHash;
    for (const at of [BEGAN, '2030-06-01T00:09:59Z']) {
      const { statement, by } = verifyRelayedMessage(sign(world.anna.keys.signer, Message, aLetter(named, at)), verified, CLAIRE);
      expect([statement.at, by.credential]).toEqual([at, world.anna.id]);
    }
    const late = sign(world.anna.keys.signer, Message, aLetter(second, '2030-06-01T00:10:00Z'));
    const early = sign(world.boris.keys.signer, Message, aLetter(second, '2030-05-31T23:49:59Z'));
    // By a current mediator, but under a version that has ended.
    const outdated = sign(world.boris.keys.signer, Message, aLetter(named, '2030-06-01T00:10:00Z'));
    for (const compact of [late, early, outdated]) expect(refusal(() => verifyRelayedMessage(compact, verified, CLAIRE))).toBe('chain');
  });

  test('that a mediator wrote down is a letter, and never a video of somebody else', () => {
    const by = (changes: Partial<Message>) => sign(world.anna.keys.signer, Message, aLetter(named, BEGAN, changes));
    expect(verifyRelayedMessage(by({}), charter, CLAIRE).statement.kind).toBe('letter');
    expect(refusal(() => verifyRelayedMessage(by({ kind: 'video', parts: [aPart('original')] }), charter, CLAIRE))).toBe('chain');
    expect(refusal(() => verifyRelayedMessage(by({}), charter, DENIS))).toBe('chain');
  });
});

describe('a consent', () => {
  test('is given by the participant, or recorded by a mediator or a service', () => {
    const { claim, keys, linkCompact, verification } = claire;
    const own = world.consent(keys.signer, CLAIRE);
    expect(verifyConsent(own, charter, [linkCompact, claim, verification])).toMatchObject({ participant: CLAIRE, status: 'active' });
    for (const by of [world.anna, world.service]) {
      expect(verifyConsent(world.consent(by.keys.signer, DENIS), charter).participant).toBe(DENIS);
    }
    for (const by of [world.boris, world.worker, world.recovery]) {
      expect(refusal(() => verifyConsent(world.consent(by.keys.signer, DENIS), charter))).toBe('chain');
    }
    expect(refusal(() => verifyConsent(own, charter))).toBe('chain');
    expect(refusal(() => verifyConsent(world.consent(world.service.keys.signer, DENIS, { case: DENIS }), charter))).toBe('chain');
  });

  test('of their own counts by a verified claim alone, for themselves, until its link ends', () => {
    const { claim, keys, linkCompact, verification } = claire;
    const way = [linkCompact, claim, verification];
    const given = (changes: Parameters<World['consent']>[2] = {}, participant = CLAIRE) => world.consent(keys.signer, participant, changes);
    expect(refusal(() => verifyConsent(given({}, DENIS), charter, way))).toBe('chain');
    expect(refusal(() => verifyConsent(given({ case: DENIS }), charter, way))).toBe('chain');
    expect(refusal(() => verifyConsent(given(), charter, [linkCompact, claim]))).toBe('chain');
    const ended = [...way, world.ending(claire.link)];
    expect(verifyConsent(given({ at: CHANGED }), charter, ended).at).toBe(CHANGED);
    expect(refusal(() => verifyConsent(given({ at: AFTER }), charter, ended))).toBe('chain');
    const upload = world.link(first, CLAIRE, { purpose: 'upload' });
    const through = world.consent(upload.secret.signer(upload.link.link), CLAIRE);
    expect(refusal(() => verifyConsent(through, charter, [upload.compact]))).toBe('chain');
  });
});

test('a mediator who is revoked makes no links from then on', () => {
  const revocation = sign(world.root, Revocation, { at: CHANGED, credential: world.anna.id });
  const revoked = verifyCharters(world.trust([], [revocation]), world.registration, [first]);
  expect(verifyLink(world.link(first, CLAIRE, { at: CHANGED }).compact, revoked).by.revokedAt).toBe(CHANGED);
  expect(refusal(() => verifyLink(world.link(first, CLAIRE, { at: AFTER }).compact, revoked))).toBe('chain');
});

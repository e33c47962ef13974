/** What a recipient checks an offer against: the item, the approvals, the consents, and the rules of its charter. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { Standing, VerifiedCharter, VerifiedParticipant } from '../../src/crypto/chain';
import { verifyCharters, verifyParticipant } from '../../src/crypto/chain';
import { b64uEncode } from '../../src/crypto/encoding';
import type { Time } from '../../src/crypto/values';
import { checkGrant, hasCaptions, item, type Item, partOf, releasableParts, type SignedConsent, verifyApprovals, verifyOffer } from '../../src/crypto/release';
import { statementHash } from '../../src/crypto/signing';
import { randomBytes, sha256, sodiumReady } from '../../src/crypto/sodium';
import { Captions, Decision, Message, Offer, type Policy, Rendition, sign } from '../../src/crypto/statements';
import { aLetter, BEGAN, CHANGED, CLAIRE, DENIS, vouch, type Vouched, type WayIn, World } from './fixtures';
import { A_NONCE, aCase, aPart } from './samples';
import { cause, refusal } from './refusal';

const TWO: Policy = { approvals: 2, captions: 'required', server_processing: true, retention_days: 30 };
const NOON = '2030-05-01T12:00:00Z';

let world: World;
let first: string;
let charter: VerifiedCharter;
let claire: WayIn;
let denis: WayIn;
let recipient: VerifiedParticipant;
let letter: Item;

beforeAll(async () => {
  await sodiumReady();
  world = new World();
  first = world.charter(world.anna, { mediators: [world.anna.member, world.boris.member], policy: TWO });
  charter = world.verified(first);
  [claire, denis] = [world.wayIn(first, CLAIRE), world.wayIn(first, DENIS)];
  recipient = verifyParticipant(wayOf(denis), charter, NOON);
  letter = itemOf(aLetter(statementHash(first), BEGAN));
});

function wayOf({ claim, linkCompact, verification }: WayIn): string[] {
  return [linkCompact, claim, verification];
}

function itemOf(statement: Message, standing: Standing = 'verified'): Item {
  return item(standing, { statement, compact: sign(claire.keys.signer, Message, statement) });
}

/** A video with its rendition, and with captions if given. */
function videoOf(roles: readonly ('original' | 'captions')[], captions: Partial<Captions> | null, changes: Partial<Rendition> = {}, named = statementHash(first)): Item {
  const statement = aLetter(named, BEGAN, { kind: 'video', parts: roles.map((role) => aPart(role)) });
  const compact = sign(claire.keys.signer, Message, statement);
  const source = statementHash(compact);
  const { message, revision } = statement;
  const rendition: Rendition = {
    at: BEGAN,
    nonce: A_NONCE,
    case: aCase,
    charter: named,
    message,
    revision,
    source,
    parts: [aPart('rendition', 'video/mp4')],
    size: 1,
    duration_ms: 1,
    width: 1,
    height: 1,
    profile: 'h264-720p',
    ...changes,
  };
  const made = { statement: rendition, compact: sign(world.worker.keys.signer, Rendition, rendition) };
  if (captions === null) return item('verified', { statement, compact }, made);
  const about = { at: BEGAN, nonce: A_NONCE, case: aCase, message, revision, source, rendition: statementHash(made.compact) };
  const said: Captions = { ...about, language: 'en', part: null, exception: 'no-speech', ...captions };
  return item('verified', { statement, compact }, made, { statement: said, compact: sign(world.anna.keys.signer, Captions, said) });
}

function about(of: Item) {
  return { case: aCase, message: of.message.message, revision: of.message.revision, source: of.source, rendition: of.renditionHash, captions: of.captionsHash };
}

function approval(by: Vouched, of: Item, changes: Partial<Decision> = {}): string {
  return sign(by.keys.signer, Decision, { at: BEGAN, ...about(of), decision: 'approve', reason: null, notes: [], ...changes });
}

/** The consents of both: Claire gave hers, Anna recorded that of Denis. */
function bothConsents(at: Time = BEGAN): SignedConsent[] {
  return [
    { compact: world.consent(claire.keys.signer, CLAIRE, { at }), origin: wayOf(claire) },
    { compact: world.consent(world.anna.keys.signer, DENIS, { at }), origin: [] },
  ];
}

/** The same, both recorded by Anna, which requires no verified link. */
function recorded(): SignedConsent[] {
  return [CLAIRE, DENIS].map((participant) => ({ compact: world.consent(world.anna.keys.signer, participant), origin: [] }));
}

function offerOf(of: Item, consents: readonly SignedConsent[], changes: Partial<Offer> = {}, by = world.anna): string {
  const [part] = releasableParts(of);
  return sign(by.keys.signer, Offer, {
    at: NOON,
    ...about(of),
    charter: statementHash(first),
    recipient: recipient.recipient,
    claim: recipient.claimHash,
    consents: consents.map(({ compact }) => statementHash(compact)),
    grants: [{ commit: part?.commit ?? '', header: b64uEncode(randomBytes(32)) }],
    notes: [aPart('note')],
    not_before: null,
    ...changes,
  });
}

/** The outcome for an offer that is valid except for `changes`. */
function offered(changes: {
  of?: Item;
  offer?: Partial<Offer>;
  by?: Vouched;
  decisions?: readonly string[];
  consents?: readonly SignedConsent[];
  given?: readonly SignedConsent[];
  charter?: VerifiedCharter;
}): Offer {
  const { of = letter, consents = bothConsents() } = changes;
  const decisions = changes.decisions ?? [approval(world.anna, of), approval(world.boris, of)];
  const compact = offerOf(of, consents, changes.offer, changes.by);
  return verifyOffer(compact, changes.charter ?? charter, of, recipient, { decisions, consents: changes.given ?? consents });
}

describe('approvals', () => {
  test('are counted by person, of this very item, and as many as are asked for', () => {
    const { anna, boris } = world;
    const renewed = vouch(world.root, 'mediator', { person: anna.person });
    const later = world.next(first, anna, { mediators: [renewed.member, boris.member], policy: TWO, recipient: denis.keys.identity.recipient.toString() });
    const [hers, again, his] = [approval(anna, letter), approval(renewed, letter, { at: CHANGED }), approval(boris, letter)];
    const handed = verifyCharters(world.trust([renewed.compact]), world.registration, [first, later]);
    expect(refusal(() => verifyApprovals([hers, again], handed, letter, 2))).toBe('chain');
    expect(verifyApprovals([hers, again, his], handed, letter, 2).map(({ person }) => person)).toEqual([anna.person, boris.person]);
    expect(verifyApprovals([hers], charter, letter, 1)).toHaveLength(1);
  });

  test('are no other decisions, and of nothing else', () => {
    const { anna, boris } = world;
    const other = itemOf(aLetter(statementHash(first), BEGAN, { parts: [aPart('body')] }));
    const useless = [
      approval(boris, letter, { decision: 'resume' }),
      approval(boris, other),
      approval(boris, letter, { revision: 2 }),
      approval(boris, letter, { captions: b64uEncode(randomBytes(32)) }),
    ];
    for (const one of useless) expect(refusal(() => verifyApprovals([approval(anna, letter), one], charter, letter, 2))).toBe('chain');
  });

  test('that do not hold do not count, and take nothing from the others', () => {
    const { anna, boris, recovery } = world;
    const [hers, his] = [approval(anna, letter), approval(boris, letter)];
    const early = itemOf({ ...letter.message, at: '2030-01-01T00:10:01Z' });
    for (const useless of [approval(recovery, letter), approval(world.worker, letter), `${his.slice(0, -4)}AAAA`, 'no statement']) {
      expect(verifyApprovals([useless, hers], charter, letter, 1).map(({ person }) => person)).toEqual([anna.person]);
      expect(refusal(() => verifyApprovals([useless, hers], charter, letter, 2))).toBe('chain');
    }
    expect(refusal(() => verifyApprovals([approval(anna, early)], charter, early, 1))).toBe('chain');
  });
});

describe('an offer', () => {
  test('holds for the item, the reader and the consents that it names', () => {
    expect(offered({}).recipient).toBe(recipient.recipient);
    expect(offered({ by: world.boris }).message).toBe(letter.message.message);
  });

  const bad: Record<string, [string, () => Parameters<typeof offered>[0]]> = {
    'another message': ['something else', () => ({ offer: { message: CLAIRE } })],
    'another source': ['something else', () => ({ offer: { source: b64uEncode(randomBytes(32)) } })],
    'another revision': ['something else', () => ({ offer: { revision: 2 } })],
    'another rendition': ['something else', () => ({ offer: { rendition: b64uEncode(randomBytes(32)) } })],
    'other captions': ['something else', () => ({ offer: { captions: b64uEncode(randomBytes(32)) } })],
    'another case': ['another case', () => ({ offer: { case: CLAIRE } })],
    'another key': ['somebody else', () => ({ offer: { recipient: claire.keys.identity.recipient.toString() } })],
    'another claim': ['somebody else', () => ({ offer: { claim: statementHash(claire.claim) } })],
    'another reader': ['somebody else', () => ({ of: itemOf({ ...letter.message, to: world.anna.id }) })],
    'another charter': ['another charter', () => ({ offer: { charter: b64uEncode(randomBytes(32)) } })],
    'a time before the message': ['dated before', () => ({ of: itemOf({ ...letter.message, at: '2030-05-01T12:10:01Z' }) })],
    'a time before the rendition': ['dated before', () => ({ of: videoOf(['original'], { at: '2030-05-01T12:10:01Z' }, { at: '2030-05-01T12:10:01Z' }) })],
    'approvals from before the message': ['fewer approvals', () => ({ of: itemOf({ ...letter.message, at: '2030-01-01T00:10:01Z' }) })],
    'an approval from before the captions': ['fewer approvals', () => ({ of: videoOf(['original'], { at: '2030-01-01T00:10:01Z' }) })],
    'a note under the key of a part': ['shares a file key', () => ({ offer: { notes: [{ ...aPart('note'), commit: letter.message.parts[0]?.commit ?? '' }] } })],
    'a part that was not reviewed': [
      'not reviewed',
      () => ({ offer: { grants: [{ commit: aPart('body').commit, header: b64uEncode(randomBytes(32)) }] } }),
    ],
    'a recovery key': ['anybody who may', () => ({ by: world.recovery })],
    'one approval of two': ['fewer approvals', () => ({ decisions: [approval(world.anna, letter)] })],
    'words of nobody that is known': ['nobody verified', () => ({ of: itemOf(letter.message, 'unverified') })],
    'words from a link that ended': ['nobody verified', () => ({ of: itemOf(letter.message, 'ended') })],
  };

  test.each(Object.entries(bad))('does not hold: %s', (_, [why, changes]) => {
    expect(cause(() => offered(changes()))).toContain(why);
  });

  test('never grants the note that says who assisted, or an original', () => {
    const roles = letter.message.parts.map((part) => [part.role, partOf(letter, part.commit)?.role]);
    expect(roles).toEqual([
      ['body', 'body'],
      ['note', undefined],
    ]);
    const video = videoOf(['original'], {});
    expect(releasableParts(video).map(({ role }) => role)).toEqual(['rendition']);
    const [note] = letter.message.parts.filter(({ role }) => role === 'note');
    const grants = [{ commit: note?.commit ?? '', header: b64uEncode(randomBytes(32)) }];
    expect(cause(() => offered({ offer: { grants } }))).toContain('not reviewed');
  });

  test('has the captions that its charter requires: of a mediator, the sender, or a reason why not', () => {
    expect([hasCaptions(videoOf(['original'], null)), hasCaptions(videoOf(['original', 'captions'], null))]).toEqual([false, true]);
    for (const of of [videoOf(['original'], {}), videoOf(['original'], { part: aPart('captions'), exception: null }), videoOf(['original', 'captions'], null)]) {
      expect(offered({ of }).source).toBe(of.source);
    }
    expect(cause(() => offered({ of: videoOf(['original'], null) }))).toContain('without captions');
    const relaxed = world.charter(world.anna, { mediators: [world.anna.member, world.boris.member], policy: { ...TWO, captions: 'optional' } });
    const of = videoOf(['original'], null, {}, statementHash(relaxed));
    const under = { charter: world.verified(relaxed), offer: { charter: statementHash(relaxed) }, consents: recorded() };
    expect(offered({ of, ...under }).source).toBe(of.source);
  });

  test('keeps to the rules of the charter that it was made under, not to those of today', () => {
    const { anna, boris } = world;
    const one: Policy = { ...TWO, approvals: 1, captions: 'optional' };
    const members = { mediators: [anna.member, boris.member] };
    const early = world.charter(anna, { ...members, policy: one });
    const late = world.next(early, anna, { ...members, policy: TWO });
    const both = world.verified(early, late);
    const of = itemOf(aLetter(statementHash(early), BEGAN));
    const made = { of, charter: both, decisions: [approval(anna, of)], consents: recorded() };
    expect(offered({ ...made, offer: { charter: statementHash(early) } }).charter).toBe(statementHash(early));
    const named = { charter: statementHash(late), at: CHANGED };
    expect(cause(() => offered({ ...made, offer: named }))).toContain('fewer approvals');
    // The old charter is no longer in force, whatever the offer names.
    const outdated = { charter: statementHash(early), at: '2030-06-01T00:10:00Z' };
    expect(cause(() => offered({ ...made, offer: outdated }))).toContain('another charter');
  });
});

test('an offer comes after the claim that it is for, and under no older charter than its message', () => {
  const late = { ...recipient, claimedAt: '2030-05-01T12:10:01Z' };
  const [consents, decisions] = [bothConsents(), [approval(world.anna, letter), approval(world.boris, letter)]];
  const compact = offerOf(letter, consents);
  expect(verifyOffer(compact, charter, letter, { ...recipient, claimedAt: '2030-05-01T12:10:00Z' }, { decisions, consents }).at).toBe(NOON);
  expect(cause(() => verifyOffer(compact, charter, letter, late, { decisions, consents }))).toContain("before the recipient's claim");
  const members = { mediators: [world.anna.member, world.boris.member], policy: TWO };
  const second = world.next(first, world.anna, members);
  const under = (named: string, at: Time) => {
    const of = itemOf(aLetter(statementHash(second), CHANGED));
    const approvals = [approval(world.anna, of, { at: CHANGED }), approval(world.boris, of, { at: CHANGED })];
    return offered({ of, charter: world.verified(first, second), decisions: approvals, offer: { charter: named, at } });
  };
  expect(under(statementHash(second), CHANGED).at).toBe(CHANGED);
  expect(cause(() => under(statementHash(first), CHANGED))).toContain('an older charter');
});

test('an item is of statements of one revision, in their order, with a key for each part', () => {
  const early = { at: '2029-12-31T23:49:59Z' };
  for (const make of [() => videoOf(['original'], null, early), () => videoOf(['original'], early)]) {
    expect(cause(make)).toContain('dated before');
  }
  const later = { at: '2030-01-01T00:10:01Z' };
  expect(videoOf(['original'], later, later).captions?.at).toBe(later.at);
  expect(cause(() => videoOf(['original'], {}, later))).toContain('dated before');
  const { commit } = aPart('captions');
  expect(cause(() => videoOf(['original'], { part: { ...aPart('captions'), commit }, exception: null }, { parts: [{ ...aPart('rendition'), commit }] }))).toContain('share a file key');
  for (const other of [{ revision: 2 }, { source: b64uEncode(randomBytes(32)) }, { message: CLAIRE }, { case: CLAIRE }]) {
    expect(cause(() => videoOf(['original'], null, other))).toContain('something else');
    expect(cause(() => videoOf(['original'], other))).toContain('something else');
  }
  expect(cause(() => videoOf(['original'], { rendition: null }))).toContain('another rendition');
});

describe('the consents of an offer', () => {
  test('are those of both people, active, in their order, and all there', () => {
    const [hers, his] = bothConsents();
    if (hers === undefined || his === undefined) throw new Error('there are two');
    expect(offered({ consents: [hers, his], given: [his, hers] }).consents).toHaveLength(2);
    const paused = { compact: world.consent(world.anna.keys.signer, DENIS, { status: 'paused' }), origin: [] };
    const again = { compact: world.consent(world.anna.keys.signer, CLAIRE), origin: [] };
    for (const consents of [[his, hers], [hers, paused], [hers, again]]) {
      expect(cause(() => offered({ consents }))).toContain('another consent');
    }
    for (const given of [[], [hers], [his], [hers, paused]]) {
      expect(cause(() => offered({ consents: [hers, his], given }))).toContain('without a consent');
    }
    expect(cause(() => offered({ consents: [{ ...hers, origin: [] }, his] }))).toContain('anybody who may');
  });

  test('were given before it, give or take ten minutes', () => {
    expect(offered({ consents: bothConsents('2030-05-01T12:10:00Z') }).at).toBe(NOON);
    expect(cause(() => offered({ consents: bothConsents('2030-05-01T12:10:01Z') }))).toContain('dated before');
  });
});

test('a grant is the very header that the offer names', () => {
  const header = randomBytes(64);
  const [part] = releasableParts(letter);
  if (part === undefined) throw new Error('a letter has a body');
  const offer = offered({ offer: { grants: [{ commit: part.commit, header: b64uEncode(sha256(header)) }] } });
  checkGrant(offer, part, header);
  expect(refusal(() => checkGrant(offer, part, randomBytes(64)))).toBe('chain');
  expect(refusal(() => checkGrant(offer, aPart('body'), header))).toBe('chain');
});

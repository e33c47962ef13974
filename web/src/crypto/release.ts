/**
 * What a recipient's reader checks before opening anything: that a mediator offers it, and that enough approved it.
 *
 * Only somebody with the case's identity can write the grant. These checks bind that person to the
 * charter: one mediator of two cannot release alone, and nobody can offer another item than was approved.
 */

import { type Signed, type Standing, type VerifiedCharter, verifyConsent, type VerifiedParticipant } from './chain';
import { b64uEncode } from './encoding';
import { CryptoError } from './errors';
import type { Part } from './fields';
import type { Digest, Uuid } from './values';
import { statementHash } from './signing';
import { sha256 } from './sodium';
import { type Captions, Decision, type Message, Offer, type Rendition, type Statement } from './statements';
import { type Authority, CLOCK_TOLERANCE_MS, elapsedMs, requireOrder } from './trust';

/** A verified statement with the text that it was read from. */
export interface Read<S> {
  readonly statement: S;
  readonly compact: string;
}

/** What a decision or an offer must name to be about an item. */
interface Named {
  readonly case: Uuid;
  readonly message: Uuid;
  readonly revision: number;
  readonly source: Digest;
  readonly rendition: Digest | null;
  readonly captions: Digest | null;
}

/** One revision of a message with everything that was reviewed: what an approval or an offer is about. */
export interface Item {
  readonly message: Message;
  /** Hash of the message's statement. */
  readonly source: Digest;
  readonly rendition: Rendition | null;
  readonly renditionHash: Digest | null;
  readonly captions: Captions | null;
  readonly captionsHash: Digest | null;
  /** How far the message can be attributed to its sender. */
  readonly standing: Standing;
}

/**
 * Puts verified statements and their texts together; refuses them unless they are of one revision.
 *
 * `standing`: of the sender's origin when the message was signed; `verified` if a mediator wrote it down.
 */
export function item(
  standing: Standing,
  message: Read<Message>,
  rendition: Read<Rendition> | null = null,
  captions: Read<Captions> | null = null,
): Item {
  const source = statementHash(message.compact);
  const { case: caseId, message: id, revision } = message.statement;
  for (const made of [rendition?.statement, captions?.statement]) {
    if (made === undefined) continue;
    if (made.case !== caseId || made.message !== id || made.revision !== revision || made.source !== source) {
      throw new CryptoError('chain', 'a rendition or captions of something else');
    }
  }
  const renditionHash = rendition === null ? null : statementHash(rendition.compact);
  if (captions !== null && captions.statement.rendition !== renditionHash) {
    throw new CryptoError('chain', 'captions of another rendition');
  }
  const whole: Item = {
    message: message.statement,
    source,
    rendition: rendition?.statement ?? null,
    renditionHash,
    captions: captions?.statement ?? null,
    captionsHash: captions === null ? null : statementHash(captions.compact),
    standing,
  };
  madeOf(whole).forEach((later, place, made) => { requireOrder(later, ...made.slice(0, place)); });
  const parts = allParts(whole);
  if (new Set(parts.map(({ commit }) => commit)).size !== parts.length) {
    throw new CryptoError('chain', 'two parts share a file key');
  }
  return whole;
}

/** The statements that an item is made of, each later one naming the earlier ones. */
function madeOf({ message, rendition, captions }: Item): readonly Statement[] {
  return [message, rendition, captions].filter((made) => made !== null);
}

/** All parts of the statements that an item is made of. */
function allParts({ message, rendition, captions }: Item): readonly Part[] {
  return [...message.parts, ...(rendition?.parts ?? []), ...(captions?.part ? [captions.part] : [])];
}

/** Whether there are captions, or a reason why not: by a mediator, or the sender's own. */
export function hasCaptions(of: Item): boolean {
  return of.captions !== null || releasableParts(of).some(({ role }) => role === 'captions');
}

/**
 * The released parts of an item, at most one per role: never the original, and never the assistant's note.
 * A mediator's captions, or their reason for none, replace the sender's own.
 */
export function releasableParts(of: Item): readonly Part[] {
  const roles = of.captions === null ? ['original', 'note'] : ['original', 'note', 'captions'];
  const withheld = of.message.parts.filter(({ role }) => roles.includes(role));
  return allParts(of).filter((part) => !withheld.includes(part));
}

/** The part with that commitment that may be released. */
export function partOf(of: Item, commitment: Digest): Part | undefined {
  return releasableParts(of).find(({ commit }) => commit === commitment);
}

/** Whether a decision or an offer is of exactly this message, revision, rendition and captions. */
export function isOf(statement: Named, of: Item): boolean {
  return (
    statement.case === of.message.case &&
    statement.message === of.message.message &&
    statement.revision === of.message.revision &&
    statement.source === of.source &&
    statement.rendition === of.renditionHash &&
    statement.captions === of.captionsHash
  );
}

/**
 * The mediators who approved exactly this item, one per person; refuses fewer than `needed`. An invalid decision does
 * not count, and does not affect the others.
 */
export function verifyApprovals(
  decisions: readonly string[],
  charter: VerifiedCharter,
  of: Item,
  needed: number,
): readonly Authority[] {
  const approvers = new Map<Uuid, Authority>();
  for (const compact of decisions) {
    const decision = soundDecision(compact, charter, of);
    if (decision === null) continue;
    const { statement, by } = decision;
    if (statement.decision === 'approve' && isOf(statement, of)) approvers.set(by.person, by);
  }
  if (approvers.size < needed) throw new CryptoError('chain', 'fewer approvals than the charter asks for');
  return [...approvers.values()];
}

function soundDecision(compact: string, charter: VerifiedCharter, of: Item): Signed<Decision> | null {
  try {
    const decision = charter.verifyByMediator(compact, Decision);
    requireOrder(decision.statement, ...madeOf(of));
    return decision;
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}

/** The recipient whose key an offer must name. */
export type Addressee = Pick<VerifiedParticipant, 'participant' | 'recipient' | 'claimHash' | 'claimedAt'>;

/** A consent, and the statements of the origin whose key signed it; none if somebody recorded it. */
export interface SignedConsent {
  readonly compact: string;
  readonly origin: readonly string[];
}

/** What an offer is based on. */
export interface Grounds {
  readonly decisions: readonly string[];
  readonly consents: readonly SignedConsent[];
}

/**
 * A mediator's offer of exactly this item to exactly this participant's key.
 *
 * It must have as many approvals as the charter it was made under requires, and the consents of both people, which
 * it names.
 */
export function verifyOffer(compact: string, charter: VerifiedCharter, of: Item, recipient: Addressee, grounds: Grounds): Offer {
  const { statement: offer } = charter.verifyByMediator(compact, Offer);
  const { policy, version } = charter.requireVersion(offer.charter, offer.at);
  if (!isOf(offer, of)) throw new CryptoError('chain', 'an offer of something else');
  if (
    offer.recipient !== recipient.recipient ||
    offer.claim !== recipient.claimHash ||
    of.message.to !== recipient.participant
  ) {
    throw new CryptoError('chain', 'an offer to somebody else');
  }
  requireOrder(offer, ...madeOf(of));
  if (elapsedMs(offer.at, recipient.claimedAt) > CLOCK_TOLERANCE_MS) {
    throw new CryptoError('chain', "an offer dated before the recipient's claim");
  }
  if (version < charter.requireVersion(of.message.charter, of.message.at).version) {
    throw new CryptoError('chain', 'an offer under an older charter than its message');
  }
  if (of.standing !== 'verified') throw new CryptoError('chain', 'an offer of words whose sender nobody verified');
  if (policy.captions === 'required' && of.message.kind === 'video' && !hasCaptions(of)) {
    throw new CryptoError('chain', 'an offer without captions, which the charter requires');
  }
  const notes = new Set(offer.notes.map(({ commit }) => commit));
  if (allParts(of).some(({ commit }) => notes.has(commit))) {
    throw new CryptoError('chain', 'a note shares a file key with a part that was reviewed');
  }
  const allowed = new Set([...releasableParts(of), ...offer.notes].map(({ commit }) => commit));
  if (offer.grants.some(({ commit }) => !allowed.has(commit))) {
    throw new CryptoError('chain', 'an offer grants a part that was not reviewed');
  }
  verifyApprovals(grounds.decisions, charter, of, policy.approvals);
  verifyConsents(offer, charter, of.message, grounds.consents);
  return offer;
}

function verifyConsents(offer: Offer, charter: VerifiedCharter, message: Message, consents: readonly SignedConsent[]): void {
  const given = new Map(consents.map((signed) => [statementHash(signed.compact), signed]));
  for (const [place, participant] of [message.from, message.to].entries()) {
    const signed = given.get(offer.consents[place] ?? '');
    if (signed === undefined) throw new CryptoError('chain', 'an offer without a consent that it names');
    const consent = verifyConsent(signed.compact, charter, signed.origin);
    if (consent.participant !== participant || consent.status !== 'active') {
      throw new CryptoError('chain', 'an offer that rests on another consent');
    }
    requireOrder(offer, consent);
  }
}

/** Refuses a header that `offer` does not grant `part` with. */
export function checkGrant(offer: Offer, part: Part, header: Uint8Array): void {
  const named = offer.grants.find(({ commit }) => commit === part.commit)?.header;
  if (named !== b64uEncode(sha256(header))) throw new CryptoError('chain', 'the offer does not name this grant');
}

/**
 * What a recipient's reader checks before it opens anything: a mediator offers it, and enough approved it.
 *
 * The grant itself can only come from somebody who holds the case's identity. These checks hold that person to the
 * charter: one mediator of two cannot release alone, and nobody can offer another item than was approved.
 */

import type { VerifiedCharter, VerifiedParticipant } from './chain';
import { b64uEncode } from './encoding';
import { CryptoError } from './errors';
import type { Digest, Part, Uuid } from './fields';
import { statementHash } from './signing';
import { sha256 } from './sodium';
import { type Captions, Decision, type Message, Offer, type Rendition } from './statements';
import type { Authority } from './trust';

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

/** One revision of a message with all that was reviewed of it: what an approval or an offer is about. */
export interface Item {
  readonly message: Message;
  /** Hash of the message's statement. */
  readonly source: Digest;
  readonly rendition: Rendition | null;
  readonly renditionHash: Digest | null;
  readonly captions: Captions | null;
  readonly captionsHash: Digest | null;
}

/** Puts verified statements and their texts together; refuses them unless they are of one revision. */
export function item(
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
  return {
    message: message.statement,
    source,
    rendition: rendition?.statement ?? null,
    renditionHash,
    captions: captions?.statement ?? null,
    captionsHash: captions === null ? null : statementHash(captions.compact),
  };
}

/** What may be released of an item: never the original, and never the note that says who assisted. */
export function releasableParts(of: Item): readonly Part[] {
  return [
    ...of.message.parts.filter(({ role }) => role !== 'original' && role !== 'note'),
    ...(of.rendition?.parts ?? []),
    ...(of.captions?.part ? [of.captions.part] : []),
  ];
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

/** The mediators who approved exactly this item; refuses fewer than the charter asks for. */
export function verifyApprovals(decisions: readonly string[], charter: VerifiedCharter, of: Item): readonly Authority[] {
  const approvers = new Map<Uuid, Authority>();
  for (const compact of decisions) {
    const { statement, by } = charter.verifyByMediator(compact, Decision);
    if (statement.decision === 'approve' && isOf(statement, of)) approvers.set(by.credential, by);
  }
  if (approvers.size < charter.policy.approvals) throw new CryptoError('chain', 'fewer approvals than the charter asks for');
  return [...approvers.values()];
}

/** Whose key an offer must be to. */
export type Addressee = Pick<VerifiedParticipant, 'participant' | 'recipient' | 'claimHash'>;

/** A mediator's offer of exactly this item to exactly this participant's key. */
export function verifyOffer(compact: string, charter: VerifiedCharter, of: Item, recipient: Addressee): Offer {
  const { statement: offer } = charter.verifyByMediator(compact, Offer);
  if (!isOf(offer, of)) throw new CryptoError('chain', 'an offer of something else');
  if (
    offer.recipient !== recipient.recipient ||
    offer.claim !== recipient.claimHash ||
    of.message.to !== recipient.participant
  ) {
    throw new CryptoError('chain', 'an offer to somebody else');
  }
  if (charter.policy.captions === 'required' && of.rendition !== null && of.captions === null) {
    throw new CryptoError('chain', 'an offer without captions, which the charter requires');
  }
  const allowed = new Set([...releasableParts(of), ...offer.notes].map(({ commit }) => commit));
  if (offer.grants.some(({ commit }) => !allowed.has(commit))) {
    throw new CryptoError('chain', 'an offer grants a part that was not reviewed');
  }
  return offer;
}

/** Refuses a header that `offer` does not grant `part` with. */
export function checkGrant(offer: Offer, part: Part, header: Uint8Array): void {
  const named = offer.grants.find(({ commit }) => commit === part.commit)?.header;
  if (named !== b64uEncode(sha256(header))) throw new CryptoError('chain', 'the offer does not name this grant');
}

/**
 * What every reader does before believing anything: from a pinned root to the keys and contents of a case.
 *
 *     root → credentials → charter 1 → charter 2 → … → link → claim → verification → message → rendition
 *
 * Each step is signed by somebody whom an earlier one names. The relay stores and hands out all of these statements
 * and can change none of them; what it can do is hold some back.
 */

import { b64uDecode, b64uEncode, sameBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './fields';
import { authDigest, claimMac, type LinkSecret } from './links';
import { checkPublicKey, statementHash } from './signing';
import { sha256 } from './sodium';
import {
  Captions,
  Charter,
  Claim,
  decodeUnverified,
  type Kind,
  Link,
  type Member,
  Message,
  type Policy,
  Rendition,
  type Role,
  type Statement,
  Verification,
  verify,
} from './statements';
import { type Authority, CLOCK_TOLERANCE_MS, establishTrust, isValidAt, ofRole, pinRoot, type Trust, verifyBy } from './trust';

/** Who served a case under one version of its charter. */
export interface Term {
  /** Null for the first version: there was no case before it. */
  readonly since: Time | null;
  /** Null for the latest version. */
  readonly until: Time | null;
  readonly mediators: readonly Authority[];
  readonly media: readonly Authority[];
}

/** A verified statement and who signed it. */
export interface Signed<S extends Statement> {
  readonly statement: S;
  readonly by: Authority;
}

/** The keys and rules of a case as its latest charter has them, and who served under the earlier ones. */
export class VerifiedCharter {
  readonly case: Uuid;
  readonly version: number;
  readonly statementHash: Digest;
  readonly at: Time;
  /** The case's age recipient. */
  readonly recipient: RecipientText;
  readonly policy: Policy;
  readonly terms: readonly Term[];
  readonly trust: Trust;
  /** The mediators of the latest version, with credentials valid or not. */
  readonly mediators: readonly Authority[];
  /** The media workers of the latest version, with credentials valid or not. */
  readonly media: readonly Authority[];

  constructor(charter: Charter, hash: Digest, earlier: readonly Term[], latest: Term, trust: Trust) {
    this.case = charter.case;
    this.version = charter.version;
    this.statementHash = hash;
    this.at = charter.at;
    this.recipient = charter.recipient;
    this.policy = charter.policy;
    this.terms = [...earlier, latest];
    this.mediators = latest.mediators;
    this.media = latest.media;
    this.trust = trust;
  }

  /** The mediators of the latest version that something may be sealed for now. */
  mediatorsAt(at: Time): readonly Authority[] {
    return this.mediators.filter((mediator) => isValidAt(mediator, at));
  }

  /** The media workers that a video may be sealed for now; none where the policy has no server process it. */
  mediaAt(at: Time): readonly Authority[] {
    return this.policy.server_processing ? this.media.filter((worker) => isValidAt(worker, at)) : [];
  }

  /** A statement by somebody who mediated this case at the time, and by whom. */
  verifyByMediator<S extends Statement>(compact: string, kind: Kind<S>): Signed<S> {
    const terms = this.termsAt(decodeUnverified(compact, kind).at);
    return verifyBy(compact, kind, terms.flatMap((term) => term.mediators));
  }

  /** A statement by a media worker of this case at the time, and by which. */
  verifyByMedia<S extends Statement>(compact: string, kind: Kind<S>): Signed<S> {
    const terms = this.termsAt(decodeUnverified(compact, kind).at);
    return verifyBy(compact, kind, terms.flatMap((term) => term.media));
  }

  /** The versions that something signed at that time was signed under, give or take the clocks. */
  termsAt(at: Time): readonly Term[] {
    const now = Date.parse(at);
    return this.terms.filter(
      ({ since, until }) =>
        (since === null || now >= Date.parse(since) - CLOCK_TOLERANCE_MS) &&
        (until === null || now < Date.parse(until) + CLOCK_TOLERANCE_MS),
    );
  }
}

/** A participant's keys, for which a mediator of the case has vouched. */
export interface VerifiedParticipant {
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly recipient: RecipientText;
  readonly signer: PublicKey;
  readonly claimHash: Digest;
  /** Who checked the claim. */
  readonly verifiedBy: Authority;
}

/** The whole way from a pinned fingerprint to the latest charter of a case; `charters` are all versions in order. */
export function verifyCharter(
  rootFingerprint: string,
  rootPublicKey: PublicKey,
  credentials: readonly string[],
  charters: readonly string[],
  revocations: readonly string[] = [],
): VerifiedCharter {
  const root = pinRoot(rootFingerprint, rootPublicKey);
  return verifyCharters(establishTrust([root], credentials, revocations), charters);
}

/**
 * The latest charter of a case, from all its versions in order.
 *
 * A relay can hold back the newest versions. Who has seen one remembers its number and expects it.
 */
export function verifyCharters(trust: Trust, charters: readonly string[]): VerifiedCharter {
  const latest = charters.reduce<VerifiedCharter | null>((before, compact) => nextVersion(trust, before, compact), null);
  if (latest === null) throw new CryptoError('chain', 'no charter');
  return latest;
}

/** A link into this case that one of its mediators or a service of the organization made, and who. */
export function verifyLink(compact: string, charter: VerifiedCharter): Signed<Link> {
  const terms = charter.termsAt(decodeUnverified(compact, Link).at);
  const makers = [...terms.flatMap((term) => term.mediators), ...ofRole(charter.trust, 'service')];
  const link = verifyBy(compact, Link, makers);
  if (link.statement.case !== charter.case) throw new CryptoError('chain', 'a link into another case');
  return link;
}

/** Refuses a signed link that `secret` does not belong to: done by whoever opens a link. */
export function checkLinkSecret(link: Link, secret: LinkSecret): void {
  const signer = link.signer === null ? null : secret.signer(link.link).publicKey;
  if (!sameDigest(authDigest(secret.auth(link.link)), link.auth) || signer !== link.signer) {
    throw new CryptoError('link', "the link's statement belongs to another secret");
  }
}

/** Refuses what is not the age file that the link's statement names. */
export function checkSealedSecret(link: Link, sealed: Uint8Array): void {
  if (b64uEncode(sha256(sealed)) !== link.sealed) {
    throw new CryptoError('link', "another sealed secret than the link's statement names");
  }
}

/** A claim of `link`, signed with the key it brings; only the MAC tells whether its maker held it. */
export function verifyClaim(compact: string, link: Link): Claim {
  const claim = verify(compact, Claim, decodeUnverified(compact, Claim).signer);
  if (link.purpose !== 'participate') throw new CryptoError('link', 'an upload link is not claimed');
  if (claim.link !== link.link || claim.case !== link.case || claim.participant !== link.participant) {
    throw new CryptoError('link', 'a claim of another link');
  }
  return claim;
}

/** Refuses a claim whose maker did not hold the link: what a mediator does before verifying one. */
export function checkClaimMac(claim: Claim, secret: LinkSecret): void {
  if (!sameDigest(claimMac(secret.claimKey(claim.link), claim), claim.mac)) {
    throw new CryptoError('link', 'the MAC of the claim does not match');
  }
}

/** A participant's keys, for readers without the link's secret: they trust the mediator who checked it. */
export function verifyParticipant(
  claimCompact: string,
  verificationCompact: string,
  charter: VerifiedCharter,
): VerifiedParticipant {
  const { statement: verification, by } = charter.verifyByMediator(verificationCompact, Verification);
  const claimHash = statementHash(claimCompact);
  if (verification.claim !== claimHash) throw new CryptoError('chain', 'the verification is of another claim');
  const { signer } = decodeUnverified(claimCompact, Claim);
  const claim = verify(claimCompact, Claim, signer);
  if (
    claim.case !== charter.case ||
    verification.case !== claim.case ||
    verification.participant !== claim.participant ||
    verification.recipient !== claim.recipient
  ) {
    throw new CryptoError('chain', 'the verification says something else than the claim');
  }
  checkPublicKey(signer);
  return {
    case: claim.case,
    participant: claim.participant,
    recipient: claim.recipient,
    signer,
    claimHash,
    verifiedBy: by,
  };
}

/** A message of `sender` in `caseId`, signed by the key of their claim, or of the upload link they used. */
export function verifyMessage(compact: string, caseId: Uuid, sender: Uuid, signer: PublicKey): Message {
  const message = verify(compact, Message, signer);
  expectSender(message, caseId, sender);
  return message;
}

/** A message that a mediator wrote down for `sender`, and which mediator did. */
export function verifyRelayedMessage(compact: string, charter: VerifiedCharter, sender: Uuid): Signed<Message> {
  const message = charter.verifyByMediator(compact, Message);
  expectSender(message.statement, charter.case, sender);
  if (message.statement.kind !== 'letter') throw new CryptoError('chain', 'nobody records a video for somebody else');
  return message;
}

/** What a media worker of the case made of exactly this revision of `message`, and which worker. */
export function verifyRendition(
  compact: string,
  charter: VerifiedCharter,
  message: Message,
  messageHash: Digest,
): Signed<Rendition> {
  const rendition = charter.verifyByMedia(compact, Rendition);
  expectOf(rendition.statement, message, messageHash);
  return rendition;
}

/** What a mediator captioned of exactly this revision and this rendition, and which mediator. */
export function verifyCaptions(
  compact: string,
  charter: VerifiedCharter,
  message: Message,
  messageHash: Digest,
  renditionHash: Digest | null,
): Signed<Captions> {
  const captions = charter.verifyByMediator(compact, Captions);
  expectOf(captions.statement, message, messageHash);
  if (captions.statement.rendition !== renditionHash) throw new CryptoError('chain', 'captions of another rendition');
  return captions;
}

function expectOf(made: Rendition | Captions, message: Message, messageHash: Digest): void {
  const same = made.case === message.case && made.message === message.message && made.revision === message.revision;
  if (!same || made.source !== messageHash) throw new CryptoError('chain', 'made of something else');
}

function expectSender(message: Message, caseId: Uuid, sender: Uuid): void {
  if (message.case !== caseId || message.from !== sender) {
    throw new CryptoError('chain', 'a message of another case or sender');
  }
}

function nextVersion(trust: Trust, before: VerifiedCharter | null, compact: string): VerifiedCharter {
  const mediators = members(trust, decodeUnverified(compact, Charter).mediators, 'mediator');
  const { statement: charter } = verifyBy(compact, Charter, before === null ? mediators : before.mediators);
  const follows =
    before === null
      ? charter.version === 1
      : charter.version === before.version + 1 &&
        charter.case === before.case &&
        charter.previous === before.statementHash &&
        charter.at >= before.at &&
        // Otherwise one mediator of two would be rid of the other's approval.
        charter.policy.approvals >= before.policy.approvals;
  if (!follows) throw new CryptoError('chain', 'a charter does not follow from the one before');
  const term: Term = {
    since: before === null ? null : charter.at,
    until: null,
    mediators,
    media: members(trust, charter.media, 'media'),
  };
  const earlier = (before?.terms ?? []).map((past) => (past.until === null ? { ...past, until: charter.at } : past));
  return new VerifiedCharter(charter, statementHash(compact), earlier, term, trust);
}

/**
 * The holders of the listed credentials.
 *
 * Whether they are valid is asked when they sign or are sealed for, not here: otherwise a credential that is revoked
 * with effect from last week would make all of a case unreadable.
 */
function members(trust: Trust, listed: readonly Member[], role: Role): readonly Authority[] {
  return listed.map(({ credential, statement }) => {
    const authority = trust.authorities.get(credential);
    if (authority?.role !== role) throw new CryptoError('chain', 'a charter lists somebody without that role');
    if (authority.statementHash !== statement) {
      throw new CryptoError('chain', 'a charter lists another credential of the same id');
    }
    return authority;
  });
}

function sameDigest(one: Digest, other: Digest): boolean {
  return sameBytes(b64uDecode(one), b64uDecode(other));
}

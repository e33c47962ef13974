/**
 * What every reader does before believing anything: from a pinned root to the keys and contents of a case.
 *
 *     root → credentials → registration → charter 1 → charter 2 → … → link → claim → message → rendition
 *
 * Each step is signed by somebody named in an earlier one. The relay stores and returns all of these statements
 * and can change none of them; it can only withhold some.
 */

import { b64uDecode, b64uEncode, sameBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './values';
import { anchorOf, authDigest, claimMac, type LinkSecret } from './links';
import { checkPublicKey, readUnverified, statementHash } from './signing';
import { sha256 } from './sodium';
import {
  Captions,
  Charter,
  Claim,
  Consent,
  decodeUnverified,
  type Kind,
  Link,
  LinkEnding,
  type Member,
  Message,
  type Policy,
  Registration,
  Rendition,
  type Role,
  type Statement,
  Verification,
  verify,
} from './statements';
import {
  type Authority,
  CLOCK_TOLERANCE_MS,
  elapsedMs,
  establishTrust,
  isValidAt,
  ofRole,
  pinRoot,
  requireOrder,
  type Trust,
  verifyBy,
} from './trust';

/** One version of a charter: who served under it, and during which time. */
export interface Term {
  readonly version: number;
  readonly statementHash: Digest;
  readonly signedBy: Authority;
  /** Whether a recovery key, not a mediator, signed this version. */
  readonly byRecovery: boolean;
  readonly since: Time;
  /** Null for the latest version. */
  readonly until: Time | null;
  /** The case's age recipient under this version. */
  readonly recipient: RecipientText;
  readonly policy: Policy;
  readonly mediators: readonly Authority[];
  readonly media: readonly Authority[];
  readonly recovery: readonly Authority[];
}

/** A verified statement and who signed it. */
export interface Signed<S extends Statement> {
  readonly statement: S;
  readonly by: Authority;
}

/** A statement about one case. */
export type OfCase = Statement & { readonly case: Uuid };

/** The parts of a participant's origin. */
const WAY_IN: readonly Kind<Statement>[] = [Link, Claim, Verification, LinkEnding];

/** The keys and rules of a case as its latest charter has them, and those of the earlier ones. */
export class VerifiedCharter {
  readonly case: Uuid;
  readonly at: Time;
  /** All versions in order. */
  readonly terms: readonly Term[];
  readonly trust: Trust;
  /** The number of the latest version. */
  readonly version: number;
  /** Of the latest version. */
  readonly statementHash: Digest;
  /** The age recipient to seal to now. */
  readonly recipient: RecipientText;
  /** Every age recipient that the case has had, the latest first, each once. */
  readonly recipients: readonly RecipientText[];
  /** The rules of the latest version. */
  readonly policy: Policy;
  /** The mediators of the latest version, with credentials valid or not. */
  readonly mediators: readonly Authority[];
  /** The media workers of the latest version, with credentials valid or not. */
  readonly media: readonly Authority[];
  /** The holders of recovery keys of the latest version, with credentials valid or not. */
  readonly recovery: readonly Authority[];

  constructor({ case: id, at }: Charter, earlier: readonly Term[], latest: Term, trust: Trust) {
    this.case = id;
    this.at = at;
    this.terms = [...earlier, latest];
    this.trust = trust;
    this.version = latest.version;
    this.statementHash = latest.statementHash;
    this.recipient = latest.recipient;
    this.recipients = [...new Set(this.terms.map(({ recipient }) => recipient).reverse())];
    this.policy = latest.policy;
    this.mediators = latest.mediators;
    this.media = latest.media;
    this.recovery = latest.recovery;
  }

  /** The mediators of the latest version with valid keys to seal for. */
  mediatorsAt(at: Time): readonly Authority[] {
    return this.mediators.filter((mediator) => isValidAt(mediator, at));
  }

  /** The media workers that a video may be sealed for now; none if the policy forbids processing on a server. */
  mediaAt(at: Time): readonly Authority[] {
    return this.policy.server_processing ? this.media.filter((worker) => isValidAt(worker, at)) : [];
  }

  /** The version that a statement of that time names by its hash; refuses one that was not in force then. */
  requireVersion(named: Digest, at: Time): Term {
    const term = this.termsAt(at).find(({ statementHash: hash }) => hash === named);
    if (term === undefined) throw new CryptoError('chain', 'made under another charter');
    return term;
  }

  /** A statement about this case by somebody who mediated it at the time, and by whom. */
  verifyByMediator<S extends OfCase>(compact: string, kind: Kind<S>): Signed<S> {
    return this.#verifyBy(compact, kind, ({ mediators }) => mediators);
  }

  /** A statement about this case by a media worker of it at the time, and by which. */
  verifyByMedia<S extends OfCase>(compact: string, kind: Kind<S>): Signed<S> {
    return this.#verifyBy(compact, kind, ({ media }) => media);
  }

  /** A statement about this case by a mediator of it at the time, or by a service, and by whom. */
  verifyByMediatorOrService<S extends OfCase>(compact: string, kind: Kind<S>): Signed<S> {
    return this.#verifyBy(compact, kind, ({ mediators }) => mediators, ofRole(this.trust, 'service'));
  }

  #verifyBy<S extends OfCase>(
    compact: string,
    kind: Kind<S>,
    who: (term: Term) => readonly Authority[],
    others: readonly Authority[] = [],
  ): Signed<S> {
    const terms = this.termsAt(decodeUnverified(compact, kind).at);
    const signed = verifyBy(compact, kind, [...terms.flatMap(who), ...others]);
    if (signed.statement.case !== this.case) throw new CryptoError('chain', `${kind.typ}: of another case`);
    return signed;
  }

  /** The versions under which something signed at that time may have been signed, allowing for clock differences. */
  termsAt(at: Time): readonly Term[] {
    const now = Date.parse(at);
    return this.terms.filter(
      ({ since, until }) =>
        now >= Date.parse(since) - CLOCK_TOLERANCE_MS &&
        (until === null || now < Date.parse(until) + CLOCK_TOLERANCE_MS),
    );
  }
}

/**
 * How far a reader may believe that a statement is its participant's.
 *
 * `unverified`: nobody has checked yet who made the claim. `ended`: it came through a link after its end, or through a
 * misused one.
 */
export type Standing = 'verified' | 'unverified' | 'ended';

/** The origin of a participant: a link, and its claim, verification and endings. */
export class Origin {
  readonly link: Link;
  /** The Ed25519 key that signs what comes through the link: of the claim, or of an upload link. */
  readonly signer: PublicKey;
  readonly claim: Claim | null;
  readonly claimHash: Digest | null;
  /** When, according to a mediator, they verified the claim, and who did; the earliest counts. */
  readonly verifiedAt: Time | null;
  readonly verifiedBy: Authority | null;
  readonly endedAt: Time | null;
  readonly isMisused: boolean;

  constructor(
    link: Signed<Link>,
    signer: PublicKey,
    claim: { readonly statement: Claim; readonly hash: Digest } | null,
    verifications: readonly Signed<Verification>[],
    endings: readonly LinkEnding[],
  ) {
    const first = earliest(verifications.map(({ statement, by }) => ({ at: statement.at, by })));
    this.link = link.statement;
    this.signer = signer;
    this.claim = claim?.statement ?? null;
    this.claimHash = claim?.hash ?? null;
    this.verifiedAt = first?.at ?? null;
    this.verifiedBy = first?.by ?? null;
    this.endedAt = earliest(endings)?.at ?? null;
    this.isMisused = endings.some(({ reason }) => reason === 'misused');
  }

  /** Whose way in it is. */
  get participant(): Uuid {
    return this.link.participant;
  }

  /** How far something signed with this key at that time counts; refuses what is older than the key. */
  standingAt(at: Time): Standing {
    const { claim, endedAt, link, verifiedAt } = this;
    if (this.isMisused || (endedAt !== null && at > endedAt)) return 'ended';
    if (elapsedMs(at, (claim ?? link).at) > CLOCK_TOLERANCE_MS) throw new CryptoError('chain', 'signed before its key was there');
    if (claim === null) {
      // An upload link: its own statement ties the key to the participant, until it expires.
      return link.expires !== null && elapsedMs(link.expires, at) >= CLOCK_TOLERANCE_MS ? 'ended' : 'verified';
    }
    if (verifiedAt === null) return endedAt === null ? 'unverified' : 'ended';
    return endedAt !== null && verifiedAt > endedAt ? 'ended' : 'verified';
  }
}

/** A participant's keys, for which a mediator of the case has vouched. */
export interface VerifiedParticipant {
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly recipient: RecipientText;
  readonly signer: PublicKey;
  readonly claimHash: Digest;
  /** When they say that they made the claim. */
  readonly claimedAt: Time;
}

/** What a relay returns to anybody who verifies a case: the statements, each list in its order. */
export interface CaseStatements {
  readonly registration: string;
  /** All versions in order. */
  readonly charters: readonly string[];
  readonly credentials: readonly string[];
  readonly revocations?: readonly string[];
  readonly successions?: readonly string[];
}

/** The whole way from a pinned fingerprint to the latest charter of a case. */
export function verifyCharter(rootFingerprint: string, rootPublicKey: PublicKey, given: CaseStatements): VerifiedCharter {
  const root = pinRoot(rootFingerprint, rootPublicKey);
  const trust = establishTrust([root], given.credentials, given.revocations, given.successions);
  return verifyCharters(trust, given.registration, given.charters);
}

/**
 * The latest charter of a case, from its registration and all its versions in order.
 *
 * A relay can withhold the newest versions; a reader who has seen one remembers its hash and calls `checkSeen`.
 */
export function verifyCharters(trust: Trust, registration: string, charters: readonly string[]): VerifiedCharter {
  const latest = charters.reduce<VerifiedCharter | null>(
    (before, compact) => (before === null ? firstVersion(trust, registration, compact) : nextVersion(before, compact)),
    null,
  );
  if (latest === null) throw new CryptoError('chain', 'no charter');
  return latest;
}

/** Refuses a case without a version whose hash starts with `anchor` (16 bytes as base64url, from a link's address). */
export function checkAnchor(charter: VerifiedCharter, anchor: string): void {
  if (!charter.terms.some(({ statementHash: hash }) => sameText(anchorOf(hash), anchor))) {
    throw new CryptoError('chain', 'another case than the one that the link leads to');
  }
}

/** Refuses a charter that does not extend every version that was seen before (its hash by its number). */
export function checkSeen(charter: VerifiedCharter, seen: ReadonlyMap<number, Digest>): void {
  const current = new Map(charter.terms.map(({ version, statementHash: hash }) => [version, hash]));
  for (const [version, hash] of seen) {
    if (current.get(version) !== hash) {
      throw new CryptoError('chain', 'the charter does not extend the versions that were seen before');
    }
  }
}

/** Refuses recipients other than those that the case has had, newest first. */
export function checkIdentities(charter: VerifiedCharter, recipients: readonly RecipientText[]): void {
  const { recipients: expected } = charter;
  if (recipients.length !== expected.length || recipients.some((recipient, place) => recipient !== expected[place])) {
    throw new CryptoError('chain', 'the identities of another case');
  }
}

/** A link into this case that one of its mediators or a service of the organization made, and who. */
export function verifyLink(compact: string, charter: VerifiedCharter): Signed<Link> {
  const link = charter.verifyByMediatorOrService(compact, Link);
  charter.requireVersion(link.statement.charter, link.statement.at);
  return link;
}

/**
 * An origin, from its statements: the link, and as far as they exist claim, verification and endings.
 *
 * Refuses one about something else. Whether it counts is another question: `Origin.standingAt`.
 */
export function verifyOrigin(compacts: readonly string[], charter: VerifiedCharter): Origin {
  const byType = new Map<string, string[]>(WAY_IN.map(({ typ }) => [typ, []]));
  for (const compact of compacts) {
    const alike = byType.get(readUnverified(compact).typ);
    if (alike === undefined) throw new CryptoError('chain', 'not the statements of one link');
    alike.push(compact);
  }
  const of = ({ typ }: Kind<Statement>): readonly string[] => byType.get(typ) ?? [];
  const [linkCompact, ...otherLinks] = of(Link);
  const [claimCompact, ...otherClaims] = of(Claim);
  if (linkCompact === undefined || otherLinks.length + otherClaims.length > 0) {
    throw new CryptoError('chain', 'not the statements of one link');
  }
  const link = verifyLink(linkCompact, charter);
  const claim =
    claimCompact === undefined
      ? null
      : { statement: verifyClaim(claimCompact, link.statement), hash: statementHash(claimCompact) };
  const verifications = of(Verification).map((compact) => verifyVerification(compact, charter, claim));
  const endings = of(LinkEnding).map((compact) => verifyEnding(compact, charter, link.statement));
  const signer = claim === null ? link.statement.signer : claim.statement.signer;
  if (signer === null) throw new CryptoError('chain', 'a link that nobody has claimed signs nothing');
  checkPublicKey(signer);
  return new Origin(link, signer, claim, verifications, endings);
}

/** The end of `link`, by a mediator of the case or a service. */
export function verifyEnding(compact: string, charter: VerifiedCharter, link: Link): LinkEnding {
  const { statement: ending } = charter.verifyByMediatorOrService(compact, LinkEnding);
  if (ending.link !== link.link || ending.participant !== link.participant) {
    throw new CryptoError('chain', 'the end of another link');
  }
  requireOrder(ending, link);
  return ending;
}

/** Refuses a signed link that `secret` does not belong to: for people who open a link. */
export function checkLinkSecret(link: Link, secret: LinkSecret): void {
  const signer = link.signer === null ? null : secret.signer(link.link).publicKey;
  if (!sameText(authDigest(secret.auth(link.link)), link.auth) || signer !== link.signer) {
    throw new CryptoError('link', "the link's statement belongs to another secret");
  }
}

/** Refuses what is not the age file that the link's statement names. */
export function checkSealedClaimKey(link: Link, sealed: Uint8Array): void {
  if (b64uEncode(sha256(sealed)) !== link.sealed) {
    throw new CryptoError('link', "another sealed claim key than the link's statement names");
  }
}

/** A claim of `link`, signed with the key it brings; only the MAC proves that its maker had the link. */
export function verifyClaim(compact: string, link: Link): Claim {
  const claim = verify(compact, Claim, decodeUnverified(compact, Claim).signer);
  if (link.purpose !== 'participate') throw new CryptoError('link', 'an upload link is not claimed');
  if (claim.link !== link.link || claim.case !== link.case || claim.participant !== link.participant) {
    throw new CryptoError('link', 'a claim of another link');
  }
  requireOrder(claim, link);
  return claim;
}

/** Refuses a claim whose maker did not have the link: for mediators, before verifying one. */
export function checkClaimMac(claim: Claim, claimKey: Uint8Array): void {
  if (!sameText(claimMac(claimKey, claim), claim.mac)) throw new CryptoError('link', 'the MAC of the claim does not match');
}

/**
 * A participant's keys to seal for at that time, from the statements of their origin.
 *
 * Refuses them unless a mediator verified the claim and the link has not ended.
 */
export function verifyParticipant(compacts: readonly string[], charter: VerifiedCharter, at: Time): VerifiedParticipant {
  const origin = verifyOrigin(compacts, charter);
  const { claim, claimHash, signer } = origin;
  if (claim === null || claimHash === null) throw new CryptoError('chain', 'a link without a claim has no recipient');
  const standing = origin.standingAt(at);
  if (standing !== 'verified') throw new CryptoError('chain', `the claim is ${standing}`);
  const { at: claimedAt, case: id, participant, recipient } = claim;
  return { case: id, participant, recipient, signer, claimHash, claimedAt };
}

/** A message signed with the key of `origin`, in the name of its participant. */
export function verifyMessage(compact: string, charter: VerifiedCharter, origin: Origin): Message {
  const message = verify(compact, Message, origin.signer);
  expectSender(message, charter, origin.participant);
  return message;
}

/** A letter that a mediator wrote down for `sender`, and which mediator did. */
export function verifyRelayedMessage(compact: string, charter: VerifiedCharter, sender: Uuid): Signed<Message> {
  const message = charter.verifyByMediator(compact, Message);
  expectSender(message.statement, charter, sender);
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
  const { statement } = rendition;
  expectOf(statement, message, messageHash);
  requireOrder(statement, message);
  const madeUnder = charter.requireVersion(statement.charter, statement.at);
  if (madeUnder.version < charter.requireVersion(message.charter, message.at).version) {
    throw new CryptoError('chain', 'a rendition under an older charter than its message');
  }
  return rendition;
}

/**
 * What a participant said about taking part: signed by them, by a mediator, or by a service.
 *
 * `origin`: the statements of the origin whose key signed it, if a participant did; refused unless a mediator verified
 * that claim.
 */
export function verifyConsent(compact: string, charter: VerifiedCharter, origin: readonly string[] = []): Consent {
  const consent =
    origin.length === 0 ? charter.verifyByMediatorOrService(compact, Consent).statement : ownConsent(compact, charter, origin);
  if (consent.case !== charter.case) throw new CryptoError('chain', 'a consent in another case');
  return consent;
}

function ownConsent(compact: string, charter: VerifiedCharter, compacts: readonly string[]): Consent {
  const origin = verifyOrigin(compacts, charter);
  const consent = verify(compact, Consent, origin.signer);
  if (origin.claim === null || consent.participant !== origin.participant) {
    throw new CryptoError('chain', 'a consent of somebody else');
  }
  if (origin.standingAt(consent.at) !== 'verified') throw new CryptoError('chain', 'a consent by a key that nobody verified');
  return consent;
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

function expectSender(message: Message, charter: VerifiedCharter, sender: Uuid): void {
  if (message.case !== charter.case || message.from !== sender) {
    throw new CryptoError('chain', 'a message of another case or sender');
  }
  charter.requireVersion(message.charter, message.at);
}

function firstVersion(trust: Trust, registration: string, compact: string): VerifiedCharter {
  const registered = verifyRegistration(trust, registration);
  const mediators = members(trust, decodeUnverified(compact, Charter).mediators, 'mediator');
  const { statement: charter, by } = verifyBy(compact, Charter, mediators);
  const follows =
    charter.version === 1 &&
    charter.case === registered.case &&
    charter.registration === statementHash(registration) &&
    registered.mediators.includes(by.credential);
  if (!follows) throw new CryptoError('chain', 'the first charter does not follow from the registration of the case');
  requireOrder(charter, registered);
  return new VerifiedCharter(charter, [], termOf(trust, charter, compact, by), trust);
}

function nextVersion(before: VerifiedCharter, compact: string): VerifiedCharter {
  const { mediators, recovery, trust } = before;
  const { statement: charter, by } = verifyBy(compact, Charter, [...mediators, ...recovery]);
  const follows =
    charter.version === before.version + 1 &&
    charter.case === before.case &&
    charter.previous === before.statementHash &&
    charter.at >= before.at &&
    // Otherwise one mediator of two could remove the other's approval.
    charter.policy.approvals >= before.policy.approvals;
  if (!follows) throw new CryptoError('chain', 'a charter does not follow from the one before');
  const term = termOf(trust, charter, compact, by);
  const canRead = new Set([...term.mediators, ...term.recovery].map(({ credential }) => credential));
  const somebodyLeft = [...mediators, ...recovery].some(({ credential }) => !canRead.has(credential));
  const isFormer = before.recipients.includes(term.recipient);
  if (isFormer && (somebodyLeft || term.recipient !== before.recipient)) {
    throw new CryptoError('chain', 'a charter without somebody keeps an identity that they have');
  }
  const earlier = before.terms.map((past) => (past.until === null ? { ...past, until: charter.at } : past));
  return new VerifiedCharter(charter, earlier, term, trust);
}

function termOf(trust: Trust, charter: Charter, compact: string, signedBy: Authority): Term {
  const mediators = members(trust, charter.mediators, 'mediator');
  if (new Set(mediators.map(({ person }) => person)).size !== mediators.length) {
    throw new CryptoError('chain', 'a charter lists one person as two mediators');
  }
  return {
    version: charter.version,
    statementHash: statementHash(compact),
    signedBy,
    byRecovery: signedBy.role === 'recovery',
    since: charter.at,
    until: null,
    recipient: charter.recipient,
    policy: charter.policy,
    mediators,
    media: members(trust, charter.media, 'media'),
    recovery: members(trust, charter.recovery, 'recovery'),
  };
}

/** Whether a service alone says who may open a case that is registered at that time. */
export function isForService(trust: Trust, at: Time): boolean {
  return ofRole(trust, 'service').some(({ notBefore }) => notBefore <= at);
}

/** Who may open the case: determined by a service, or by a mediator if there was no service at the time. */
function verifyRegistration(trust: Trust, compact: string): Registration {
  const { at } = decodeUnverified(compact, Registration);
  if (isForService(trust, at)) return verifyBy(compact, Registration, ofRole(trust, 'service')).statement;
  const { statement, by } = verifyBy(compact, Registration, ofRole(trust, 'mediator'));
  if (!statement.mediators.includes(by.credential)) throw new CryptoError('chain', 'a mediator registers a case for themselves');
  return statement;
}

function verifyVerification(
  compact: string,
  charter: VerifiedCharter,
  claim: { readonly statement: Claim; readonly hash: Digest } | null,
): Signed<Verification> {
  const verification = charter.verifyByMediator(compact, Verification);
  const said = verification.statement;
  if (said.claim !== claim?.hash) throw new CryptoError('chain', 'the verification is of another claim');
  const { participant, recipient } = claim.statement;
  if (said.participant !== participant || said.recipient !== recipient) {
    throw new CryptoError('chain', 'the verification says something else than the claim');
  }
  requireOrder(said, claim.statement);
  return verification;
}

/**
 * The holders of the listed credentials.
 *
 * Their validity is checked when they sign or are sealed for, not here: otherwise a credential revoked
 * with effect from last week would make a whole case unreadable.
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

function earliest<Said extends { readonly at: Time }>(said: readonly Said[]): Said | undefined {
  return said.reduce<Said | undefined>((first, one) => (first === undefined || one.at < first.at ? one : first), undefined);
}

/** Compares two encoded byte strings in constant time. */
function sameText(one: string, other: string): boolean {
  return sameBytes(b64uDecode(one), b64uDecode(other));
}

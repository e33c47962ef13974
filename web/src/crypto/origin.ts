/** The origin of a participant: their link, and its claim, verification and endings. */

import type { Signed, VerifiedCharter } from './charter';
import { b64uEncode, sameText } from './encoding';
import { CryptoError } from './errors';
import { authDigest, claimMac, type LinkSecret } from './links';
import { checkPublicKey, readUnverified, statementHash } from './signing';
import { sha256 } from './sodium';
import {
  Claim,
  decodeUnverified,
  type Kind,
  Link,
  LinkEnding,
  type Statement,
  Verification,
  verify,
} from './statements';
import { type Authority, CLOCK_TOLERANCE_MS, elapsedMs, requireOrder } from './trust';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './values';

/** The statements that an origin consists of. */
const ORIGIN_KINDS: readonly Kind<Statement>[] = [Link, Claim, Verification, LinkEnding];

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
  const byType = new Map<string, string[]>(ORIGIN_KINDS.map(({ typ }) => [typ, []]));
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

function earliest<Said extends { readonly at: Time }>(said: readonly Said[]): Said | undefined {
  return said.reduce<Said | undefined>((first, one) => (first === undefined || one.at < first.at ? one : first), undefined);
}

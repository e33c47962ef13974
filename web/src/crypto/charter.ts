/** The charter of a case: its versions, verified one from the other, up to the root. */

import { sameText } from './encoding';
import { CryptoError } from './errors';
import { anchorOf } from './links';
import { statementHash } from './signing';
import {
  Charter,
  decodeUnverified,
  type Kind,
  type Member,
  type Policy,
  Registration,
  type Role,
  type Statement,
} from './statements';
import {
  type Authority,
  CLOCK_TOLERANCE_MS,
  establishTrust,
  isValidAt,
  ofRole,
  pinRoot,
  requireOrder,
  type Trust,
  verifyBy,
} from './trust';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './values';

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

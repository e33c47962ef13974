/** From the organization roots to everybody they vouch for: successions, credentials, revocations. */

import { b64uDecode, sameBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './values';
import { checkPublicKey, fingerprint, readUnverified, statementHash } from './signing';
import { Credential, type Kind, Revocation, type Role, type Statement, Succession, verify } from './statements';

/** How far the clocks of two honest people may differ: relay accepts five minutes either way from its own. */
export const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

/** Somebody the root vouches for, and for how long. */
export interface Authority {
  readonly credential: Uuid;
  /** Two credentials of one person count as one. */
  readonly person: Uuid;
  readonly role: Role;
  /** Their age recipient; null for a service. */
  readonly recipient: RecipientText | null;
  /** Their Ed25519 public key. */
  readonly signer: PublicKey;
  readonly statementHash: Digest;
  readonly notBefore: Time;
  readonly notAfter: Time;
  readonly revokedAt: Time | null;
}

/** Everybody that the roots vouch for. */
export interface Trust {
  readonly authorities: ReadonlyMap<Uuid, Authority>;
}

/** Whether something signed at that time counts, including the second of the revocation. Times in canonical form sort as text. */
export function isValidAt(authority: Authority, at: Time): boolean {
  const revoked = authority.revokedAt !== null && at > authority.revokedAt;
  return authority.notBefore <= at && at < authority.notAfter && !revoked;
}

/** Everybody who ever had that role, valid now or not. */
export function ofRole(trust: Trust, role: Role): readonly Authority[] {
  return [...trust.authorities.values()].filter((authority) => authority.role === role);
}

/**
 * A statement by one of `authorities`, and by which; refuses one that none of them could sign then.
 *
 * The time is the signer's claim: somebody who stole a key can backdate a statement to before its revocation. The
 * log, which records when a statement arrived, shows that.
 */
export function verifyBy<S extends Statement>(
  compact: string,
  kind: Kind<S>,
  authorities: readonly Authority[],
): { readonly statement: S; readonly by: Authority } {
  const { kid } = readUnverified(compact);
  for (const by of authorities) {
    if (fingerprint(by.signer) === kid) {
      const statement = verify(compact, kind, by.signer);
      if (isValidAt(by, statement.at)) return { statement, by };
    }
  }
  throw new CryptoError('chain', `${kind.typ}: not signed by anybody who may`);
}

/**
 * Refuses a statement that claims to be older than those that it names.
 *
 * So a key that may no longer sign cannot backdate anything to before what it is about.
 */
export function requireOrder(later: Statement, ...earlier: readonly Statement[]): void {
  if (earlier.some(({ at }) => elapsedMs(later.at, at) > CLOCK_TOLERANCE_MS)) throw new CryptoError('chain', 'dated before what it names');
}

/** Milliseconds from one time to another. */
export function elapsedMs(from: Time, to: Time): number {
  return Date.parse(to) - Date.parse(from);
}

/** The root's key, if it is the one behind the pinned fingerprint. */
export function pinRoot(rootFingerprint: string, rootPublicKey: PublicKey): PublicKey {
  if (!sameBytes(b64uDecode(fingerprint(rootPublicKey)), b64uDecode(rootFingerprint))) {
    throw new CryptoError('chain', 'another root than the pinned one');
  }
  checkPublicKey(rootPublicKey);
  return rootPublicKey;
}

/**
 * Verifies every credential and revocation against `roots` and the roots that succeed or precede them.
 *
 * `roots` are already trusted. A statement signed by a key that none of these roots leads to is ignored: it belongs to
 * another organization. One that names a trusted root and does not verify, or two credentials that share an id or a key,
 * is refused: a reader who ignored errors would not notice an attack.
 */
export function establishTrust(
  roots: readonly PublicKey[],
  credentials: readonly string[],
  revocations: readonly string[] = [],
  successions: readonly string[] = [],
): Trust {
  const trusted = lineages(roots, successions);
  const revoked: { readonly statement: Revocation; readonly by: PublicKey }[] = [];
  for (const compact of revocations) {
    const root = trusted.get(readUnverified(compact).kid);
    if (root !== undefined) revoked.push({ statement: verifyByRoot(compact, Revocation, root), by: root.publicKey });
  }
  const authorities = new Map<Uuid, Authority>();
  const signers = new Set<PublicKey>();
  for (const compact of credentials) {
    const root = trusted.get(readUnverified(compact).kid);
    if (root === undefined) continue;
    const credential = verifyByRoot(compact, Credential, root);
    if (authorities.has(credential.credential) || signers.has(credential.signer)) {
      throw new CryptoError('chain', 'two credentials share an id or a key');
    }
    checkPublicKey(credential.signer);
    signers.add(credential.signer);
    const ends = revoked
      .filter(({ statement, by }) => statement.credential === credential.credential && root.heirs.has(by))
      .map(({ statement }) => statement.at)
      .sort();
    authorities.set(credential.credential, {
      credential: credential.credential,
      person: credential.person,
      role: credential.role,
      recipient: credential.recipient,
      signer: credential.signer,
      statementHash: statementHash(compact),
      notBefore: credential.not_before,
      notAfter: credential.not_after,
      revokedAt: ends[0] ?? null,
    });
  }
  return { authorities };
}

/** A trusted root, until when it may sign, and who may revoke its credentials. */
interface Root {
  readonly publicKey: PublicKey;
  readonly until: Time | null;
  /** Itself and its successors: a replaced root revokes nothing of its successors. */
  readonly heirs: ReadonlySet<PublicKey>;
}

/**
 * Every root that a pinned one leads to, by key identifier.
 *
 * A root leads to its successor by its own signature, and to its predecessor by its own signature too. A pinned root is
 * ended by its own signature alone. Two different successions of one root, or a circle of them, are refused: otherwise a
 * root that was stolen after it had been replaced would lead whoever has pinned its successor to a root of the thief.
 */
function lineages(pinned: readonly PublicKey[], successions: readonly string[]): ReadonlyMap<string, Root> {
  const reached = new Set(pinned);
  const after = new Map<PublicKey, Succession>();
  const before = new Map<PublicKey, Succession>();
  // What is reached on the way is visited, too.
  for (const signer of reached) {
    for (const compact of successions) {
      if (readUnverified(compact).kid !== fingerprint(signer)) continue;
      const succession: Succession = verify(compact, Succession, signer);
      if (signer !== succession.old && signer !== succession.new) {
        throw new CryptoError('chain', 'a succession of other roots than its signer');
      }
      if (signer === succession.new && pinned.includes(succession.old)) continue;
      keepOnly(after, succession.old, succession);
      keepOnly(before, succession.new, succession);
      for (const root of [succession.old, succession.new]) {
        checkPublicKey(root);
        reached.add(root);
      }
    }
  }
  const rootOf = (publicKey: PublicKey): Root => ({
    publicKey,
    until: after.get(publicKey)?.at ?? null,
    heirs: heirsOf(publicKey, after),
  });
  return new Map([...reached].map((root) => [fingerprint(root), rootOf(root)]));
}

function keepOnly(known: Map<PublicKey, Succession>, root: PublicKey, succession: Succession): void {
  const other = known.get(root) ?? succession;
  if (other.old !== succession.old || other.new !== succession.new || other.at !== succession.at) {
    throw new CryptoError('chain', 'a root with two successors or two predecessors');
  }
  known.set(root, succession);
}

function heirsOf(root: PublicKey, after: ReadonlyMap<PublicKey, Succession>): ReadonlySet<PublicKey> {
  const heirs = new Set([root]);
  for (let next = after.get(root)?.new; next !== undefined; next = after.get(next)?.new) {
    if (heirs.has(next)) throw new CryptoError('chain', 'roots that succeed each other in a circle');
    heirs.add(next);
  }
  return heirs;
}

function verifyByRoot<S extends Statement>(compact: string, kind: Kind<S>, root: Root): S {
  const statement = verify(compact, kind, root.publicKey);
  if (root.until !== null && statement.at > root.until) {
    throw new CryptoError('chain', 'signed by a root after its successor took over');
  }
  return statement;
}

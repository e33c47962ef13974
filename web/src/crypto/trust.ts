/** From the organization root to everybody it vouches for: credentials and revocations, verified. */

import { b64uDecode, sameBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey, RecipientText, Time, Uuid } from './fields';
import { checkPublicKey, fingerprint, readUnverified, statementHash } from './signing';
import { Credential, type Kind, Revocation, type Role, type Statement, verify } from './statements';

/** How far the clocks of honest people may be apart. */
export const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;

/** Somebody the root vouches for, and for how long. */
export interface Authority {
  readonly credential: Uuid;
  readonly role: Role;
  /** Their age recipient; null for a service. */
  readonly recipient: RecipientText | null;
  /** Their Ed25519 public key; null for recovery. */
  readonly signer: PublicKey | null;
  readonly statementHash: Digest;
  readonly notBefore: Time;
  readonly notAfter: Time;
  readonly revokedAt: Time | null;
}

/** Everybody that the roots vouch for. */
export interface Trust {
  readonly authorities: ReadonlyMap<Uuid, Authority>;
}

/** Whether something signed at that time counts. Times in their one spelling are in the order of their texts. */
export function isValidAt(authority: Authority, at: Time): boolean {
  const revoked = authority.revokedAt !== null && at >= authority.revokedAt;
  return authority.notBefore <= at && at < authority.notAfter && !revoked;
}

/** All who ever had that role, valid now or not. */
export function ofRole(trust: Trust, role: Role): readonly Authority[] {
  return [...trust.authorities.values()].filter((authority) => authority.role === role);
}

/**
 * A statement by one of `authorities`, and by which; refuses one that none of them could sign then.
 *
 * When that was, the signer says: somebody who stole a key can date a statement back to before its revocation. What
 * shows that is the log, which knows when a statement arrived.
 */
export function verifyBy<S extends Statement>(
  compact: string,
  kind: Kind<S>,
  authorities: readonly Authority[],
): { readonly statement: S; readonly by: Authority } {
  const { kid } = readUnverified(compact);
  for (const by of authorities) {
    if (by.signer !== null && fingerprint(by.signer) === kid) {
      const statement = verify(compact, kind, by.signer);
      if (isValidAt(by, statement.at)) return { statement, by };
    }
  }
  throw new CryptoError('chain', `${kind.typ}: not signed by anybody who may`);
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
 * Verifies every credential and revocation against `roots`, which are already trusted.
 *
 * One that does not verify, or two that share an id or a key, is an error and not passed over: a reader who ignored
 * what is wrong would not notice that somebody is trying.
 */
export function establishTrust(
  roots: readonly PublicKey[],
  credentials: readonly string[],
  revocations: readonly string[] = [],
): Trust {
  const byKid = new Map(roots.map((root) => [fingerprint(root), root]));
  const revoked = new Map<Uuid, Time>();
  for (const compact of revocations) {
    const { credential, at } = verify(compact, Revocation, rootOf(compact, byKid));
    const known = revoked.get(credential);
    revoked.set(credential, known === undefined || at < known ? at : known);
  }
  const authorities = new Map<Uuid, Authority>();
  const signers = new Set<PublicKey>();
  for (const compact of credentials) {
    const credential = verify(compact, Credential, rootOf(compact, byKid));
    const { signer } = credential;
    if (authorities.has(credential.credential) || (signer !== null && signers.has(signer))) {
      throw new CryptoError('chain', 'two credentials share an id or a key');
    }
    if (signer !== null) {
      checkPublicKey(signer);
      signers.add(signer);
    }
    authorities.set(credential.credential, {
      credential: credential.credential,
      role: credential.role,
      recipient: credential.recipient,
      signer,
      statementHash: statementHash(compact),
      notBefore: credential.not_before,
      notAfter: credential.not_after,
      revokedAt: revoked.get(credential.credential) ?? null,
    });
  }
  return { authorities };
}

function rootOf(compact: string, byKid: ReadonlyMap<string, PublicKey>): PublicKey {
  const root = byKid.get(readUnverified(compact).kid);
  if (root === undefined) throw new CryptoError('chain', 'not signed by a trusted root');
  return root;
}

/** Who belongs to a case under the charter in force, and how long their keys are valid. */

import type { VerifiedCharter } from '../crypto/chain';
import { type Authority, isValidAt, ofRole, type Trust } from '../crypto/trust';
import { validNow } from './charters';
import type { CaseDetail, CaseMember, KeyStanding, Time, Uuid } from './contract';
import { now } from './stamps';

const SOON_MS = 60 * 24 * 60 * 60 * 1000;

/** When a credential ends: when it expires or was revoked. */
export function endOf({ notAfter, revokedAt }: Authority): Time {
  return revokedAt !== null && revokedAt < notAfter ? revokedAt : notAfter;
}

/** How long a credential is valid. */
export function standingOf(authority: Authority): KeyStanding {
  const end = endOf(authority);
  if (end <= now()) return 'ended';
  return end <= now(SOON_MS) ? 'ends-soon' : 'valid';
}

/** The longest valid credential of the same person and role, if it is valid now and outlasts this one. */
export function newerOf(trust: Trust, own: Authority): Authority | null {
  const newer = ofRole(trust, own.role)
    .filter((one) => one.person === own.person && one.credential !== own.credential)
    .filter((one) => isValidAt(one, now()) && endOf(one) > endOf(own))
    .sort((one, other) => endOf(one).localeCompare(endOf(other)));
  return newer.at(-1) ?? null;
}

/** Somebody listed in a charter. */
export function memberOf({ trust }: VerifiedCharter, authority: Authority, role: CaseMember['role']): CaseMember {
  const standing = standingOf(authority);
  const newer = role === 'mediator' && standing !== 'valid' ? newerOf(trust, authority) : null;
  const { credential, person } = authority;
  return { role, credential, person, standing, endsAt: endOf(authority), newer: newer?.credential ?? null };
}

/** Charter versions signed by a recovery key, newest first, and the mediators they added. */
export function recoveriesOf({ terms }: VerifiedCharter): CaseDetail['recoveries'] {
  return terms
    .map(({ byRecovery, mediators, since }, place) => {
      const before = new Set(terms[place - 1]?.mediators.map(({ credential }) => credential) ?? []);
      const came = mediators.map(({ credential }) => credential).filter((one) => !before.has(one));
      return { byRecovery, at: since, mediators: came };
    })
    .filter(({ byRecovery }) => byRecovery)
    .map(({ at, mediators }) => ({ at, mediators }))
    .reverse();
}

/** The credentials in a charter other than the mediators'. */
export interface Listed {
  readonly media: readonly Uuid[];
  readonly recovery: readonly Uuid[];
  /** Whether the case takes videos; if not, its media workers do not matter. */
  readonly processing: boolean;
}

export function listedBy({ media, policy, recovery }: VerifiedCharter): Listed {
  const ids = (listed: readonly Authority[]): Uuid[] => listed.map(({ credential }) => credential);
  return { media: ids(media), recovery: ids(recovery), processing: policy.server_processing };
}

/** Whether a charter lists media workers or recovery keys other than the valid ones. */
export function isOutdated({ media, recovery, processing }: Listed, trust: Trust): boolean {
  return (processing && !sameHolders(media, validNow(trust, 'media'))) || !sameHolders(recovery, validNow(trust, 'recovery'));
}

function sameHolders(listed: readonly Uuid[], valid: readonly Authority[]): boolean {
  const ids = new Set(listed);
  return ids.size === valid.length && valid.every(({ credential }) => ids.has(credential));
}

/** Who belongs to a case by the charter in force, and how long their keys last. */

import type { VerifiedCharter } from '../crypto/chain';
import { type Authority, isValidAt, ofRole, type Trust } from '../crypto/trust';
import { validNow } from './charters';
import type { CaseDetail, CaseMember, KeyStanding, Time, Uuid } from './contract';
import { now } from './stamps';

const SOON_MS = 60 * 24 * 60 * 60 * 1000;

/** When a credential ends: with its time, or where it was revoked. */
export function endOf({ notAfter, revokedAt }: Authority): Time {
  return revokedAt !== null && revokedAt < notAfter ? revokedAt : notAfter;
}

/** How long a credential lasts. */
export function standingOf(authority: Authority): KeyStanding {
  const end = endOf(authority);
  if (end <= now()) return 'ended';
  return end <= now(SOON_MS) ? 'ends-soon' : 'valid';
}

/** The credential of the same person and role that lasts longest, if it lasts longer than this one and is valid now. */
export function newerOf(trust: Trust, own: Authority): Authority | null {
  const newer = ofRole(trust, own.role)
    .filter((one) => one.person === own.person && one.credential !== own.credential)
    .filter((one) => isValidAt(one, now()) && endOf(one) > endOf(own))
    .sort((one, other) => endOf(one).localeCompare(endOf(other)));
  return newer.at(-1) ?? null;
}

/** Somebody whom a charter lists. */
export function memberOf({ trust }: VerifiedCharter, authority: Authority, role: CaseMember['role']): CaseMember {
  const standing = standingOf(authority);
  const newer = role === 'mediator' && standing !== 'valid' ? newerOf(trust, authority) : null;
  const { credential, person } = authority;
  return { role, credential, person, standing, endsAt: endOf(authority), newer: newer?.credential ?? null };
}

/** The versions that a recovery key put in force, the latest first, and whom they brought. */
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

/** The credentials besides the mediators' that a charter lists. */
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

/** Whether a charter lists other media workers or recovery keys than those that are valid now. */
export function isOutdated({ media, recovery, processing }: Listed, trust: Trust): boolean {
  return (processing && !sameHolders(media, validNow(trust, 'media'))) || !sameHolders(recovery, validNow(trust, 'recovery'));
}

function sameHolders(listed: readonly Uuid[], valid: readonly Authority[]): boolean {
  const ids = new Set(listed);
  return ids.size === valid.length && valid.every(({ credential }) => ids.has(credential));
}

/** What a reader verifies before believing relay: whose words, reviewed by whom, under which charter. */

import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import type { PublicKey } from '../crypto/fields';
import * as release from '../crypto/release';
import { fingerprint, readUnverified, statementHash } from '../crypto/signing';
import { Captions, Claim, decodeUnverified, Link, Message, Rendition, Verification } from '../crypto/statements';
import { establishTrust, type Trust } from '../crypto/trust';
import type { Uuid } from './contract';
import type { Device } from './device';
import { Refused } from './refusing';
import type { components } from './schema';

type Schemas = components['schemas'];

/** Whose words a message is, once verified: by which key, and who vouches for it. */
export type Provenance =
  | { readonly by: 'participant'; readonly claimVerifiedBy: Uuid }
  | { readonly by: 'upload-link' }
  | { readonly by: 'mediator'; readonly mediator: Uuid };

export interface VerifiedItem {
  readonly item: release.Item;
  readonly provenance: Provenance;
  /** The media worker that made the rendition. */
  readonly preparedBy: Uuid | null;
}

/**
 * Runs what only throws where relay, or whoever altered what it says, is not to be believed: `untrusted`, whatever it was.
 * A page is not told which check failed, and sends nothing more.
 */
export async function trusting<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused('untrusted');
  }
}

/** Everybody whom the root vouches for whose fingerprint one holds. */
export function trustOf(found: Schemas['Credentials'] | Schemas['Trust'], rootFingerprint: string): Trust {
  const pinned = found.roots.filter((root) => fingerprint(root) === rootFingerprint);
  if (pinned.length === 0) throw new Refused('untrusted');
  const revocations = found.credentials.map(({ revocation }) => revocation).filter((revocation) => revocation !== null);
  return establishTrust(pinned, found.credentials.map(({ credential }) => credential), revocations);
}

/** The case's charter, verified up to the root whose fingerprint one holds, and no older than this device has seen. */
export async function verifyTrust(trust: Schemas['Trust'], rootFingerprint: string, device: Device): Promise<VerifiedCharter> {
  return expected(chain.verifyCharters(trustOf(trust, rootFingerprint), trust.charters), rootFingerprint, device);
}

export async function expected(charter: VerifiedCharter, rootFingerprint: string, device: Device): Promise<VerifiedCharter> {
  await device.expectCharter(rootFingerprint, charter.case, charter.version, charter.statementHash);
  return charter;
}

/**
 * A message with its rendition and captions, each verified by the key of whoever must have signed it.
 *
 * `compacts`: the statements of the three, as far as they exist. `origin`: the sender's claim with its verification, or
 * the upload link; nothing for a letter that a mediator wrote down.
 */
export function verifyItem(compacts: readonly string[], origin: readonly string[], charter: VerifiedCharter): VerifiedItem {
  const byType = sorted(compacts);
  const compact = byType.get(Message.typ);
  if (compact === undefined) throw new Refused('untrusted');
  const { from } = decodeUnverified(compact, Message);
  const { message, provenance } = origin.length === 0 ? relayed(compact, charter, from) : own(compact, charter, from, origin);
  const renditionCompact = byType.get(Rendition.typ);
  const made = renditionCompact === undefined ? null : chain.verifyRendition(renditionCompact, charter, message, statementHash(compact));
  const captionsCompact = byType.get(Captions.typ);
  const item = release.item(
    { statement: message, compact },
    made === null || renditionCompact === undefined ? null : { statement: made.statement, compact: renditionCompact },
    captionsCompact === undefined
      ? null
      : { statement: charter.verifyByMediator(captionsCompact, Captions).statement, compact: captionsCompact },
  );
  return { item, provenance, preparedBy: made?.by.credential ?? null };
}

/** Whether the sender's keys were claimed and no mediator has checked them yet: nothing is wrong, and nothing is shown. */
export function isUnchecked(origin: readonly string[]): boolean {
  const byType = sorted(origin);
  return byType.has(Claim.typ) && !byType.has(Verification.typ);
}

interface Attributed {
  readonly message: Message;
  readonly provenance: Provenance;
}

function relayed(compact: string, charter: VerifiedCharter, sender: Uuid): Attributed {
  const { statement, by } = chain.verifyRelayedMessage(compact, charter, sender);
  return { message: statement, provenance: { by: 'mediator', mediator: by.credential } };
}

function own(compact: string, charter: VerifiedCharter, sender: Uuid, origin: readonly string[]): Attributed {
  const { signer, provenance } = sourceOf(sorted(origin), charter, sender);
  return { message: chain.verifyMessage(compact, charter.case, sender, signer), provenance };
}

/** The key that the words of `sender` are signed with. */
function sourceOf(
  origin: ReadonlyMap<string, string>,
  charter: VerifiedCharter,
  sender: Uuid,
): { readonly signer: PublicKey; readonly provenance: Provenance } {
  const claim = origin.get(Claim.typ);
  if (claim !== undefined) {
    const { participant, signer, verifiedBy } = chain.verifyParticipant(claim, origin.get(Verification.typ) ?? '', charter);
    if (participant !== sender) throw new Refused('untrusted');
    return { signer, provenance: { by: 'participant', claimVerifiedBy: verifiedBy.credential } };
  }
  const { participant, signer } = chain.verifyLink(origin.get(Link.typ) ?? '', charter).statement;
  if (participant !== sender || signer === null) throw new Refused('untrusted');
  return { signer, provenance: { by: 'upload-link' } };
}

function sorted(compacts: readonly string[]): Map<string, string> {
  return new Map(compacts.map((compact) => [readUnverified(compact).typ, compact]));
}

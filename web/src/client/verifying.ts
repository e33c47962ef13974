/** What a reader verifies before believing relay: the chain of trust, then who wrote it and who reviewed it. */

import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import { CryptoError } from '../crypto/errors';
import type { Digest } from '../crypto/values';
import type { Fragment } from '../crypto/links';
import * as release from '../crypto/release';
import { fingerprint, readUnverified, statementHash } from '../crypto/signing';
import { Captions, decodeUnverified, Message, Rendition } from '../crypto/statements';
import { establishTrust, type Trust } from '../crypto/trust';
import type { Gate, Uuid } from './contract';
import type { Device } from './device';
import { Refused } from './refusing';
import type { components } from './schema';

type Schemas = components['schemas'];

/** The author of a verified message: by which key, and who vouches for it. */
export type Provenance =
  | { readonly by: 'participant'; readonly link: Uuid; readonly claimVerifiedBy: Uuid | null }
  | { readonly by: 'upload-link' }
  | { readonly by: 'mediator'; readonly mediator: Uuid };

export interface VerifiedItem {
  readonly item: release.Item;
  readonly provenance: Provenance;
  /** The media worker that made the rendition. */
  readonly preparedBy: Uuid | null;
}

/**
 * Establishes whom to believe (root, credentials, charter, one's own link): `untrusted` on any failure. A page is not
 * told which check failed, and sends nothing more. Checks of a single record use `reading` instead.
 */
export async function trusting<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused('untrusted');
  }
}

/** Everybody whom the root with this fingerprint vouches for. */
export function trustOf(found: Schemas['Credentials'] | Schemas['Trust'], rootFingerprint: string): Trust {
  const pinned = found.roots.filter((root) => fingerprint(root) === rootFingerprint);
  if (pinned.length === 0) throw new Refused('untrusted');
  const revocations = found.credentials.map(({ revocation }) => revocation).filter((revocation) => revocation !== null);
  return establishTrust(pinned, found.credentials.map(({ credential }) => credential), revocations, found.successions);
}

/** The charter of the case that a link leads into, from the root whose fingerprint is in the link's address. */
export async function verifyTrust(
  trust: Schemas['Trust'],
  { rootFingerprint, anchor }: Pick<Fragment, 'rootFingerprint' | 'anchor'>,
  device: Device,
): Promise<VerifiedCharter> {
  const charter = chain.verifyCharters(trustOf(trust, rootFingerprint), trust.registration, trust.charters);
  chain.checkAnchor(charter, anchor);
  await device.expectCharter(rootFingerprint, charter);
  return charter;
}

/**
 * A message with its rendition and captions, each verified by the key of whoever had to sign it.
 *
 * `compacts`: the existing statements of the three. `origin`: the sender's origin, as `chain.verifyOrigin` takes it;
 * empty for a letter that a mediator wrote down. The item's `standing` tells whether the sender is known. Call it
 * within `reading` a record.
 */
export function verifyItem(compacts: readonly string[], origin: readonly string[], charter: VerifiedCharter): VerifiedItem {
  const byType = new Map(compacts.map((compact) => [readUnverified(compact).typ, compact]));
  const { message, provenance, standing } = verifyWords(byType.get(Message.typ) ?? '', origin, charter);
  const made = verifyRendition(byType.get(Rendition.typ) ?? null, charter, message);
  const captions = verifyCaptions(byType.get(Captions.typ) ?? null, charter);
  return { item: release.item(standing, message, made?.read ?? null, captions), provenance, preparedBy: made?.by ?? null };
}

/** The statement of a message, verified with its author's key; `origin` as above. */
export function verifyWords(compact: string, origin: readonly string[], charter: VerifiedCharter): VerifiedWords {
  return origin.length === 0 ? relayed(compact, charter) : own(compact, charter, origin);
}

/** What a media worker made of a verified message, and which worker; null if there is none. */
export function verifyRendition(
  compact: string | null,
  charter: VerifiedCharter,
  { statement: message, compact: source }: release.Read<Message>,
): { readonly read: release.Read<Rendition>; readonly by: Uuid } | null {
  if (compact === null) return null;
  const { statement, by } = chain.verifyRendition(compact, charter, message, statementHash(source));
  return { read: { statement, compact }, by: by.credential };
}

/** A mediator's captions; `release.item` says whether they are of this message. */
export function verifyCaptions(compact: string | null, charter: VerifiedCharter): release.Read<Captions> | null {
  return compact === null ? null : { statement: charter.verifyByMediator(compact, Captions).statement, compact };
}

/**
 * Both consents that an offer of this message requires, by hash: the sender's, then the recipient's. Call it within
 * `reading` a record.
 */
export function verifyConsents(message: Schemas['ReviewMessage'], charter: VerifiedCharter): readonly Digest[] {
  const { consents, from, gates, to } = message;
  const said: readonly (readonly [Schemas['SignedConsent'] | null, Uuid, Gate])[] = [
    [consents.sender, from, 'sender-consent'],
    [consents.recipient, to, 'recipient-consent'],
  ];
  return said.map(([signed, participant, gate]) => {
    if (signed === null || gates.includes(gate)) throw new Refused('refused', { code: 'gate-closed', gates: [gate] });
    const consent = chain.verifyConsent(signed.statement, charter, signed.origin);
    if (consent.participant !== participant || consent.status !== 'active') throw new CryptoError('chain', 'another consent');
    return statementHash(signed.statement);
  });
}

export interface VerifiedWords {
  readonly message: release.Read<Message>;
  readonly provenance: Provenance;
  readonly standing: chain.Standing;
}

function relayed(compact: string, charter: VerifiedCharter): VerifiedWords {
  const { statement, by } = chain.verifyRelayedMessage(compact, charter, decodeUnverified(compact, Message).from);
  return { message: { statement, compact }, provenance: { by: 'mediator', mediator: by.credential }, standing: 'verified' };
}

function own(compact: string, charter: VerifiedCharter, statements: readonly string[]): VerifiedWords {
  const origin = chain.verifyOrigin(statements, charter);
  const message = chain.verifyMessage(compact, charter, origin);
  const provenance: Provenance =
    origin.claim === null ? { by: 'upload-link' } : { by: 'participant', link: origin.link.link, claimVerifiedBy: origin.verifiedBy?.credential ?? null };
  return { message: { statement: message, compact }, provenance, standing: origin.standingAt(message.at) };
}

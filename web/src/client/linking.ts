/** Creates and ends links. Relay sees no part of a link's secret that it could open. */

import * as age from '../crypto/age';
import type { VerifiedCharter } from '../crypto/chain';
import { b64uEncode } from '../crypto/encoding';
import type { Keyring } from '../crypto/keyrings';
import { authDigest, LinkSecret } from '../crypto/links';
import type { Signer } from '../crypto/signing';
import { sha256 } from '../crypto/sodium';
import * as statements from '../crypto/statements';
import type { Purpose, Uuid } from './contract';
import { newId, now } from './stamps';
import type { components } from './schema';
import { toBase64 } from './wire';

const UPLOAD_LINK_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface MadeLink {
  readonly id: Uuid;
  readonly secret: LinkSecret;
  readonly body: components['schemas']['NewLink'];
}

/**
 * A new link into the case of `charter`, signed by a mediator.
 *
 * For a link to be claimed, the key that checks the claim is sealed to the case, and the secret to its maker alone, who
 * can show it again until it is claimed. The secret of an upload link is not stored anywhere.
 */
export function makeLink({ identity, signer }: Keyring, charter: VerifiedCharter, participant: Uuid, purpose: Purpose): MadeLink {
  const id = newId();
  const secret = LinkSecret.generate();
  const isUpload = purpose === 'upload';
  const sealed = isUpload ? null : age.sealFile(secret.claimKey(id), [age.parseRecipient(charter.recipient)]);
  const again = isUpload ? null : age.sealFile(secret.secret, [identity.recipient]);
  const statement = statements.sign(signer, statements.Link, {
    at: now(),
    link: id,
    case: charter.case,
    charter: charter.statementHash,
    participant,
    purpose,
    auth: authDigest(secret.auth(id)),
    signer: isUpload ? secret.signer(id).publicKey : null,
    sealed: sealed === null ? null : b64uEncode(sha256(sealed)),
    expires: isUpload ? now(UPLOAD_LINK_DAYS * DAY_MS) : null,
  });
  return { id, secret, body: { statement, sealed: textOf(sealed), again: textOf(again) } };
}

/** The key that checks a link's claim, from its sealed form for the case. */
export function openClaimKey(sealed: Uint8Array, identities: readonly age.Identity[]): Uint8Array {
  return age.openFile(sealed, identities);
}

/** A signed statement by a mediator that ends a link. */
export function endLink(
  signer: Signer,
  { link, case: caseId, participant }: Pick<statements.Link, 'link' | 'case' | 'participant'>,
  reason: statements.LinkEnding['reason'],
): string {
  return statements.sign(signer, statements.LinkEnding, { at: now(), link, case: caseId, participant, reason });
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toBase64(bytes);
}

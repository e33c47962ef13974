/** Makes a link: its secret, its signed statement, and the secret sealed to the case for its mediators. */

import * as age from '../crypto/age';
import { b64uEncode } from '../crypto/encoding';
import { authDigest, LinkSecret } from '../crypto/links';
import type { Signer } from '../crypto/signing';
import { sha256 } from '../crypto/sodium';
import * as statements from '../crypto/statements';
import type { Purpose, Uuid } from './contract';
import { newId, now } from './moments';
import type { components } from './schema';
import { fromBase64, toBase64 } from './wire';

const UPLOAD_LINK_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface LinkTo {
  readonly caseId: Uuid;
  readonly caseRecipient: string;
  readonly participant: Uuid;
  readonly purpose: Purpose;
}

export interface MadeLink {
  readonly id: Uuid;
  readonly secret: LinkSecret;
  readonly body: components['schemas']['NewLink'];
}

/** A new link, signed by a mediator; relay sees its secret only sealed to the case. */
export function makeLink(signer: Signer, { caseId, caseRecipient, participant, purpose }: LinkTo): MadeLink {
  const id = newId();
  const secret = LinkSecret.generate();
  const sealed = age.sealFile(secret.secret, [age.parseRecipient(caseRecipient)]);
  const isUpload = purpose === 'upload';
  const statement = statements.sign(signer, statements.Link, {
    at: now(),
    link: id,
    case: caseId,
    participant,
    purpose,
    auth: authDigest(secret.auth(id)),
    signer: isUpload ? secret.signer(id).publicKey : null,
    sealed: b64uEncode(sha256(sealed)),
    expires: isUpload ? now(UPLOAD_LINK_DAYS * DAY_MS) : null,
  });
  return { id, secret, body: { statement, sealed: toBase64(sealed) } };
}

/** The secret of a link, with the identity of its case. */
export function openSecret(sealed: string, identity: age.Identity): LinkSecret {
  return new LinkSecret(age.openFile(fromBase64(sealed), [identity]));
}

/** A participant's link: the secret in it, and what is derived from that without showing it to the server. */

import { type Bytes, b64uDecode, b64uEncode, concat, isUuid, utf8, uuidBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey, RecipientText, Uuid } from './values';
import { FINGERPRINT_BYTES, Signer } from './signing';
import { hkdf, hmacSha256, randomBytes, sha256 } from './sodium';

export const SECRET_BYTES = 16;
/** The number of bytes of a charter's hash in the address of a link. */
export const ANCHOR_BYTES = 16;

/** A public URL is ASCII without spaces, as in statements; what is between here leaves out # and ?. */
const URL_OF_LINK = /^(https?:\/\/[!-"$->@-~]+?)\/l\/([^#/]{36})#(.+)$/;
const FRAGMENT = /^[A-Za-z0-9_-]{64}$/;

/** The 16 random bytes in a link's fragment. Everything else is derived from them and the link's id. */
export class LinkSecret {
  readonly secret: Bytes;

  constructor(secret: Bytes) {
    if (secret.length !== SECRET_BYTES) throw new CryptoError('link', "a link's secret has 16 bytes");
    this.secret = secret;
  }

  /** A new secret. */
  static generate(): LinkSecret {
    return new LinkSecret(randomBytes(SECRET_BYTES));
  }

  /** The bearer, base64url of 32 bytes, that lets somebody fetch and claim the link. The server knows its hash. */
  auth(link: Uuid): string {
    return b64uEncode(this.#derive(link, 'auth'));
  }

  /** 32 bytes: the key of the MAC in the claim. */
  claimKey(link: Uuid): Bytes {
    return this.#derive(link, 'claim');
  }

  /** 32 bytes: the salt with which the participant's passphrase is stretched. */
  unlock(link: Uuid): Bytes {
    return this.#derive(link, 'unlock');
  }

  /** Signs what comes through an upload link. */
  signer(link: Uuid): Signer {
    return new Signer(this.#derive(link, 'signer'));
  }

  #derive(link: Uuid, what: 'auth' | 'claim' | 'unlock' | 'signer'): Bytes {
    return hkdf(this.secret, uuidBytes(link), utf8(`relay/v1/link/${what}`));
  }
}

/** What follows the # in a link's address, which never leaves the browser. */
export interface Fragment {
  readonly secret: LinkSecret;
  /** 16 bytes as base64url: the one root that whoever opens the link trusts. */
  readonly rootFingerprint: string;
  /** The first 16 bytes of the hash of a charter, as base64url: the one case that the link leads into. */
  readonly anchor: string;
}

/** What a link's address says. */
export interface LinkAddress extends Fragment {
  readonly publicUrl: string;
  readonly id: Uuid;
}

/** `{public URL}/l/{link id}#{secret, fingerprint, anchor}`; no browser sends what follows the #. */
export function linkUrl(publicUrl: string, id: Uuid, secret: LinkSecret, rootFingerprint: string, anchor: string): string {
  if (!isUuid(id)) throw new CryptoError('link', "a link's id is a uuid");
  const [fingerprint, hash] = [b64uDecode(rootFingerprint), b64uDecode(anchor)];
  if (fingerprint.length !== FINGERPRINT_BYTES || hash.length !== ANCHOR_BYTES) {
    throw new CryptoError('link', "a root's fingerprint and the anchor of a case have 16 bytes each");
  }
  return `${publicUrl.replace(/\/+$/, '')}/l/${id}#${b64uEncode(concat(secret.secret, fingerprint, hash))}`;
}

/** The anchor in a link's address for the charter with that hash. */
export function anchorOf(charter: Digest): string {
  return b64uEncode(b64uDecode(charter).subarray(0, ANCHOR_BYTES));
}

/** What linkUrl was given; the error for anything else does not quote the address. */
export function parseLinkUrl(url: string): LinkAddress {
  const [, publicUrl, id, fragment] = URL_OF_LINK.exec(url) ?? [];
  if (publicUrl === undefined || id === undefined || fragment === undefined || !isUuid(id)) {
    throw new CryptoError('link', 'not the address of a link');
  }
  return { publicUrl, id, ...parseFragment(fragment) };
}

/** What follows the # in the address that linkUrl makes. */
export function parseFragment(fragment: string): Fragment {
  if (!FRAGMENT.test(fragment)) throw new CryptoError('link', 'not the fragment of a link');
  const bytes = b64uDecode(fragment);
  return {
    secret: new LinkSecret(bytes.slice(0, SECRET_BYTES)),
    rootFingerprint: b64uEncode(bytes.subarray(SECRET_BYTES, -ANCHOR_BYTES)),
    anchor: b64uEncode(bytes.subarray(-ANCHOR_BYTES)),
  };
}

/** SHA-256 of a link's bearer: what the link statement names and the server compares. */
export function authDigest(auth: string): Digest {
  return b64uEncode(sha256(b64uDecode(auth)));
}

/** What a claim's MAC covers, as encoded in the claim. */
export interface ClaimMembers {
  readonly link: Uuid;
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly recipient: RecipientText;
  readonly signer: PublicKey;
}

/** HMAC-SHA256 over the claim's members, one per line: only somebody with the link can compute it. */
export function claimMac(claimKey: Uint8Array, claim: ClaimMembers): Digest {
  const lines = ['relay/v1/claim', claim.link, claim.case, claim.participant, claim.recipient, claim.signer];
  return b64uEncode(hmacSha256(claimKey, utf8(lines.join('\n'))));
}

/**
 * Signs and verifies statements: Ed25519 in JWS compact form (RFC 7515, RFC 8037), in one spelling only.
 *
 * The protected header is always the bytes `{"alg":"EdDSA","kid":"…","typ":"…"}`. A reader compares it whole, so there
 * is nothing in it to choose, to add or to repeat, and a statement of one type never passes for another.
 */

import { type Bytes, b64uDecode, b64uEncode, utf8 } from './encoding';
import { CryptoError } from './errors';
import type { Digest, PublicKey } from './values';
import { isValidPoint, randomBytes, sha256, signDetached, signingPair, type SigningPair, verifyDetached } from './sodium';

/** Longest compact statement that is read: room for the segment digests of a video of 30 GiB. */
export const STATEMENT_MAX_BYTES = 256 * 1024;
export const FINGERPRINT_BYTES = 16;

const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;
const HEADER = /^\{"alg":"EdDSA","kid":"([A-Za-z0-9_-]{22})","typ":"([a-z][a-z+-]{0,63})"\}$/;

/** An Ed25519 private key. */
export class Signer {
  readonly seed: Bytes;
  readonly publicKey: PublicKey;
  /** How statements name the public key. */
  readonly kid: string;
  readonly #pair: SigningPair;

  /** The key that `seed` (32 bytes) makes. */
  constructor(seed: Bytes) {
    if (seed.length !== SEED_BYTES) throw new CryptoError('key', 'an Ed25519 seed has 32 bytes');
    this.seed = seed;
    this.#pair = signingPair(seed);
    this.publicKey = b64uEncode(this.#pair.publicKey);
    this.kid = fingerprint(this.publicKey);
  }

  /** A new key. */
  static generate(): Signer {
    return new Signer(randomBytes(SEED_BYTES));
  }

  /** 64 bytes of signature, the same for the same data. */
  sign(data: Uint8Array): Bytes {
    return signDetached(this.#pair.secretKey, data);
  }
}

/** What a statement claims, before its signature was checked; only good for finding the key. */
export interface Unverified {
  readonly typ: string;
  readonly kid: string;
  readonly payload: string;
}

/** The first 16 bytes of the SHA-256 of a public key as base64url: the `kid` of a statement, the pin of a root. */
export function fingerprint(publicKey: PublicKey): string {
  return b64uEncode(sha256(b64uDecode(publicKey)).subarray(0, FINGERPRINT_BYTES));
}

/** Refuses what is not a canonical point of the prime-order group: no key that signs for all. */
export function checkPublicKey(publicKey: PublicKey): void {
  if (!isValidPoint(b64uDecode(publicKey))) throw new CryptoError('key', 'not an Ed25519 public key');
}

/** The compact JWS of `payload` under a statement type such as `relay-message+jws`. */
export function signStatement(signer: Signer, typ: string, payload: string): string {
  const header = `{"alg":"EdDSA","kid":"${signer.kid}","typ":"${typ}"}`;
  if (!HEADER.test(header)) throw new RangeError('not a statement type');
  const covered = `${b64uEncode(utf8(header))}.${b64uEncode(utf8(payload))}`;
  const compact = `${covered}.${b64uEncode(signer.sign(utf8(covered)))}`;
  if (compact.length > STATEMENT_MAX_BYTES) throw new CryptoError('statement', 'the statement is too long');
  return compact;
}

/** The payload, if `compact` is a statement of type `typ` signed by `publicKey`. */
export function verifyStatement(compact: string, typ: string, publicKey: PublicKey): string {
  const claimed = readUnverified(compact);
  if (claimed.typ !== typ) throw new CryptoError('statement', 'a statement of another type');
  if (claimed.kid !== fingerprint(publicKey)) throw new CryptoError('statement', 'a statement signed by another key');
  checkPublicKey(publicKey);
  const dot = compact.lastIndexOf('.');
  const signature = b64uDecode(compact.slice(dot + 1));
  if (!verifyDetached(b64uDecode(publicKey), utf8(compact.slice(0, dot)), signature)) {
    throw new CryptoError('statement', 'the signature does not hold');
  }
  return claimed.payload;
}

/** Type, key and payload as claimed; refuses what is not spelled as a statement is. */
export function readUnverified(compact: string): Unverified {
  if (compact.length > STATEMENT_MAX_BYTES) throw new CryptoError('statement', 'the statement is too long');
  const [header, payload, signature, ...more] = compact.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new CryptoError('statement', 'not a compact JWS');
  }
  const [, kid, typ] = HEADER.exec(textOf(header)) ?? [];
  if (kid === undefined || typ === undefined || b64uDecode(signature).length !== SIGNATURE_BYTES) {
    throw new CryptoError('statement', 'not the header or signature of a statement');
  }
  return { typ, kid, payload: textOf(payload) };
}

/** SHA-256 of the compact form: how one statement names another. The caller has verified it. */
export function statementHash(compact: string): Digest {
  return b64uEncode(sha256(utf8(compact)));
}

function textOf(part: string): string {
  const bytes = b64uDecode(part);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CryptoError('statement', 'not UTF-8');
  }
}

/**
 * The post-quantum hybrid recipient of age, the only one that relay itself wraps for: ML-KEM-768 with X25519.
 *
 * Wrapping is HPKE (RFC 9180, base mode) with the KEM MLKEM768-X25519, also known as X-Wing. It holds while either
 * half does, so a letter recorded today stays closed to a quantum computer of tomorrow. ML-KEM and SHA-3, which
 * libsodium's build for browsers lacks, are noble's; X25519 is libsodium's, which takes the same time for every key.
 */

import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, b64Encode, bech32Decode, bech32Encode, concat, utf8 } from './encoding';
import { CryptoError } from './errors';
import { FILE_KEY_BYTES, type FileKey } from './filekeys';
import type { Identity, Recipient } from './header';
import { hkdfExpand, hkdfExtract, openChunk, randomBytes, sealChunk, x25519Public, x25519Shared } from './sodium';
import { binaryArgument, type Stanza, stanzasOf, WRAPPED_BYTES } from './stanzas';

export const HYBRID_RECIPIENT_PREFIX = 'age1pq';
export const HYBRID_IDENTITY_PREFIX = 'AGE-SECRET-KEY-PQ-';

const TYPE = 'mlkem768x25519';
const INFO = utf8('age-encryption.org/mlkem768x25519');
/** HPKE's names of MLKEM768-X25519, HKDF-SHA256 and ChaCha20-Poly1305. */
const SUITE = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03));
const MODE_BASE = Uint8Array.of(0);
const EMPTY = new Uint8Array();
const XWING_LABEL = utf8('\\.//^\\');
const SEED_BYTES = 32;
const X25519_BYTES = 32;
const MLKEM_SEED_BYTES = 64;
const MLKEM_PUBLIC_BYTES = 1184;
const MLKEM_SHARE_BYTES = 1088;

/** A public key: ML-KEM-768 encapsulation key, then X25519 public key, 1216 bytes together. */
export class HybridRecipient implements Recipient {
  readonly family = 'post-quantum';
  readonly publicKey: Bytes;

  constructor(publicKey: Bytes) {
    if (publicKey.length !== MLKEM_PUBLIC_BYTES + X25519_BYTES) throw new CryptoError('key', 'a hybrid public key has 1216 bytes');
    if (!isReduced(publicKey.subarray(0, MLKEM_PUBLIC_BYTES))) throw new CryptoError('key', 'not an ML-KEM-768 public key');
    this.publicKey = publicKey;
  }

  /** Reads `age1pq1…`. */
  static parse(text: string): HybridRecipient {
    const { prefix, data } = bech32Decode(text);
    if (prefix !== HYBRID_RECIPIENT_PREFIX) throw new CryptoError('key', 'not a hybrid recipient');
    return new HybridRecipient(data);
  }

  toString(): string {
    return bech32Encode(HYBRID_RECIPIENT_PREFIX, this.publicKey);
  }

  wrap(fileKey: FileKey): Stanza {
    const point = this.publicKey.subarray(MLKEM_PUBLIC_BYTES);
    const ephemeral = randomBytes(X25519_BYTES);
    const share = x25519Public(ephemeral);
    const classic = x25519Shared(ephemeral, point);
    if (classic === null) throw new CryptoError('key', 'the X25519 half of a recipient is of low order');
    const mlkem = ml_kem768.encapsulate(this.publicKey.subarray(0, MLKEM_PUBLIC_BYTES));
    const { key, nonce } = keySchedule(combine(mlkem.sharedSecret, classic, share, point));
    const body = new Uint8Array(WRAPPED_BYTES);
    sealChunk(key, nonce, fileKey, body, 0);
    return { type: TYPE, arguments: [b64Encode(concat(mlkem.cipherText, share))], body };
  }
}

/** The secret: a 32-byte seed, from which both private keys are made. */
export class HybridIdentity implements Identity {
  readonly seed: Bytes;
  readonly recipient: HybridRecipient;
  readonly #mlkem: Uint8Array;
  readonly #x25519: Uint8Array;

  constructor(seed: Bytes) {
    if (seed.length !== SEED_BYTES) throw new CryptoError('key', 'a hybrid seed has 32 bytes');
    this.seed = seed;
    const expanded = shake256(seed, { dkLen: MLKEM_SEED_BYTES + X25519_BYTES });
    const mlkem = ml_kem768.keygen(expanded.subarray(0, MLKEM_SEED_BYTES));
    this.#mlkem = mlkem.secretKey;
    this.#x25519 = expanded.subarray(MLKEM_SEED_BYTES);
    this.recipient = new HybridRecipient(concat(mlkem.publicKey, x25519Public(this.#x25519)));
  }

  /** A new identity. */
  static generate(): HybridIdentity {
    return new HybridIdentity(randomBytes(SEED_BYTES));
  }

  /** Reads `AGE-SECRET-KEY-PQ-1…`. */
  static parse(text: string): HybridIdentity {
    const { prefix, data } = bech32Decode(text);
    if (prefix !== HYBRID_IDENTITY_PREFIX) throw new CryptoError('key', 'not a hybrid identity');
    return new HybridIdentity(data);
  }

  toString(): string {
    return bech32Encode(HYBRID_IDENTITY_PREFIX, this.seed);
  }

  unwrap(stanzas: readonly Stanza[]): FileKey | null {
    let found: FileKey | null = null;
    for (const stanza of stanzasOf(stanzas, TYPE, 1)) {
      const encapsulated = binaryArgument(stanza, 0, MLKEM_SHARE_BYTES + X25519_BYTES);
      const share = encapsulated.subarray(MLKEM_SHARE_BYTES);
      const classic = x25519Shared(this.#x25519, share);
      // Its share would be known to everybody: age requires the file to be refused, not the stanza skipped.
      if (classic === null) throw new CryptoError('header', 'a share of low order');
      if (found === null) {
        const mlkem = ml_kem768.decapsulate(encapsulated.subarray(0, MLKEM_SHARE_BYTES), this.#mlkem);
        const point = this.recipient.publicKey.subarray(MLKEM_PUBLIC_BYTES);
        const { key, nonce } = keySchedule(combine(mlkem, classic, share, point));
        const fileKey = new Uint8Array(FILE_KEY_BYTES);
        if (openChunk(key, nonce, stanza.body, fileKey, 0)) found = fileKey;
      }
    }
    return found;
  }
}

/** X-Wing: one secret out of both, which also binds the X25519 share and key (ML-KEM's own secret binds the rest). */
function combine(mlkem: Uint8Array, classic: Uint8Array, share: Uint8Array, point: Uint8Array): Uint8Array {
  return sha3_256(concat(mlkem, classic, share, point, XWING_LABEL));
}

/** Key and nonce of the one thing that is sealed under a shared secret: RFC 9180, section 5.1, base mode. */
function keySchedule(sharedSecret: Uint8Array): { readonly key: Bytes; readonly nonce: Bytes } {
  const context = concat(MODE_BASE, labeledExtract(EMPTY, 'psk_id_hash', EMPTY), labeledExtract(EMPTY, 'info_hash', INFO));
  const secret = labeledExtract(sharedSecret, 'secret', EMPTY);
  return { key: labeledExpand(secret, 'key', context, 32), nonce: labeledExpand(secret, 'base_nonce', context, 12) };
}

function labeledExtract(salt: Uint8Array, label: string, key: Uint8Array): Bytes {
  return hkdfExtract(concat(utf8('HPKE-v1'), SUITE, utf8(label), key), salt);
}

function labeledExpand(secret: Bytes, label: string, info: Uint8Array, size: number): Bytes {
  return hkdfExpand(secret, concat(Uint8Array.of(0, size), utf8('HPKE-v1'), SUITE, utf8(label), info), size);
}

/** Whether all coefficients of an ML-KEM key, 12 bits each, are below q: FIPS 203, section 7.2. */
function isReduced(encapsulationKey: Uint8Array): boolean {
  const coefficients = encapsulationKey.subarray(0, -32);
  for (let at = 0; at < coefficients.length; at += 3) {
    const [first = 0, second = 0, third = 0] = coefficients.subarray(at, at + 3);
    if ((first | ((second & 15) << 8)) >= 3329 || ((second >>> 4) | (third << 4)) >= 3329) return false;
  }
  return true;
}

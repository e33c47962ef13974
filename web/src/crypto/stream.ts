/**
 * Seals and opens the payload of an age file: a nonce, then 64 KiB chunks of ChaCha20-Poly1305.
 *
 * The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, 2015) as age v1 has it. A chunk's nonce is its place
 * in the file and whether it is the last one, so chunks cannot be reordered, repeated, dropped or appended to without
 * the reader noticing; each is authentic by itself, so it may be used before the next arrives. What is *not* known
 * before `finish` is whether the file was cut short.
 */

import { type Bytes, concat, utf8 } from './encoding';
import { CryptoError } from './errors';
import type { FileKey } from './filekeys';
import { hkdf, openChunk, randomBytes, sealChunk } from './sodium';

/** The random bytes that a body starts with; they make the payload key from the file key. */
export const NONCE_BYTES = 16;
/** Plaintext in every chunk but the last. */
export const CHUNK_BYTES = 64 * 1024;
export const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;

const EMPTY = new Uint8Array();

/** The key of one body. It is never used for anything else, so counting nonces is safe. */
export function payloadKey(fileKey: FileKey, nonce: Uint8Array): Bytes {
  return hkdf(fileKey, nonce, utf8('payload'));
}

/** 11 bytes of big-endian chunk number, then 1 for the last chunk and 0 for all others. */
export function chunkNonce(counter: number, final: boolean): Bytes {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(3, Math.floor(counter / 2 ** 32));
  view.setUint32(7, counter % 2 ** 32);
  nonce[11] = final ? 1 : 0;
  return nonce;
}

/** Bytes of the body that `plain` bytes are sealed into. */
export function sealedSize(plain: number): number {
  return NONCE_BYTES + plain + Math.max(1, Math.ceil(plain / CHUNK_BYTES)) * TAG_BYTES;
}

/** Bytes of plaintext in a body of `sealed` bytes; refuses a size that no body has. */
export function openedSize(sealed: number): number {
  const chunks = Math.max(1, Math.ceil((sealed - NONCE_BYTES) / SEALED_CHUNK_BYTES));
  const plain = sealed - NONCE_BYTES - chunks * TAG_BYTES;
  if (plain < 0 || sealedSize(plain) !== sealed) throw new CryptoError('payload', 'no sealed body has this size');
  return plain;
}

/**
 * Seals a stream: `update` with pieces of any size, then `finish`; the joined results are the body.
 *
 * Memory: twice the largest piece. One Sealer makes one body.
 */
export class Sealer {
  readonly #key: Bytes;
  readonly #held = new Uint8Array(CHUNK_BYTES);
  #holding = 0;
  #lead: Uint8Array;
  #counter = 0;
  #finished = false;

  /**
   * `nonce` is for sealing the same plaintext under the same file key again, if the first result was
   * not stored: it gives the same bytes. Never use it for another plaintext: that would reveal both.
   */
  constructor(fileKey: FileKey, nonce: Uint8Array = randomBytes(NONCE_BYTES)) {
    if (nonce.length !== NONCE_BYTES) throw new RangeError('the nonce of a body has 16 bytes');
    this.#key = payloadKey(fileKey, nonce);
    this.#lead = nonce;
  }

  /** Seals what is certainly not the last chunk; up to 64 KiB are buffered until more data or the end arrives. */
  update(data: Uint8Array): Bytes {
    this.#refuseFinished();
    const chunks = Math.max(0, Math.ceil((this.#holding + data.length) / CHUNK_BYTES) - 1);
    const out = new Uint8Array(this.#lead.length + chunks * SEALED_CHUNK_BYTES);
    out.set(this.#lead);
    let written = this.#lead.length;
    let taken = 0;
    this.#lead = EMPTY;
    while (written < out.length) {
      let chunk = data.subarray(taken, taken + CHUNK_BYTES - this.#holding);
      taken += chunk.length;
      if (this.#holding > 0) {
        this.#hold(chunk);
        chunk = this.#held;
        this.#holding = 0;
      }
      sealChunk(this.#key, chunkNonce(this.#counter++, false), chunk, out, written);
      written += SEALED_CHUNK_BYTES;
    }
    this.#hold(data.subarray(taken));
    return out;
  }

  /** Seals the last chunk, which is empty only if the whole plaintext is. */
  finish(): Bytes {
    this.#refuseFinished();
    this.#finished = true;
    const out = new Uint8Array(this.#lead.length + this.#holding + TAG_BYTES);
    out.set(this.#lead);
    sealChunk(this.#key, chunkNonce(this.#counter, true), this.#held.subarray(0, this.#holding), out, this.#lead.length);
    this.#held.fill(0);
    this.#key.fill(0);
    return out;
  }

  #hold(piece: Uint8Array): void {
    this.#held.set(piece, this.#holding);
    this.#holding += piece.length;
  }

  #refuseFinished(): void {
    if (this.#finished) throw new RangeError('this body is already finished');
  }
}

/**
 * Opens a stream: `update` with pieces of a body of any size, then `finish`.
 *
 * All that `update` returns is authentic, and it returns each chunk as soon as it is whole; what is returned before a
 * failure does not depend on how the body was cut into pieces. Only `finish` knows that nothing is missing at the end:
 * what was made from the plaintext must be thrown away if it throws.
 *
 * Memory: twice the largest piece. One Opener reads one body.
 */
export class Opener {
  readonly #fileKey: FileKey;
  readonly #held = new Uint8Array(SEALED_CHUNK_BYTES);
  #holding = 0;
  #key: Bytes | null = null;
  #counter = 0;
  #ended = false;
  #finished = false;
  #failure: CryptoError | null = null;

  constructor(fileKey: FileKey) {
    this.#fileKey = fileKey;
  }

  /**
   * The plaintext of every chunk that is now whole.
   *
   * Throws if a chunk is not authentic or something follows the last one; if chunks before it were opened by the same
   * call, they are returned first and the next call throws.
   */
  update(data: Uint8Array): Bytes {
    this.#refuseUnusable();
    let rest = data;
    if (this.#key === null) {
      rest = this.#fill(rest, NONCE_BYTES);
      if (this.#holding < NONCE_BYTES) return new Uint8Array();
      this.#key = payloadKey(this.#fileKey, this.#held.subarray(0, NONCE_BYTES));
      this.#holding = 0;
    }
    return this.#openChunks(this.#key, rest);
  }

  /** The plaintext of the last chunk, if it is a short one; throws if that is missing, cut, altered or wrongly empty. */
  finish(): Bytes {
    this.#refuseUnusable();
    this.#finished = true;
    // age counts the nonce with the header, and so does its test kit.
    if (this.#key === null) throw new CryptoError('header', 'the body ends within its nonce');
    if (this.#ended) return new Uint8Array();
    const plain = new Uint8Array(Math.max(0, this.#holding - TAG_BYTES));
    const chunk = this.#held.subarray(0, this.#holding);
    if (!openChunk(this.#key, chunkNonce(this.#counter, true), chunk, plain, 0)) {
      throw new CryptoError('payload', 'the last chunk is missing, cut or altered');
    }
    // Otherwise one plaintext would have two sealed forms.
    if (plain.length === 0 && this.#counter > 0) throw new CryptoError('payload', 'the last chunk is empty');
    return plain;
  }

  #openChunks(key: Bytes, data: Uint8Array): Bytes {
    const chunks = Math.floor((this.#holding + data.length) / SEALED_CHUNK_BYTES);
    const out = new Uint8Array(chunks * CHUNK_BYTES);
    let opened = 0;
    let rest = data;
    try {
      while (opened < out.length) {
        let chunk = rest.subarray(0, SEALED_CHUNK_BYTES);
        if (this.#holding > 0) {
          rest = this.#fill(rest, SEALED_CHUNK_BYTES);
          chunk = this.#held;
          this.#holding = 0;
        } else {
          rest = rest.subarray(SEALED_CHUNK_BYTES);
        }
        this.#openChunk(key, chunk, out, opened);
        opened += CHUNK_BYTES;
      }
      if (this.#ended && rest.length > 0) throw new CryptoError('payload', 'bytes follow the last chunk');
      this.#fill(rest, SEALED_CHUNK_BYTES);
    } catch (failure) {
      if (!(failure instanceof CryptoError)) throw failure;
      this.#failure = failure;
      if (opened === 0) throw failure;
    }
    return out.slice(0, opened);
  }

  /** Opens one whole chunk, which is the last one if it was sealed as that. */
  #openChunk(key: Bytes, chunk: Uint8Array, out: Uint8Array, place: number): void {
    if (this.#ended) throw new CryptoError('payload', 'bytes follow the last chunk');
    for (const final of [false, true]) {
      if (openChunk(key, chunkNonce(this.#counter, final), chunk, out, place)) {
        this.#counter++;
        this.#ended = final;
        return;
      }
    }
    throw new CryptoError('payload', 'a chunk is altered, misplaced, or of another file');
  }

  /** Collects bytes until there are `size` of them; returns the rest. */
  #fill(data: Uint8Array, size: number): Uint8Array {
    const piece = data.subarray(0, size - this.#holding);
    this.#held.set(piece, this.#holding);
    this.#holding += piece.length;
    return data.subarray(piece.length);
  }

  #refuseUnusable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#finished) throw new RangeError('this body is already finished');
  }
}

/** A whole body at once, for small things. */
export function sealBody(fileKey: FileKey, plaintext: Uint8Array): Bytes {
  const sealer = new Sealer(fileKey);
  return concat(sealer.update(plaintext), sealer.finish());
}

/** The plaintext of a whole body at once, for small things. */
export function openBody(fileKey: FileKey, body: Uint8Array): Bytes {
  const opener = new Opener(fileKey);
  return concat(opener.update(body), opener.finish());
}

/** Opens any range of a sealed body from just the chunks that cover it, as playing a video needs. */

import type { Bytes } from './encoding';
import { CryptoError } from './errors';
import type { FileKey } from './filekeys';
import { openChunk } from './sodium';
import { CHUNK_BYTES, chunkNonce, NONCE_BYTES, openedSize, payloadKey, SEALED_CHUNK_BYTES } from './stream';

/** A half-open range of bytes. */
export interface Span {
  readonly start: number;
  readonly stop: number;
}

/**
 * Random access to one sealed body.
 *
 * `sealedBytes` must come from a signed statement: it says which chunk is the last one, and a body cut at a chunk's
 * edge is noticed when that chunk is opened, not before.
 */
export class RangeOpener {
  /** Bytes of plaintext in the whole body. */
  readonly size: number;
  readonly #sealedBytes: number;
  readonly #lastChunk: number;
  readonly #key: Bytes;

  /** `nonce`: the first 16 bytes of the body; `sealedBytes`: the size of the whole body. */
  constructor(fileKey: FileKey, nonce: Uint8Array, sealedBytes: number) {
    if (nonce.length !== NONCE_BYTES) throw new CryptoError('payload', 'the body ends within its nonce');
    this.size = openedSize(sealedBytes);
    this.#sealedBytes = sealedBytes;
    this.#lastChunk = Math.max(0, Math.floor((this.size - 1) / CHUNK_BYTES));
    this.#key = payloadKey(fileKey, nonce);
  }

  /**
   * Which bytes of the body hold the plaintext [start, stop): whole chunks, without the nonce.
   *
   * 0 ≤ start < stop ≤ size; an empty body is read with (0, 0).
   */
  needed(start: number, stop: number): Span {
    const { first, last } = this.#chunks(start, stop);
    return {
      start: NONCE_BYTES + first * SEALED_CHUNK_BYTES,
      stop: Math.min(NONCE_BYTES + (last + 1) * SEALED_CHUNK_BYTES, this.#sealedBytes),
    };
  }

  /** The plaintext [start, stop) from the bytes that `needed` names. */
  open(start: number, stop: number, sealed: Uint8Array): Bytes {
    const { first, last } = this.#chunks(start, stop);
    const span = this.needed(start, stop);
    if (sealed.length !== span.stop - span.start) throw new CryptoError('payload', 'not the bytes that this range needs');
    const offset = first * CHUNK_BYTES;
    const plain = new Uint8Array(Math.min((last + 1) * CHUNK_BYTES, this.size) - offset);
    for (let number = first; number <= last; number++) {
      const place = number - first;
      const nonce = chunkNonce(number, number === this.#lastChunk);
      const chunk = sealed.subarray(place * SEALED_CHUNK_BYTES, (place + 1) * SEALED_CHUNK_BYTES);
      if (!openChunk(this.#key, nonce, chunk, plain, place * CHUNK_BYTES)) {
        throw new CryptoError('payload', 'a chunk is altered, misplaced, or of another file');
      }
    }
    return plain.slice(start - offset, stop - offset);
  }

  #chunks(start: number, stop: number): { readonly first: number; readonly last: number } {
    const emptyBody = start === 0 && stop === 0 && this.size === 0;
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(stop);
    if (!emptyBody && !(whole && start >= 0 && start < stop && stop <= this.size)) {
      throw new RangeError('the range is empty or outside the plaintext');
    }
    return { first: Math.floor(start / CHUNK_BYTES), last: Math.floor(Math.max(0, stop - 1) / CHUNK_BYTES) };
  }
}

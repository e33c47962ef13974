/** Cuts a sealed body into 8 MiB segments and hashes each, so that an upload is checked as it arrives. */

import { b64uEncode } from './encoding';
import type { Digest } from './values';

export const SEGMENT_BYTES = 8 * 1024 * 1024;

/**
 * Takes a body in pieces of any size and collects the SHA-256 of each of its segments.
 *
 * Whole segments are hashed by WebCrypto, which has no incremental hash but works beside this thread and with the
 * processor's own instructions. Memory: one segment; await `update` before the next one to keep it so.
 */
export class SegmentHasher {
  readonly #digests: Digest[] = [];
  readonly #segment = new Uint8Array(SEGMENT_BYTES);
  #held = 0;

  /** Takes the next piece of the body. */
  async update(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; ) {
      const piece = data.subarray(at, at + SEGMENT_BYTES - this.#held);
      this.#segment.set(piece, this.#held);
      this.#held += piece.length;
      at += piece.length;
      if (this.#held === SEGMENT_BYTES) await this.#close();
    }
  }

  /** The digests of all segments, in order; the last may be of a shorter one. */
  async finish(): Promise<Digest[]> {
    if (this.#held > 0) await this.#close();
    return [...this.#digests];
  }

  async #close(): Promise<void> {
    const segment = this.#segment.subarray(0, this.#held);
    this.#held = 0;
    this.#digests.push(await segmentDigest(segment));
  }
}

/** SHA-256 of one segment. */
export async function segmentDigest(segment: Uint8Array<ArrayBuffer>): Promise<Digest> {
  return b64uEncode(new Uint8Array(await crypto.subtle.digest('SHA-256', segment)));
}

/** How many segments a body of `size` bytes has. */
export function segmentCount(size: number): number {
  return Math.ceil(size / SEGMENT_BYTES);
}

/** SHA-256 of each segment of a whole body. */
export async function segmentDigests(body: Uint8Array): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (let at = 0; at < body.length; at += SEGMENT_BYTES) {
    digests.push(await segmentDigest(Uint8Array.from(body.subarray(at, at + SEGMENT_BYTES))));
  }
  return digests;
}

/**
 * Hides the length of a text before it is sealed: ISO/IEC 7816-4 padding up to a Padmé size.
 *
 * Padmé rounds a size up so that only its highest bits can be told, for at most 12 % more bytes. It hides little of
 * very short texts, so nothing is padded to less than 256 bytes: "yes" and "no" look the same.
 */

import type { Bytes } from './encoding';
import { CryptoError } from './errors';

const SMALLEST_BYTES = 256;
const MARK = 0x80;

/** Bytes that `plain` bytes are padded to; always at least one more, and never fewer than `smallest`. */
export function paddedSize(plain: number, smallest = SMALLEST_BYTES): number {
  const size = Math.max(plain + 1, smallest);
  const exponent = bitLength(size) - 1;
  const step = 2 ** (exponent - bitLength(exponent));
  return Math.ceil(size / step) * step;
}

/** `plain`, a byte 0x80, and zeros up to the padded size. */
export function pad(plain: Uint8Array, smallest = SMALLEST_BYTES): Bytes {
  const padded = new Uint8Array(paddedSize(plain.length, smallest));
  padded.set(plain);
  padded[plain.length] = MARK;
  return padded;
}

/** What was padded; refuses what `pad` does not make of it. */
export function unpad(padded: Uint8Array, smallest = SMALLEST_BYTES): Bytes {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (padded[end] !== MARK || paddedSize(end, smallest) !== padded.length) {
    throw new CryptoError('padding', 'the padding is not what pad writes');
  }
  return Uint8Array.from(padded.subarray(0, end));
}

/** How many bits a whole number has; exact for all that a number holds, unlike a logarithm. */
function bitLength(value: number): number {
  return value.toString(2).length;
}

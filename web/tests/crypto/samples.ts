/** Shared sample data: generated plaintexts and cuts, and a part as a statement lists it. */

import { b64uEncode } from '../../src/crypto/encoding';
import type { Part, PartRole } from '../../src/crypto/fields';
import { randomBytes } from '../../src/crypto/sodium';
import fc from '../chance';

export const aCase = '8e85e116-f661-42f0-9a3c-a89a47f9506f';
/** A fixed nonce, for statements that are unique without one. */
export const A_NONCE = 'A'.repeat(22);

/** Plaintexts with sizes around chunk boundaries, where off-by-one errors occur. */
export function plaintexts(): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -2, max: 2 })).map(([chunks, off]) => chunks * 65536 + off),
  );
  return fc.tuple(sizes, fc.nat(255)).map(([size, seed]) => Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255));
}

/** Compares bytes; `toEqual` takes a second for a megabyte. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Generates piece sizes. */
export function cuts(): fc.Arbitrary<readonly number[]> {
  return fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 150_000 })), { maxLength: 12 });
}

/** Splits `bytes` into pieces of these sizes; the last piece is the remainder. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

/** Flips bits of one byte, in place. */
export function flip(bytes: Uint8Array, at: number, bits = 1): void {
  bytes[at] = (bytes[at] ?? 0) ^ bits;
}

/** A part with this role and random hashes. */
export function aPart(role: PartRole, type = 'text/plain'): Part {
  return { role, type, size: 288, segments: [b64uEncode(randomBytes(32))], commit: b64uEncode(randomBytes(32)) };
}

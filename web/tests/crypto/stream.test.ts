/** Bodies: intact however they are cut, and nothing altered is ever returned. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  newFileKey,
  NONCE_BYTES,
  openBody,
  openedSize,
  Opener,
  RangeOpener,
  sealBody,
  sealedSize,
  Sealer,
  SEGMENT_BYTES,
  segmentCount,
  segmentDigests,
  SegmentHasher,
} from '../../src/crypto/age';
import { b64uEncode, concat } from '../../src/crypto/encoding';
import { randomBytes, sha256, sodiumReady } from '../../src/crypto/sodium';
import { chunkNonce } from '../../src/crypto/stream';
import fc from '../chance';
import { cut, cuts, flip, plaintexts, same } from './samples';
import { refusal } from './refusal';

const RUNS = { numRuns: 40 };

beforeAll(sodiumReady);

describe('a body', () => {
  test('opens to what was sealed, however both were cut into pieces', () => {
    fc.assert(
      fc.property(plaintexts(), cuts(), cuts(), (plain, sealing, opening) => {
        const fileKey = newFileKey();
        const sealer = new Sealer(fileKey);
        const body = concat(...cut(plain, sealing).map((piece) => sealer.update(piece)), sealer.finish());
        expect(body).toHaveLength(sealedSize(plain.length));
        expect(openedSize(body.length)).toBe(plain.length);
        const opener = new Opener(fileKey);
        const opened = concat(...cut(body, opening).map((piece) => opener.update(piece)), opener.finish());
        expect(same(opened, plain)).toBe(true);
      }),
      RUNS,
    );
  });

  test('is refused with any one bit of it changed', () => {
    fc.assert(
      fc.property(plaintexts(), fc.nat(), fc.nat(7), (plain, place, bit) => {
        const fileKey = newFileKey();
        const body = sealBody(fileKey, plain);
        const at = place % body.length;
        flip(body, at, 1 << bit);
        expect(refusal(() => openBody(fileKey, body))).toBe('payload');
      }),
      RUNS,
    );
  });

  test('is refused cut short anywhere, and with anything after it', () => {
    fc.assert(
      fc.property(plaintexts(), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (plain, place, more) => {
        const fileKey = newFileKey();
        const body = sealBody(fileKey, plain);
        const short = body.subarray(0, place % body.length);
        expect(refusal(() => openBody(fileKey, short))).toBe(short.length < NONCE_BYTES ? 'header' : 'payload');
        expect(refusal(() => openBody(fileKey, concat(body, more)))).toBe('payload');
      }),
      RUNS,
    );
  });

  test('is refused with the file key of another', () => {
    expect(refusal(() => openBody(newFileKey(), sealBody(newFileKey(), new Uint8Array(10))))).toBe('payload');
  });

  test('sealed again with the same key and nonce is the same bytes, and with another nonce is not', () => {
    const fileKey = newFileKey();
    const plain = randomBytes(65000);
    const first = sealBody(fileKey, plain);
    const again = new Sealer(fileKey, first.subarray(0, NONCE_BYTES));
    expect(same(concat(again.update(plain), again.finish()), first)).toBe(true);
    expect(same(sealBody(fileKey, plain), first)).toBe(false);
  });

  test('gives out the chunks before an altered one, then nothing', () => {
    const fileKey = newFileKey();
    const plain = new Uint8Array(200_000).fill(7);
    const body = sealBody(fileKey, plain);
    flip(body, NONCE_BYTES + 65552 + 5);
    const opener = new Opener(fileKey);
    expect(same(opener.update(body), plain.subarray(0, 65536))).toBe(true);
    expect(refusal(() => opener.update(body))).toBe('payload');
    expect(refusal(() => opener.finish())).toBe('payload');
  });

  test('is one body only: a finished Sealer or Opener cannot be used again', () => {
    const fileKey = newFileKey();
    const sealer = new Sealer(fileKey);
    sealer.finish();
    expect(() => sealer.update(new Uint8Array(1))).toThrow(RangeError);
    expect(() => sealer.finish()).toThrow(RangeError);
    const opener = new Opener(fileKey);
    opener.update(sealBody(fileKey, new Uint8Array(1)));
    opener.finish();
    expect(() => opener.finish()).toThrow(RangeError);
  });

  test('of a size that none has is no body', () => {
    for (const size of [-1, 0, 16, 31, 16 + 65552 + 16]) expect(refusal(() => openedSize(size)), String(size)).toBe('payload');
  });

  test('counts chunks beyond 32 bits in their nonces', () => {
    expect(Buffer.from(chunkNonce(2 ** 40 + 2 ** 8 + 3, true)).toString('hex')).toBe('000000000001000000010301');
  });
});

describe('a range', () => {
  test('is the same slice of the plaintext', () => {
    fc.assert(
      fc.property(plaintexts(), fc.nat(), fc.nat(), (plain, one, other) => {
        fc.pre(plain.length > 0);
        const fileKey = newFileKey();
        const body = sealBody(fileKey, plain);
        const start = Math.min(one % plain.length, other % plain.length);
        const stop = Math.max(one % plain.length, other % plain.length) + 1;
        const opener = new RangeOpener(fileKey, body.subarray(0, NONCE_BYTES), body.length);
        const span = opener.needed(start, stop);
        expect(opener.size).toBe(plain.length);
        expect(same(opener.open(start, stop, body.subarray(span.start, span.stop)), plain.subarray(start, stop))).toBe(true);
      }),
      RUNS,
    );
  });

  test('is refused where its bytes were altered, are of another place, or are too few', () => {
    const fileKey = newFileKey();
    const body = sealBody(fileKey, randomBytes(65000));
    const long = sealBody(fileKey, new Uint8Array(200_000));
    const opener = new RangeOpener(fileKey, long.subarray(0, NONCE_BYTES), long.length);
    const span = opener.needed(0, 10);
    const chunk = long.slice(span.start, span.stop);
    expect(refusal(() => opener.open(65536, 65546, chunk))).toBe('payload');
    expect(refusal(() => opener.open(0, 10, chunk.subarray(1)))).toBe('payload');
    flip(chunk, 100);
    expect(refusal(() => opener.open(0, 10, chunk))).toBe('payload');
    expect(refusal(() => new RangeOpener(fileKey, body.subarray(0, 15), body.length))).toBe('payload');
  });

  test('at the end of a body cut at the edge of a chunk is refused', () => {
    const fileKey = newFileKey();
    const body = sealBody(fileKey, new Uint8Array(3 * 65536));
    const cutSize = NONCE_BYTES + 2 * 65552;
    const opener = new RangeOpener(fileKey, body.subarray(0, NONCE_BYTES), cutSize);
    const { start, stop } = opener.needed(65536, 131072);
    expect(refusal(() => opener.open(65536, 131072, body.subarray(start, stop)))).toBe('payload');
  });

  test('that is none is a mistake', () => {
    const fileKey = newFileKey();
    const opener = new RangeOpener(fileKey, new Uint8Array(16), sealedSize(10));
    for (const [start, stop] of [[0, 0], [-1, 3], [3, 2], [0, 11], [0.5, 3]] as const) {
      expect(() => opener.needed(start, stop)).toThrow(RangeError);
    }
  });
});

describe('segments', () => {
  test('are the hashes of every 8 MiB, however the body was cut into pieces', async () => {
    const body = new Uint8Array(2 * SEGMENT_BYTES + 5);
    for (let at = 0; at < body.length; at += 4096) body[at] = at >>> 12;
    const plainly = [0, 1, 2].map((place) =>
      b64uEncode(sha256(body.subarray(place * SEGMENT_BYTES, (place + 1) * SEGMENT_BYTES))),
    );
    const hasher = new SegmentHasher();
    for (const piece of cut(body, [3, 5_000_000, 0, 9_000_000])) await hasher.update(piece);
    expect(await hasher.finish()).toEqual(plainly);
    expect(await segmentDigests(body)).toEqual(plainly);
  });

  test('are never empty', async () => {
    const hasher = new SegmentHasher();
    await hasher.update(new Uint8Array(SEGMENT_BYTES));
    expect(await hasher.finish()).toHaveLength(1);
    expect([0, 1, SEGMENT_BYTES, SEGMENT_BYTES + 1].map(segmentCount)).toEqual([0, 1, 1, 2]);
  });
});

/** Headers: written for one family of recipients, opened by each of them, and refused with anything changed in them. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  checkCommitment,
  commit,
  HEADER_MAX_BYTES,
  HybridIdentity,
  HybridRecipient,
  newFileKey,
  parseHeader,
  parseIdentity,
  ScryptIdentity,
  ScryptRecipient,
  unwrapHeader,
  wrapHeader,
  X25519Identity,
  X25519Recipient,
} from '../../src/crypto/age';
import { concat, utf8 } from '../../src/crypto/encoding';
import { sodiumReady } from '../../src/crypto/sodium';
import fc from '../chance';
import { aCase, flip } from './samples';
import { refusal } from './refusal';

beforeAll(sodiumReady);

describe('a header', () => {
  test('is opened by each of its recipients and by nobody else', () => {
    const fileKey = newFileKey();
    const readers = [HybridIdentity.generate(), HybridIdentity.generate()];
    const header = wrapHeader(fileKey, readers.map(({ recipient }) => recipient));
    for (const reader of readers) expect(unwrapHeader(header, [HybridIdentity.generate(), reader])).toEqual(fileKey);
    expect(refusal(() => unwrapHeader(header, [HybridIdentity.generate(), X25519Identity.generate()]))).toBe('no-match');
    expect(refusal(() => unwrapHeader(header, []))).toBe('no-match');
  });

  test('is refused with any one bit of it changed', () => {
    const reader = HybridIdentity.generate();
    const header = wrapHeader(newFileKey(), [reader.recipient]);
    fc.assert(
      fc.property(fc.nat(header.length - 1), fc.nat(7), (at, bit) => {
        const altered = Uint8Array.from(header);
        flip(altered, at, 1 << bit);
        expect(refusal(() => unwrapHeader(altered, [reader]))).toMatch(/header|no-match/);
      }),
      { numRuns: 60 },
    );
  });

  test('is refused cut short, with bytes after it, and where it is too long to be read', () => {
    const reader = X25519Identity.generate();
    const header = wrapHeader(newFileKey(), [reader.recipient]);
    for (let size = 0; size < header.length; size++) expect(refusal(() => parseHeader(header.subarray(0, size)))).toBe('header');
    expect(refusal(() => parseHeader(concat(header, utf8('\n'))))).toBe('header');
    const grease = utf8(`-> grease\n${'A'.repeat(64)}\n`.padEnd(HEADER_MAX_BYTES, `${'A'.repeat(64)}\n`));
    expect(refusal(() => parseHeader(concat(utf8('age-encryption.org/v1\n'), grease, header.subarray(22))))).toBe('header');
  });

  test('has one family of recipients, and a passphrase stands alone', () => {
    const words = new ScryptRecipient('words', 2);
    const hybrid = HybridIdentity.generate().recipient;
    const classic = X25519Identity.generate().recipient;
    for (const mixed of [[], [words, words], [words, hybrid], [hybrid, classic]]) {
      expect(() => wrapHeader(newFileKey(), mixed)).toThrow(RangeError);
    }
    expect(() => wrapHeader(new Uint8Array(15), [hybrid])).toThrow(RangeError);
  });

  test('is not written for a key of low order', () => {
    const hybrid = Uint8Array.from(HybridIdentity.generate().recipient.publicKey);
    hybrid.fill(0, 1184);
    expect(refusal(() => wrapHeader(newFileKey(), [new HybridRecipient(hybrid)]))).toBe('key');
    expect(refusal(() => wrapHeader(newFileKey(), [new X25519Recipient(new Uint8Array(32))]))).toBe('key');
  });
});

describe('a passphrase', () => {
  test('opens what it sealed, and another does not', () => {
    const fileKey = newFileKey();
    const header = wrapHeader(fileKey, [new ScryptRecipient('words', 4)]);
    expect(unwrapHeader(header, [new ScryptIdentity('words')])).toEqual(fileKey);
    expect(refusal(() => unwrapHeader(header, [new ScryptIdentity('Words')]))).toBe('no-match');
  });

  test('is not worked for beyond what the reader allows', () => {
    const header = wrapHeader(newFileKey(), [new ScryptRecipient('words', 4)]);
    expect(refusal(() => unwrapHeader(header, [new ScryptIdentity('words', 3)]))).toBe('header');
    for (const factor of [0, 21, Number.NaN]) expect(() => new ScryptRecipient('words', factor)).toThrow(RangeError);
    const asksTooMuch = utf8(new TextDecoder().decode(header).replace(' 4\n', ' 21\n'));
    expect(refusal(() => unwrapHeader(asksTooMuch, [new ScryptIdentity('words', 64)]))).toBe('header');
  });
});

test('an identity of a kind that relay does not know is refused', () => {
  expect(refusal(() => parseIdentity('AGE-PLUGIN-YUBIKEY-1QQPZRZSZK'))).toBe('key');
  expect(refusal(() => parseIdentity(''))).toBe('key');
});

test('a file key is held to the commitment of its part and to its case', () => {
  const fileKey = newFileKey();
  const other = '2397bf36-b077-49db-b396-1e23fcac86fe';
  checkCommitment(fileKey, commit(fileKey, aCase), aCase);
  expect(refusal(() => checkCommitment(fileKey, commit(fileKey, other), aCase))).toBe('commitment');
  expect(refusal(() => checkCommitment(newFileKey(), commit(fileKey, aCase), aCase))).toBe('commitment');
});

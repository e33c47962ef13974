/** age's test kit (CCTV): every vector of the types that relay supports has the result that the kit specifies. */

import * as kit from 'cctv-age';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Identity, Opener, parseIdentity, readHeader, ScryptIdentity, unwrapHeader } from '../../src/crypto/age';
import { concat } from '../../src/crypto/encoding';
import { CryptoError, type CryptoFailure } from '../../src/crypto/errors';
import { sha256, sodiumReady } from '../../src/crypto/sodium';
import { encodeStanza } from '../../src/crypto/stanzas';

/** The kit's names of failures. */
const OUTCOMES: Partial<Record<CryptoFailure, string>> = {
  header: 'header failure',
  'no-match': 'no match',
  'header-mac': 'HMAC failure',
  payload: 'payload failure',
};

/** One file of the kit: an age file and the expected result of reading it. */
interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly payload: string | undefined;
  readonly identities: () => Identity[];
  readonly armored: boolean;
  readonly file: Uint8Array;
}

/** Parses the lines before the first empty one; what follows is the age file. */
function read(name: string, bytes: Uint8Array): Vector {
  const blank = bytes.findIndex((byte, at) => byte === 0x0a && bytes[at + 1] === 0x0a);
  const lines = new TextDecoder().decode(bytes.subarray(0, blank)).split('\n');
  const all = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
  const file = bytes.subarray(blank + 2);
  return {
    name,
    expect: all('expect')[0] ?? '',
    payload: all('payload')[0],
    // Keys can only be made once libsodium has loaded.
    identities: () => [...all('identity').map(parseIdentity), ...all('passphrase').map((words) => new ScryptIdentity(words))],
    armored: all('armored')[0] === 'yes',
    file: all('compressed')[0] === 'zlib' ? new Uint8Array(inflateSync(file)) : file,
  };
}

const every = Object.entries(kit).map(([name, bytes]) => read(name, bytes));
const inScope = every.filter(({ armored }) => !armored);

/** The result of reading in the kit's terms, and all plaintext returned before. */
function openIn(pieceBytes: number, { file, identities }: Vector): { outcome: string; plain: Uint8Array } {
  const plain: Uint8Array[] = [];
  let outcome = 'success';
  try {
    const header = readHeader(file);
    const opener = new Opener(unwrapHeader(header, identities()));
    for (let at = header.encoded.length; at < file.length; at += pieceBytes) {
      const opened = opener.update(file.subarray(at, at + pieceBytes));
      if (opened.length > 0) plain.push(opened);
    }
    plain.push(opener.finish());
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    outcome = OUTCOMES[error.failure] ?? error.failure;
  }
  return { outcome, plain: concat(...plain) };
}

function expectAsTheKitSays(vector: Vector, pieceBytes: number): void {
  const { outcome, plain } = openIn(pieceBytes, vector);
  expect(outcome).toBe(vector.expect);
  if (vector.payload === undefined) expect(plain).toHaveLength(0);
  else expect(Buffer.from(sha256(plain)).toString('hex')).toBe(vector.payload);
}

beforeAll(sodiumReady);

test('no vector is passed over in silence: armor alone is out of scope', () => {
  expect([inScope.length, every.length - inScope.length]).toEqual([110, 33]);
});

describe.each(inScope)('$name', (vector) => {
  test.each([2 ** 30, 65536 + 16, 65536, 4097])('ends as the kit says, in pieces of %d bytes', (pieceBytes) => {
    expectAsTheKitSays(vector, pieceBytes);
  });

  test('ends the same byte by byte, or in very small pieces where that would take minutes', () => {
    expectAsTheKitSays(vector, vector.file.length > 200_000 ? 61 : 1);
  });

  test('has a header that is written to the bytes it was read from, if it is one', () => {
    if (vector.expect === 'header failure') return;
    const { stanzas, encoded } = readHeader(vector.file);
    const written = new TextEncoder().encode(`age-encryption.org/v1\n${stanzas.map(encodeStanza).join('')}--- `);
    expect(encoded.subarray(0, written.length)).toEqual(written);
    expect(vector.file.subarray(0, encoded.length)).toEqual(encoded);
  });
});

/** The corpora that Python fuzzes with, read by the code of the pages: what one side reads or refuses, the other does too. */

import { beforeAll, describe, expect, test } from 'vitest';
import { readAddress } from '../../src/participant/address';
import { sodiumReady } from '../../src/crypto/sodium';
import fc from '../chance';
import { corpus, type Entry, READERS, shown } from './readers';

/** FUZZ_RUNS=20000 changes so many inputs of each format. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60);

beforeAll(sodiumReady);

describe.each(Object.entries(READERS))('%s', (name, read) => {
  const entries = corpus(name);

  test('is read and refused as Python reads and refuses it', () => {
    expect(entries.map(({ given }) => shown(read(given)))).toEqual(entries.map((entry) => entry.read));
  });

  test('breaks no rule where it is changed', () => {
    const longest = name === 'age-streams' ? 32 : 8192; // there, each three bytes may add a chunk
    fc.assert(fc.property(changed(entries), (given) => { read(given.subarray(0, longest)); }), { numRuns: RUNS });
  });
});

test('an address of the pages is one of those that there are, whatever it is, and never a link without its secret kept', () => {
  const paths = fc.constantFrom('/', '/l/', '/kiosk', '/receipt', '/l/38af30fc-8f34-49af-a20b-b070b5316a2d', '/l/38AF30FC-8F34-49AF-A20B-B070B5316A2D/');
  fc.assert(
    fc.property(paths, fc.string(), fc.string(), fc.boolean(), (path, search, fragment, assisted) => {
      const url = new URL('https://relay.example');
      url.pathname = path;
      url.search = assisted ? 'assisted' : search;
      url.hash = fragment;
      const found = readAddress(url);
      expect(['link', 'kiosk', 'exposed', 'receipt', 'none']).toContain(found.page);
      if (found.page === 'link') expect(found.link).toMatch(/^[0-9a-f-]{36}$/);
      if (assisted) expect(found.page).not.toBe('link');
    }),
    { numRuns: RUNS },
  );
});

/** Inputs of a corpus, each with a few changes of its bytes. */
function changed(entries: readonly Entry[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(4096),
    take: fc.oneof(fc.constant(0), fc.nat(8)),
    put: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(...TOKENS).map((token) => new TextEncoder().encode(token))),
    times: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 200 })),
  });
  return fc.tuple(fc.constantFrom(...entries.map(({ given }) => given)), fc.array(change, { minLength: 1, maxLength: 4 })).map(([given, changes]) =>
    changes.reduce<Uint8Array>((bytes, { at, take, put, times }) => {
      const place = at % (bytes.length + 1);
      const piece = Array.from({ length: times }, () => Array.from(put)).flat();
      return Uint8Array.from([...bytes.subarray(0, place), ...piece, ...bytes.subarray(place + take)]);
    }, given),
  );
}

const TOKENS = ['\n', '\r\n', ' ', '\u2028', '\ufeff', '-->', '<v A>', '&lt;', '&#10;', '&#x110000;', '99:', 'null', '"\\u0041"', '1e3', '-0', '0001-01-01T00:00:00Z', '-> scrypt', '='];

/** The test vectors that the Python side uses too, read from tests/vectors. */

import { readFileSync } from 'node:fs';

/** One file of vectors; the test that reads it says what is in it. */
export function vectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8'));
}

/** The test vectors that the Python side uses too, read from tests/vectors. */

import { readFileSync } from 'node:fs';

/** One file of vectors, in the shape that the test which reads it expects. */
export function vectors<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8')) as Shape;
}

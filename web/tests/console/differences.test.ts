/** Differences between two versions of a letter: every word appears once, and as few as possible count as changed. */

import { describe, expect, it } from 'vitest';
import { differences, type Piece } from '../../src/console/differences';
import fc from '../chance';

const text = (pieces: readonly Piece[], kind: 'removed' | 'added'): string =>
  pieces.filter((piece) => piece.kind === 'same' || piece.kind === kind).map((piece) => piece.text).join('');
const spelled = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => ({ same: piece.text, removed: `[-${piece.text}]`, added: `[+${piece.text}]` })[piece.kind]).join('');

describe('the differences of two texts', () => {
  it.each([
    ['', '', ''],
    ['Same.', 'Same.', 'Same.'],
    ['', 'New.', '[+New.]'],
    ['Old.', '', '[-Old.]'],
    ['I was there.', 'I was not there.', 'I was [+not ]there.'],
    ['I did not think of you.', 'I did think of you.', 'I did [-not ]think of you.'],
    ['It was your fault, Anna.', 'It was my own fault, Anna.', 'It was [-your][+my own] fault, Anna.'],
    ['one two three', 'uno due tre', '[-one two three][+uno due tre]'],
    ['C’est à toi.\n\nAdieu', 'C’est à vous.\n\nAdieu', 'C’est à [-toi][+vous].\n\nAdieu'],
    ['a b c', 'c b a', '[-a][+c] b [-c][+a]'],
  ])('from %j to %j', (before, after, expected) => {
    expect(spelled(differences(before, after))).toBe(expected);
  });

  it('give both texts back, whatever they are', () => {
    const words = fc.array(fc.constantFrom('I', ' ', '\n', 'was', 'there', '.', 'été', '😶‍🌫️', '-'), { maxLength: 40 }).map((some) => some.join(''));
    fc.assert(
      fc.property(fc.oneof(words, fc.string({ unit: 'binary' })), fc.oneof(words, fc.string({ unit: 'binary' })), (before, after) => {
        const pieces = differences(before, after);
        expect([text(pieces, 'removed'), text(pieces, 'added')]).toEqual([before, after]);
        expect(pieces.every((piece, place) => piece.text !== '' && piece.kind !== pieces[place + 1]?.kind)).toBe(true);
      }),
    );
  });

  it('are one change where hardly a word stayed, and soon there', () => {
    const before = Array.from({ length: 30_000 }, (_, place) => `old${String(place)}`).join(' ');
    const after = before.replaceAll('old', 'new');
    const begun = performance.now();
    const pieces = differences(`Dear A. ${before} Yours`, `Dear A. ${after} Yours`);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(pieces.map(({ kind }) => kind)).toEqual(['same', 'removed', 'added', 'same']);
  });
});

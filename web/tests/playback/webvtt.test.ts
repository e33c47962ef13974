/** Captions are parsed strictly, with the line of every error, and written back unchanged. */

import { describe, expect, it } from 'vitest';
import { cueText, formatTime, parse, readTime, serialize, type Cue } from '../../src/playback/webvtt';
import fc from '../chance';

const words = fc
  .array(fc.stringMatching(/^[\p{L}\p{N} .,'!?<>&♪-]{1,40}$/u), { minLength: 1, maxLength: 3 })
  .map((lines) => cueText(lines.join('\n')))
  .filter((text) => text !== '' && !text.includes('-->'));

const cues: fc.Arbitrary<Cue[]> = fc
  .array(fc.record({ wait: fc.nat(5_000_000), lasts: fc.integer({ min: 1, max: 600_000 }), text: words }), { maxLength: 20 })
  .map((drafts) => {
    let start = 0;
    return drafts.map(({ wait, lasts, text }) => {
      start += wait;
      return { start, end: start + lasts, text };
    });
  });

describe('WebVTT', () => {
  it('comes back as it was written, for any captions', () => {
    fc.assert(
      fc.property(cues, (given) => {
        expect(parse(serialize(given))).toEqual({ cues: given, mistakes: [] });
      }),
    );
  });

  it('is the same with the line ends of any system and a mark at its beginning', () => {
    fc.assert(
      fc.property(cues, fc.constantFrom('\r\n', '\r'), (given, lineEnd) => {
        const file = `\uFEFF${serialize(given).replaceAll('\n', lineEnd)}`;
        expect(parse(file).cues).toEqual(given);
      }),
    );
  });

  it('never throws, whatever is imported', () => {
    fc.assert(
      fc.property(fc.string(), (garbage) => {
        const lines = garbage.split(/\r\n|\r|\n/).length;
        for (const { line } of parse(`WEBVTT\n\n${garbage}`).mistakes) expect(line).toBeLessThanOrEqual(lines + 2);
      }),
    );
  });

  it('reads what other programs write: names, notes, styles, positions and hours', () => {
    const file = [
      'WEBVTT - made elsewhere',
      'Kind: captions',
      '',
      'NOTE',
      'not spoken --> at all',
      '',
      'STYLE',
      '::cue { color: red }',
      '',
      '1',
      '00:00:01.000 --> 00:00:02.500 position:10%,line-left align:left',
      'Hello.',
      'I am here.',
      '',
      '01:00:00.000 --> 01:00:01.000',
      'Goodbye.',
    ].join('\n');
    expect(parse(file)).toEqual({
      cues: [
        { start: 1000, end: 2500, text: 'Hello.\nI am here.' },
        { start: 3_600_000, end: 3_601_000, text: 'Goodbye.' },
      ],
      mistakes: [],
    });
  });

  it.each([
    ['no header', '00:01.000 --> 00:02.000\nHi', 1, 'no-header'],
    ['a header that only begins like one', 'WEBVTTX\n\n00:01.000 --> 00:02.000\nHi', 1, 'no-header'],
    ['commas for points', 'WEBVTT\n\n00:01,000 --> 00:02,000\nHi', 3, 'bad-timing'],
    ['words without times', 'WEBVTT\n\nHi there', 3, 'bad-timing'],
    ['sixty seconds', 'WEBVTT\n\n00:60.000 --> 01:02.000\nHi', 3, 'bad-timing'],
    ['an end before the beginning', 'WEBVTT\n\n00:02.000 --> 00:01.000\nHi', 3, 'ends-before-start'],
    ['an end at the beginning', 'WEBVTT\n\n00:02.000 --> 00:02.000\nHi', 3, 'ends-before-start'],
    ['a line out of order', 'WEBVTT\n\n00:05.000 --> 00:06.000\nA\n\n00:01.000 --> 00:02.000\nB', 6, 'starts-before-last'],
    ['no words', 'WEBVTT\n\n00:01.000 --> 00:02.000\n\n', 3, 'no-text'],
    ['an arrow in the words', 'WEBVTT\n\n00:01.000 --> 00:02.000\na --> b', 4, 'arrow-in-text'],
    ['a line after the end of the video', 'WEBVTT\n\n00:11.000 --> 00:12.000\nHi', 3, 'after-end'],
  ])('names the line of %s', (_, file, line, fault) => {
    expect(parse(file, 10_000).mistakes).toEqual([{ line, fault }]);
  });

  it('reads every time that it writes', () => {
    fc.assert(fc.property(fc.nat(360_000_000), (ms) => readTime(formatTime(ms)) === ms));
    expect(readTime('1:02.000')).toBeNull();
    expect(readTime('00:01')).toBeNull();
    expect(readTime('')).toBeNull();
  });
});

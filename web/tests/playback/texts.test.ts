/** Text and captions are shown identically to reviewers and readers. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { b64uDecode } from '../../src/crypto/encoding';
import { transcript } from '../../src/playback/transcript';
import { readableCaptions } from '../../src/playback/webvtt';
import { readable } from '../../src/i18n/readable';
import { vectors } from '../crypto/vectors';

const given = vectors('texts') as {
  plain: { what: string; text: string; shown: string }[];
  captions: { what: string; file: string; shown: string | null }[];
};

const text = (value: string): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(b64uDecode(value));

describe('text', () => {
  it.each(given.plain)('is shown as the vectors say: $what', ({ text: written, shown }) => {
    expect(readable(text(written))).toBe(text(shown));
  });

  it('holds nothing that hides or turns words, whatever was written', () => {
    const any = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(any, (written) => {
        const shown = readable(written);
        expect(readable(shown)).toBe(shown);
        expect(shown.replace(/[\t\n]/g, '')).not.toMatch(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u);
      }),
    );
  });
});

describe('captions', () => {
  it.each(given.captions)('are shown as the vectors say: $what', ({ file, shown }) => {
    expect(readableCaptions(readable(text(file)))).toBe(shown === null ? null : text(shown));
  });

  it('say the same however often they are read', () => {
    const words = fc.string({ unit: fc.constantFrom('<', '>', '&', 'v', ';', ' ', 'a', '#', 'x', '2', '0', 'E', '\n', '\u202e'), maxLength: 40 });
    fc.assert(
      fc.property(words, (written) => {
        const shown = readableCaptions(`WEBVTT\n\n00:01.000 --> 00:02.000\n${written}\n`);
        if (shown === null) return;
        expect(readableCaptions(shown)).toBe(shown);
        expect(shown).not.toContain('\u202e');
      }),
    );
  });

  it('are read in no time, however long a cue is', () => {
    const timed = 'WEBVTT\n\n00:01.000 --> 00:02.000\n';
    for (const filling of ['<', '&#', '<v ', ' ', '\u{1F3F4}\u{E0067}']) {
      const shown = readableCaptions(readable(`${timed}a${filling.repeat(200_000 / filling.length)}`));
      expect(transcript(shown ?? '')).toHaveLength(1);
    }
  });
});

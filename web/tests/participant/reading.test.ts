/** Transcripts from captions, word counts, and the strength of passphrases. */

import { describe, expect, it } from 'vitest';
import { countWords } from '../../src/participant/counting';
import { transcript } from '../../src/playback/transcript';
import { day, duration, moment, size, timeOfDay, timeOf } from '../../src/ui/amounts';
import { strengthOf } from '../../src/ui/strength';

describe('a transcript', () => {
  it('joins what is said without a pause, and begins anew after one', () => {
    const captions = 'WEBVTT\n\n00:00.000 --> 00:02.000\nI have thought\nabout this\n\n00:02.100 --> 00:04.000\nfor a long time.\n\n00:10.000 --> 00:12.000\nThank you.\n';
    expect(transcript(captions)).toEqual(['I have thought about this for a long time.', 'Thank you.']);
  });

  it('reads tags and character references as what they mean', () => {
    expect(transcript('WEBVTT\n\n00:00.000 --> 00:02.000\n<i>Salt</i> &amp; <b>bread</b> &lt;3\n')).toEqual(['Salt & bread <3']);
  });

  it('says who speaks, when that changes', () => {
    const captions = 'WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ada>Hello.\n\n00:02.000 --> 00:03.000\n<v Ada>It is me.\n\n00:03.000 --> 00:04.000\n<v Bo>Yes.\n';
    expect(transcript(captions)).toEqual(['Ada: Hello. It is me.', 'Bo: Yes.']);
  });

  it('of what is no captions file is empty', () => {
    expect(transcript('hello')).toEqual([]);
  });
});

describe('counting words', () => {
  it.each([
    ['', 0],
    ['Hello there', 2],
    ['L’été, c’est aujourd’hui.', 3],
    ['well-known — and 3 more', 4],
  ])('%j has %i', (text, words) => {
    expect(countWords(text)).toBe(words);
  });
});

describe('a passphrase', () => {
  it.each([
    ['   ', 'empty'],
    ['aaaaaaaaaaaaaaaaaaaaaaa', 'weak'],
    ['password123', 'weak'],
    ['motdepasse2024', 'weak'],
    ['azertyuiop', 'weak'],
    ['river river river river river', 'weak'],
    ['river lantern', 'weak'],
    ['river lantern window', 'fair'],
    ['river lantern window seven', 'good'],
    ['a river under the old bridge', 'good'],
    ['seven lanterns on a river under the old bridge', 'strong'],
    ['une rivière sous le vieux pont', 'good'],
    ['xK9#vQ2!mZ7$wB4', 'good'],
  ] as const)('%j is %s', (passphrase, strength) => {
    expect(strengthOf(passphrase)).toBe(strength);
  });
});

describe('amounts', () => {
  it('are said in the language of the page', () => {
    expect(size(30_000_000, 'en')).toBe('30 MB');
    expect(size(1_500_000_000, 'en')).toBe('1.5 GB');
    expect(size(30_000_000, 'fr').replace(/\s/g, ' ')).toBe('30 Mo');
    expect(size(0, 'en')).toBe('0 bytes');
  });

  it('of time do not jump about', () => {
    expect(duration(12, 'en')).toBe('15 seconds');
    expect(duration(240, 'en')).toBe('4 minutes');
    expect(duration(7200, 'fr').replace(/\s/g, ' ')).toBe('2 heures');
  });

  it('of the clock stay on one line', () => {
    const at = new Date(2020, 10, 27, 4, 31).toISOString();
    expect(day(at, 'fr')).toBe('27 novembre 2020');
    expect(moment(at, 'fr')).toBe('27 novembre 2020 à 04\u00A0h\u00A031');
    expect(timeOfDay(at, 'fr')).toBe('04\u00A0h\u00A031');
    expect(timeOfDay(at, 'en')).toBe('4:31\u00A0a.m.');
    expect(timeOf(at, 'fr')).toBe(moment(at, 'fr'));
    const now = new Date().toISOString();
    expect(timeOf(now, 'en')).toBe(timeOfDay(now, 'en'));
  });
});

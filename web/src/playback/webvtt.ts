/** WebVTT captions written or imported by a mediator: strict parsing with the line of every error, and serialization. */

import { readable } from '../i18n/readable';

export interface Cue {
  /** Milliseconds from the beginning. */
  readonly start: number;
  readonly end: number;
  /** One or more lines, none of them empty. */
  readonly text: string;
}

export type Fault =
  | 'no-header' // the first line is not WEBVTT
  | 'bad-timing' // not `00:00.000 --> 00:02.000`
  | 'ends-before-start'
  | 'starts-before-last' // cues are in the order of time
  | 'no-text'
  | 'arrow-in-text' // `-->` in the text would be read as a timing
  | 'after-end'; // later than the video is long

export interface Mistake {
  /** From 1. */
  readonly line: number;
  readonly fault: Fault;
}

export interface Parsed {
  readonly cues: readonly Cue[];
  readonly mistakes: readonly Mistake[];
}

const TIME = /^(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})$/;
const ARROW = '-->';
const NOT_A_CUE = /^(?:NOTE|STYLE|REGION)(?:[ \t]|$)/;

/** Parses a file; anything but cues (notes, styles, positions) is dropped, since some players would lose it. */
export function parse(file: string, durationMs = Number.POSITIVE_INFINITY): Parsed {
  const lines = file.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n').split('\n');
  const cues: Cue[] = [];
  const mistakes: Mistake[] = [];
  if (!/^WEBVTT(?:[ \t]|$)/.test(lines[0] ?? '')) return { cues, mistakes: [{ line: 1, fault: 'no-header' }] };

  let at = 1;
  while (at < lines.length && lines[at] !== '') at += 1; // header lines belong to the first block
  let lastStart = 0;
  while (at < lines.length) {
    if (lines[at] === '') {
      at += 1;
      continue;
    }
    const first = at;
    while (at < lines.length && lines[at] !== '') at += 1;
    const block = lines.slice(first, at);
    if (NOT_A_CUE.test(block[0] ?? '')) continue;

    const timingAt = block[0]?.includes(ARROW) === true ? 0 : 1; // an identifier may precede the times
    const line = first + 1 + timingAt;
    const times = readTiming(block[timingAt] ?? '');
    if (times === null) {
      mistakes.push({ line: Math.min(line, at), fault: 'bad-timing' });
      continue;
    }
    const text = block.slice(timingAt + 1);
    const cue = { start: times.start, end: times.end, text: text.join('\n') };
    const wrong = faultsOf(cue, lastStart, durationMs);
    mistakes.push(...wrong.map((fault) => ({ line: fault === 'arrow-in-text' ? line + 1 : line, fault })));
    lastStart = Math.max(lastStart, cue.start);
    cues.push(cue);
  }
  return { cues, mistakes };
}

/** The file of these cues, in a form that every player reads. */
export function serialize(cues: readonly Cue[]): string {
  const blocks = cues.map((cue) => `${formatTime(cue.start)} ${ARROW} ${formatTime(cue.end)}\n${cue.text}\n`);
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** `1:02:03.004` and `02:03.004`, as in a file or typed into a field. */
export function formatTime(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = two(Math.floor(ms / 60_000) % 60);
  const seconds = two(Math.floor(ms / 1000) % 60);
  const rest = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${hours > 0 ? `${two(hours)}:` : ''}${minutes}:${seconds}.${rest}`;
}

export function readTime(text: string): number | null {
  const found = TIME.exec(text.trim());
  if (found === null) return null;
  const [, hours = '0', minutes = '0', seconds = '0', rest = '0'] = found;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(rest);
}

/** An empty line would end the cue, so it is removed. */
export function cueText(typed: string): string {
  return typed
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

function readTiming(line: string): { start: number; end: number } | null {
  const [left, right, more] = line.split(ARROW);
  if (left === undefined || right === undefined || more !== undefined) return null;
  const start = readTime(left);
  const end = readTime(right.trim().split(/[ \t]/)[0] ?? '');
  return start === null || end === null ? null : { start, end };
}

function faultsOf(cue: Cue, lastStart: number, durationMs: number): Fault[] {
  const faults: Fault[] = [];
  if (cue.end <= cue.start) faults.push('ends-before-start');
  if (cue.start < lastStart) faults.push('starts-before-last');
  if (cue.start >= durationMs) faults.push('after-end');
  if (cue.text.trim() === '') faults.push('no-text');
  if (cue.text.includes(ARROW)) faults.push('arrow-in-text');
  return faults;
}

function two(count: number): string {
  return String(count).padStart(2, '0');
}

/**
 * A file reduced to its text, times and speakers; null if it has none.
 *
 * Markup is removed, and character references are decoded, so that a player, a transcript and a reviewer all show
 * the same text; `readable` is applied to the result.
 */
export function readableCaptions(file: string): string | null {
  const { cues, mistakes } = parse(file);
  if (mistakes.length > 0) return null;
  const shown = cues.map((cue) => ({ ...cue, text: readableCue(cue.text) }));
  const spoken = shown.filter(({ text }) => text.replace(TAG, '').trim() !== '');
  return spoken.length === 0 ? null : serialize(spoken);
}

/** The plain text of a cue: without tags, character references decoded. */
export function plainCue(text: string): string {
  return readable(text.replace(TAG, '').replace(REFERENCE, referred));
}

/** The speaker of a cue, if given. */
export function speakerOf(text: string): string | null {
  const name = SPEAKER.exec(text)?.[1];
  return name === undefined ? null : plainCue(name).trim();
}

const TAG = /<[^<>]*>/g;
const SPEAKER = /^<v(?:\.[^ >]*)? ([^>]+)>/;
const REFERENCE = /&(?:(amp|lt|gt|nbsp|lrm|rlm)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '\u200e', rlm: '\u200f' };
const UNKNOWN = '\ufffd';

function readableCue(text: string): string {
  const speaker = escaped(speakerOf(text) ?? '');
  const words = escaped(cueText(plainCue(text)));
  return speaker === '' ? words : `<v ${speaker}>${words}`;
}

function referred(_whole: string, name: string | undefined, decimal: string | undefined, hexadecimal: string | undefined): string {
  if (name !== undefined) return NAMED[name] ?? UNKNOWN;
  const number = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  if (number > 0x10ffff || (number >= 0xd800 && number < 0xe000)) return UNKNOWN;
  const character = String.fromCodePoint(number);
  // A line that starts with a reference would end the cue when written back.
  return /[\t\n\r\u2028\u2029]/.test(character) ? ' ' : character;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What is said in a video, as paragraphs to read, made of its captions. */

import { parse } from '../playback/webvtt';

/** A pause of this length begins a new paragraph. */
const PAUSE_MS = 2_500;

export function transcript(captions: string): readonly string[] {
  const paragraphs: string[] = [];
  let end = -Infinity;
  let speaker: string | null = null;
  for (const cue of parse(captions).cues) {
    const who = /^<v(?:\.[^ >]*)? ([^>]+)>/.exec(cue.text)?.[1]?.trim() ?? null;
    const words = plain(cue.text);
    if (words === '') continue;
    const last = paragraphs.length - 1;
    if (last >= 0 && cue.start - end < PAUSE_MS && (who === null || who === speaker)) paragraphs[last] = `${paragraphs[last] ?? ''} ${words}`;
    else paragraphs.push(who === null || who === speaker ? words : `${who}: ${words}`);
    speaker = who ?? speaker;
    end = cue.end;
  }
  return paragraphs;
}

/** Without tags, and with its character references as what they stand for. */
function plain(text: string): string {
  const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '', rlm: '' };
  return text
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+);/g, (whole, name: string) => signs[name] ?? whole)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}

/** Words as a person counts them, with an apostrophe inside. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+(?:[’'-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
}

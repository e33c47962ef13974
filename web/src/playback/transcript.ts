/** The transcript of a video, as paragraphs made from its captions. */

import { cueText, parse, plainCue, speakerOf } from './webvtt';

/** A pause of this length starts a new paragraph. */
const PAUSE_MS = 2_500;

export function transcript(captions: string): readonly string[] {
  const paragraphs: string[] = [];
  let end = -Infinity;
  let speaker: string | null = null;
  for (const cue of parse(captions).cues) {
    const who = speakerOf(cue.text);
    const words = cueText(plainCue(cue.text)).replaceAll('\n', ' ');
    if (words === '') continue;
    const last = paragraphs.length - 1;
    if (last >= 0 && cue.start - end < PAUSE_MS && (who === null || who === speaker)) paragraphs[last] = `${paragraphs[last] ?? ''} ${words}`;
    else paragraphs.push(who === null || who === speaker ? words : `${who}: ${words}`);
    speaker = who ?? speaker;
    end = cue.end;
  }
  return paragraphs;
}

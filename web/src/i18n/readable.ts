/**
 * Text of people as it is shown: the same to the mediator who reviews it and to whoever reads it later.
 *
 * Some characters are not seen and still change what is: they turn the order of the letters after them, end a line, or hide
 * words. Each is replaced by its name, such as `[U+202E]`, which everybody sees in its place.
 */

const LINE_ENDS = /\r\n?|[\u2028\u2029]/g;

/** A flag of a region, such as that of Scotland: an emoji that is written with tag characters. */
const FLAG = '\u{1F3F4}[\u{E0020}-\u{E007E}]{1,6}\u{E007F}';
const CONTROLS = '\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F'; // but tab and line feed
const DIRECTIONS = '\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u206F';
const ANNOTATIONS = '\\uFFF9-\\uFFFB'; // words above other words
const TAGS = '\\u{E0000}-\\u{E007F}'; // letters that nobody sees
const MARKED = new RegExp(`(${FLAG})|[${CONTROLS}${DIRECTIONS}${ANNOTATIONS}${TAGS}]`, 'gu');

/** `text` with line feeds for all line ends, and `[U+…]` for every character that hides or turns words. */
export function readable(text: string): string {
  return text.replace(LINE_ENDS, '\n').replace(MARKED, (found: string, flag: string | undefined) => flag ?? named(found));
}

function named(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

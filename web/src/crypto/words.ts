/**
 * Words for people to read, say and type: encoding a code as words, and suggesting passphrases.
 *
 * The lists are those of relay/crypto/wordlists and part of the protocol: a word's position is its value. Each list is
 * fetched when first needed.
 */

import { findWeakness } from './passphrases';

export type WordLanguage = 'en' | 'fr';

const BITS_PER_WORD = 10;
const CODE_WORDS = 4;
/** Of a code of four words. */
export const CODE_BYTES = (CODE_WORDS * BITS_PER_WORD) / 8;
/** 40 bits: enough if relay limits the attempts. What can be attacked offline needs more words. */
export const SUGGESTED_WORDS = 4;

const lists = new Map<WordLanguage, readonly string[]>();

/** The 1024 words of a language, in their order. */
export async function wordList(language: WordLanguage): Promise<readonly string[]> {
  const known = lists.get(language);
  if (known !== undefined) return known;
  const { default: text } = await (language === 'fr'
    ? import('../../../relay/crypto/wordlists/fr.txt?raw')
    : import('../../../relay/crypto/wordlists/en.txt?raw'));
  const words = text.trim().split(/\s+/);
  lists.set(language, words);
  return words;
}

/** The words of a code of 5 bytes: big endian, 10 bits a word. */
export async function spell(code: Uint8Array, language: WordLanguage): Promise<readonly string[]> {
  const words = await wordList(language);
  const bits = [...code].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: CODE_WORDS }, (_, place) => {
    const at = place * BITS_PER_WORD;
    return words[parseInt(bits.slice(at, at + BITS_PER_WORD), 2)] ?? '';
  });
}

/**
 * Words from the system's random source, 10 bits each, separated by spaces. A result below the floor, such
 * as the same word four times, is drawn again.
 */
export async function suggestPassphrase(language: WordLanguage, count = SUGGESTED_WORDS): Promise<string> {
  const words = await wordList(language);
  for (;;) {
    // 1024 divides 65536, so every word is as likely as every other.
    const drawn = [...crypto.getRandomValues(new Uint16Array(count))].map((number) => words[number % words.length] ?? '').join(' ');
    if (findWeakness(drawn) === null) return drawn;
  }
}

/**
 * Words for people to read, say and type: the short code of a claim, and passphrases to choose from.
 *
 * The lists are those of relay/crypto/wordlists and part of the protocol: a word's place in its list is its value. One is
 * fetched when it is first needed.
 */

import { b64uDecode } from './encoding';
import type { Digest } from './fields';
import { findWeakness } from './passphrases';

export type WordLanguage = 'en' | 'fr';

const BITS_PER_WORD = 10;
const CLAIM_WORDS = 4;
/** 40 bits: enough where relay counts the tries. What can be guessed offline needs more words. */
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

/** Four words for a claim: the first 40 bits of its statement's hash, big endian, 10 bits a word. */
export async function claimWords(claimHash: Digest, language: WordLanguage): Promise<readonly string[]> {
  const words = await wordList(language);
  const bits = [...b64uDecode(claimHash).subarray(0, (CLAIM_WORDS * BITS_PER_WORD) / 8)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return Array.from({ length: CLAIM_WORDS }, (_, place) => {
    const at = place * BITS_PER_WORD;
    return words[parseInt(bits.slice(at, at + BITS_PER_WORD), 2)] ?? '';
  });
}

/**
 * Words that the system's random source chose, 10 bits each, with a space between them. What the floor would refuse, such
 * as one word four times, is drawn again.
 */
export async function suggestPassphrase(language: WordLanguage, count = SUGGESTED_WORDS): Promise<string> {
  const words = await wordList(language);
  for (;;) {
    // 1024 divides 65536, so every word is as likely as every other.
    const drawn = [...crypto.getRandomValues(new Uint16Array(count))].map((number) => words[number % words.length] ?? '').join(' ');
    if (findWeakness(drawn) === null) return drawn;
  }
}

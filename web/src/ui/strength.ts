/** A rough, lenient estimate of how hard a passphrase is to guess: advice above the minimum that `findWeakness` enforces. */

export type Strength = 'empty' | 'weak' | 'fair' | 'good' | 'strong';

/** Bits per word that somebody chooses, and for an unusual spelling. */
const BITS_PER_WORD = 11;
const BITS_PER_LETTER = 2.2;
const BITS_PER_OTHER = 3.5;

/** What attackers try first; one of these plus a few characters is worth little. */
const TRIED_FIRST = /^(?:pass(?:word|phrase)?|motdepasse|mot de passe|azerty|qwerty|letmein|welcome|bonjour|iloveyou|jetaime|soleil|admin|secret|canada)/i;
const STEPS = ['abcdefghijklmnopqrstuvwxyz', 'zyxwvutsrqponmlkjihgfedcba', '01234567890', '09876543210', 'qwertyuiop', 'azertyuiop', 'asdfghjkl', 'qsdfghjklm'];

export function estimateBits(passphrase: string): number {
  const text = passphrase.normalize('NFKC').trim();
  const words = [...new Set(text.toLowerCase().split(/\s+/).filter((word) => word !== ''))];
  let bits = 0;
  for (const word of words) bits += bitsOfWord(word);
  return TRIED_FIRST.test(text) ? bits / 3 : bits;
}

export function strengthOf(passphrase: string): Strength {
  if (passphrase.trim() === '') return 'empty';
  const bits = estimateBits(passphrase);
  if (bits < 24) return 'weak';
  if (bits < 36) return 'fair';
  return bits < 50 ? 'good' : 'strong';
}

/** A word is worth the cost of finding it in a list, or of trying its letters, whichever is less. */
function bitsOfWord(word: string): number {
  let spelled = 0;
  let before = '';
  for (const sign of word) {
    if (sign === before || follows(before, sign)) spelled += 0.5;
    else spelled += /\p{L}/u.test(sign) ? BITS_PER_LETTER : BITS_PER_OTHER;
    before = sign;
  }
  return /^\p{L}+$/u.test(word) ? Math.min(spelled, BITS_PER_WORD) : spelled;
}

function follows(before: string, sign: string): boolean {
  return before !== '' && STEPS.some((row) => row.includes(before + sign));
}

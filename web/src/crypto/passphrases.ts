/** Passphrases: normalization, and the minimum requirements for a new one. */

export const LEAST_CHARACTERS = 12;
export const LEAST_DIFFERENT = 6;
/** This many letters and digits in a row that are also in the link make a passphrase a copy of it. */
const LINK_RUN = 12;

/** Why a new passphrase is refused; the sentences are in the catalogues. */
export type Weakness = 'passphrase-short' | 'passphrase-repeats' | 'passphrase-uniform' | 'passphrase-from-link';

/** Thrown instead of sealing keys with a passphrase below the floor. */
export class WeakPassphrase extends Error {
  override readonly name = 'WeakPassphrase';

  constructor(readonly weakness: Weakness) {
    super(weakness);
  }
}

/** What is stretched: NFKC, so that keyboards agree, without the spaces that they add at either end. */
export function normal(passphrase: string): string {
  return passphrase.normalize('NFKC').replace(/^ +| +$/g, '');
}

/** Why a new passphrase is refused, or null. `link`: the address that it protects, if any. */
export function findWeakness(passphrase: string, link = ''): Weakness | null {
  const signs = Array.from(normal(passphrase).toLowerCase());
  if (signs.length < LEAST_CHARACTERS) return 'passphrase-short';
  if (repeats(signs)) return 'passphrase-repeats';
  if (new Set(signs).size < LEAST_DIFFERENT) return 'passphrase-uniform';
  return sharesARun(signs, Array.from(normal(link).toLowerCase())) ? 'passphrase-from-link' : null;
}

/** WeakPassphrase where findWeakness finds one. */
export function checkNewPassphrase(passphrase: string, link = ''): void {
  const weakness = findWeakness(passphrase, link);
  if (weakness !== null) throw new WeakPassphrase(weakness);
}

/** Whether it repeats one piece, the last time possibly cut short. */
function repeats(signs: readonly string[]): boolean {
  for (let period = 1; period <= signs.length / 2; period += 1) {
    if (signs.every((sign, at) => at < period || sign === signs[at - period])) return true;
  }
  return false;
}

function sharesARun(signs: readonly string[], link: readonly string[]): boolean {
  const isSaid = (sign: string): boolean => /[\p{L}\p{N}]/u.test(sign);
  const words = signs.filter(isSaid);
  const address = link.filter(isSaid).join('');
  return words.some((_, at) => at + LINK_RUN <= words.length && address.includes(words.slice(at, at + LINK_RUN).join('')));
}

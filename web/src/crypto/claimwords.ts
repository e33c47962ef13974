/** The four words of a claim: the person says them over the telephone, and a mediator compares them. */

import { utf8 } from './encoding';
import type { Digest } from './values';
import { stretch } from './scrypt';
import { CODE_BYTES, spell, type WordLanguage } from './words';

/** The cost of each attempt to find a second claim with the same words: 32 MiB of scrypt. */
const WORK_FACTOR_LOG2 = 15;
const LABEL = 'relay/v1/claim-words';

/** The words of the claim whose statement has this hash, in both languages: 40 bits of scrypt over it. */
export async function claimWords(claimHash: Digest): Promise<Record<WordLanguage, readonly string[]>> {
  const code = stretch(claimHash, utf8(LABEL), WORK_FACTOR_LOG2, CODE_BYTES);
  const [en, fr] = await Promise.all([spell(code, 'en'), spell(code, 'fr')]);
  return { en, fr };
}

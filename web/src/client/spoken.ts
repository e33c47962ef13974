/** The words that stand for a claim: said by the person over the telephone, and compared by a mediator. */

import type { Digest } from '../crypto/fields';
import { claimWords } from '../crypto/words';
import type { SpokenWords } from './contract';

/** The words of the claim with this hash, in both languages. */
export async function spokenWords(claim: Digest): Promise<SpokenWords> {
  const [en, fr] = await Promise.all([claimWords(claim, 'en'), claimWords(claim, 'fr')]);
  return { en, fr };
}

/** How tests ask why something was refused. */

import { CryptoError, type CryptoFailure } from '../../src/crypto/errors';

/** Why `work` is refused; whatever else it throws is a mistake of ours and thrown on, and so is that it is not. */
export function refusal(work: () => unknown): CryptoFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof CryptoError) return error.failure;
    throw error;
  }
  throw new Error('it was not refused');
}

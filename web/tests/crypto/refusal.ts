/** How tests ask why something was refused. */

import { CryptoError, type CryptoFailure } from '../../src/crypto/errors';

/** Why `work` is refused; whatever else it throws is a mistake of ours and thrown on, and so is that it is not. */
export function refusal(work: () => unknown): CryptoFailure {
  return refused(work).failure;
}

/** The sentence of it, which is for the log alone: tells two refusals of one kind apart. */
export function cause(work: () => unknown): string {
  return String(refused(work).cause);
}

function refused(work: () => unknown): CryptoError {
  try {
    work();
  } catch (error) {
    if (error instanceof CryptoError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

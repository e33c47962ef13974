/** Helpers to check why something was refused. */

import { CryptoError, type CryptoFailure } from '../../src/crypto/errors';

/** Why `work` is refused; rethrows any other error, and fails if nothing is thrown. */
export function refusal(work: () => unknown): CryptoFailure {
  return refused(work).failure;
}

/** The cause, which is for the log only: distinguishes two refusals of one kind. */
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

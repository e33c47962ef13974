/** File keys: generating them, deriving from them, and committing to them. */

import { type Bytes, b64uDecode, b64uEncode, sameBytes, utf8, uuidBytes } from './encoding';
import { CryptoError } from './errors';
import type { Digest } from './values';
import { hkdf, randomBytes } from './sodium';

/** The 16 random bytes that one age file is sealed under. */
export type FileKey = Bytes;

export const FILE_KEY_BYTES = 16;

/** A fresh file key; one per file, never used twice. */
export function newFileKey(): FileKey {
  return randomBytes(FILE_KEY_BYTES);
}

/**
 * What ties a part to its file key and to its case.
 *
 * ChaCha20-Poly1305 does not commit to its key: one ciphertext can be made that opens under two keys to two contents.
 * The author signs this value, and every reader compares it. Only somebody with the file key can compute it for a case.
 */
export function commit(fileKey: FileKey, caseId: string): Digest {
  return b64uEncode(hkdf(fileKey, uuidBytes(caseId), utf8('relay/v1/commit')));
}

/** Refuses a file key whose commitment in this case is not the signed one. */
export function checkCommitment(fileKey: FileKey, commitment: Digest, caseId: string): void {
  if (!sameBytes(b64uDecode(commit(fileKey, caseId)), b64uDecode(commitment))) {
    throw new CryptoError('commitment', 'the file key is not the one committed to');
  }
}

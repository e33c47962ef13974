/**
 * The entry point to everything about age files; the parts are header, stream, ranges and a file per recipient type.
 *
 * An age file is `header || body`. In relay the two are usually stored apart: one body, and a header per audience.
 */

import { type Bytes, concat } from './encoding';
import { newFileKey } from './filekeys';
import { type Identity, readHeader, type Recipient, unwrapHeader, wrapHeader } from './header';
import { openBody, sealBody } from './stream';

export type { Bytes } from './encoding';
export { checkCommitment, commit, FILE_KEY_BYTES, type FileKey, newFileKey } from './filekeys';
export {
  type Header,
  HEADER_MAX_BYTES,
  type Identity,
  parseHeader,
  readHeader,
  type Recipient,
  unwrapHeader,
  wrapHeader,
} from './header';
export { HybridIdentity, HybridRecipient } from './mlkem768x25519';
export { RangeOpener, type Span } from './ranges';
export { parseIdentity, parseRecipient } from './recipients';
export { MAX_WORK_FACTOR_LOG2, ScryptIdentity, ScryptRecipient } from './scrypt';
export { SEGMENT_BYTES, segmentCount, segmentDigest, segmentDigests, SegmentHasher } from './segments';
export {
  CHUNK_BYTES,
  NONCE_BYTES,
  openBody,
  openedSize,
  Opener,
  SEALED_CHUNK_BYTES,
  sealBody,
  sealedSize,
  Sealer,
} from './stream';
export { X25519Identity, X25519Recipient } from './x25519';

/** Seals a whole age file at once, for small things such as keyrings. */
export function sealFile(plaintext: Uint8Array, recipients: readonly Recipient[]): Bytes {
  const fileKey = newFileKey();
  return concat(wrapHeader(fileKey, recipients), sealBody(fileKey, plaintext));
}

/** Opens a whole age file at once. */
export function openFile(sealed: Uint8Array, identities: readonly Identity[]): Bytes {
  const header = readHeader(sealed);
  return openBody(unwrapHeader(header, identities), sealed.subarray(header.encoded.length));
}

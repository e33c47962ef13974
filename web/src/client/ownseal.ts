/** Seals what somebody stores for themself alone: drafts, unfinished videos, a mediator's forms. */

import { FILE_KEY_BYTES, type HybridIdentity } from '../crypto/age';
import { type Bytes, utf8 } from '../crypto/encoding';
import { hkdf } from '../crypto/sodium';
import { openBody, sealBody } from '../crypto/stream';

export interface OwnSeal {
  seal(plain: Bytes): Promise<Bytes> | Bytes;
  /** Refuses anything not sealed with the same key. */
  open(sealed: Bytes): Promise<Bytes> | Bytes;
}

/**
 * Seals with a key derived from the person's own identity, so that nobody else can create something that opens: an age
 * file for their recipient could come from anybody who knows it. The result is the body of an age file under one file key.
 */
export function ownSealOf({ seed }: HybridIdentity): OwnSeal {
  const key = hkdf(seed, new Uint8Array(), utf8('relay/v1/own')).slice(0, FILE_KEY_BYTES);
  return { seal: (plain) => sealBody(key, plain), open: (sealed) => openBody(key, sealed) };
}

/** Seals what somebody keeps for themself alone: drafts, unfinished videos, what a mediator is typing. */

import { FILE_KEY_BYTES, type HybridIdentity } from '../crypto/age';
import { type Bytes, utf8 } from '../crypto/encoding';
import { hkdf } from '../crypto/sodium';
import { openBody, sealBody } from '../crypto/stream';

export interface OwnSeal {
  seal(plain: Bytes): Promise<Bytes> | Bytes;
  /** Refuses what was not sealed with the same key. */
  open(sealed: Bytes): Promise<Bytes> | Bytes;
}

/**
 * Seals with a key that follows from somebody's own identity, so that nobody else can make what opens: an age file for
 * their recipient could come from anybody who knows it. What is sealed is the body of an age file, under one file key.
 */
export function ownSealOf({ seed }: HybridIdentity): OwnSeal {
  const key = hkdf(seed, new Uint8Array(), utf8('relay/v1/own')).slice(0, FILE_KEY_BYTES);
  return { seal: (plain) => sealBody(key, plain), open: (sealed) => openBody(key, sealed) };
}

/** The stanzas of an age header, and the rules that every recipient type shares. */

import { type Bytes, b64Decode, b64Encode } from './encoding';
import { CryptoError } from './errors';
import { FILE_KEY_BYTES, type FileKey } from './filekeys';
import { openChunk, sealChunk } from './sodium';

/** A body is wrapped at this many letters, and its last line is always shorter. */
export const COLUMNS = 64;

/** A wrapped file key: 16 bytes and a tag. */
export const WRAPPED_BYTES = 32;
const ZERO_NONCE = new Uint8Array(12);

/** One recipient's wrapping of the file key: a type, arguments of that type, and a body. */
export interface Stanza {
  readonly type: string;
  readonly arguments: readonly string[];
  readonly body: Bytes;
}

/** The lines of a stanza; the last is shorter than 64 columns, if need be empty. */
export function encodeStanza(stanza: Stanza): string {
  const text = b64Encode(stanza.body);
  const lines = [['->', stanza.type, ...stanza.arguments].join(' ')];
  for (let at = 0; at <= text.length; at += COLUMNS) lines.push(text.slice(at, at + COLUMNS));
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * The stanzas of one type; refuses one with another number of arguments or a body not of 32 bytes.
 *
 * The body's size is checked before any key touches it: a stanza that opens to another size could be made to open
 * under many keys, and tell its maker which one was tried (a partitioning oracle).
 */
export function stanzasOf(stanzas: readonly Stanza[], type: string, argumentCount: number): readonly Stanza[] {
  const found = stanzas.filter((stanza) => stanza.type === type);
  if (found.some((stanza) => stanza.arguments.length !== argumentCount || stanza.body.length !== WRAPPED_BYTES)) {
    throw new CryptoError('header', `a stanza of type ${type} is malformed`);
  }
  return found;
}

/** An argument that is the Base64 of exactly `size` bytes. */
export function binaryArgument(stanza: Stanza, place: number, size: number): Bytes {
  const value = headerBase64(stanza.arguments[place] ?? '');
  if (value.length !== size) throw new CryptoError('header', 'an argument of a stanza has the wrong size');
  return value;
}

/** Base64 in a header: where it is not canonical, it is the header that is malformed. */
export function headerBase64(text: string): Bytes {
  try {
    return b64Decode(text);
  } catch {
    throw new CryptoError('header', 'Base64 in a header is not canonical');
  }
}

/** ChaCha20-Poly1305 with the zero nonce: `key` must be fresh, which a fresh salt or share makes it. */
export function wrapUnder(key: Uint8Array, fileKey: FileKey): Bytes {
  const body = new Uint8Array(WRAPPED_BYTES);
  sealChunk(key, ZERO_NONCE, fileKey, body, 0);
  return body;
}

/** The opposite of wrapUnder; null if `body` was not wrapped under `key`. */
export function unwrapUnder(key: Uint8Array, body: Uint8Array): FileKey | null {
  const fileKey = new Uint8Array(FILE_KEY_BYTES);
  return openChunk(key, ZERO_NONCE, body, fileKey, 0) ? fileKey : null;
}

/**
 * Reads and writes age headers: who may open a file, and a MAC under the file key that binds it all.
 *
 * In relay a header without its body is a grant: it lets one audience open a body stored elsewhere.
 */

import { type Bytes, b64Encode, concat, sameBytes, utf8 } from './encoding';
import { CryptoError } from './errors';
import { FILE_KEY_BYTES, type FileKey } from './filekeys';
import { hkdf, hmacSha256 } from './sodium';
import { COLUMNS, encodeStanza, headerBase64, type Stanza } from './stanzas';

/** Longer headers are refused: room for more than 150 post-quantum recipients. */
export const HEADER_MAX_BYTES = 256 * 1024;

const VERSION_LINE = 'age-encryption.org/v1';
const STANZA_MARK = '-> ';
const END_MARK = '---';
const MAC_BYTES = 32;
const LINE_FEED = 0x0a;

/** A parsed header. Its MAC is checked by `unwrapHeader`, which alone has the key to it. */
export interface Header {
  readonly stanzas: readonly Stanza[];
  readonly mac: Bytes;
  /** The bytes it was parsed from, which are also the only encoding of it; the body of an age file starts after them. */
  readonly encoded: Bytes;
}

/** Recipients of one header are all of one family; a passphrase stands alone. */
export type Family = 'post-quantum' | 'classic' | 'passphrase';

/** Somebody a file key can be wrapped for. */
export interface Recipient {
  readonly family: Family;
  /** A fresh stanza that only this recipient's identity can open. */
  wrap(fileKey: FileKey): Stanza;
}

/** The secret that belongs to a recipient. */
export interface Identity {
  /** The file key, or null if no stanza is for this identity; refuses a stanza of its type that breaks the rules. */
  unwrap(stanzas: readonly Stanza[]): FileKey | null;
}

/**
 * A complete header that lets `recipients` open what is sealed under `fileKey`.
 *
 * A passphrase next to anything else would no longer prove that the writer knew it; next to classic recipients,
 * post-quantum ones would be no safer than those. Both are errors of the caller.
 */
export function wrapHeader(fileKey: FileKey, recipients: readonly Recipient[]): Bytes {
  const families = new Set(recipients.map((recipient) => recipient.family));
  if (fileKey.length !== FILE_KEY_BYTES || families.size !== 1) {
    throw new RangeError('a header needs a 16-byte file key and recipients of one family');
  }
  if (families.has('passphrase') && recipients.length > 1) throw new RangeError('a passphrase must be the only recipient');
  const stanzas = recipients.map((recipient) => recipient.wrap(fileKey));
  const start = utf8(`${VERSION_LINE}\n${stanzas.map(encodeStanza).join('')}${END_MARK}`);
  return concat(start, utf8(` ${b64Encode(macOf(fileKey, start))}\n`));
}

/** The header that `encoded` is, from its first to its last byte. */
export function parseHeader(encoded: Uint8Array): Header {
  const header = readHeader(encoded);
  if (header.encoded.length !== encoded.length) throw new CryptoError('header', 'bytes follow the header');
  return header;
}

/** The header at the front of an age file. */
export function readHeader(file: Uint8Array): Header {
  const lines = new Lines(file);
  if (lines.next() !== VERSION_LINE) throw new CryptoError('header', 'not an age v1 file');
  const stanzas: Stanza[] = [];
  let line = lines.next();
  while (line.startsWith(STANZA_MARK)) {
    stanzas.push(readStanza(line, lines));
    line = lines.next();
  }
  if (stanzas.length === 0) throw new CryptoError('header', 'the header has no stanza');
  if (stanzas.length > 1 && stanzas.some((stanza) => stanza.type === 'scrypt')) {
    throw new CryptoError('header', 'an scrypt stanza is not alone');
  }
  const mac = line.startsWith(`${END_MARK} `) ? headerBase64(line.slice(END_MARK.length + 1)) : new Uint8Array();
  if (mac.length !== MAC_BYTES) throw new CryptoError('header', 'the header does not end in a MAC');
  return { stanzas, mac, encoded: lines.taken() };
}

/** The file key, opened by the first identity that can, after the MAC of the header was checked with it. */
export function unwrapHeader(header: Header | Uint8Array, identities: readonly Identity[]): FileKey {
  const { stanzas, mac, encoded } = header instanceof Uint8Array ? parseHeader(header) : header;
  for (const identity of identities) {
    const fileKey = identity.unwrap(stanzas);
    if (fileKey !== null) {
      const start = encoded.subarray(0, encoded.lastIndexOf(0x20));
      if (!sameBytes(macOf(fileKey, start), mac)) throw new CryptoError('header-mac', 'the header was altered');
      return fileKey;
    }
  }
  throw new CryptoError('no-match', 'no identity opens this header');
}

/** Hands out lines of visible ASCII and stops at the longest header that is read at all. */
class Lines {
  readonly #file: Uint8Array;
  #at = 0;

  constructor(file: Uint8Array) {
    this.#file = file.subarray(0, HEADER_MAX_BYTES);
  }

  next(): string {
    const end = this.#file.indexOf(LINE_FEED, this.#at);
    if (end < 0) throw new CryptoError('header', 'the header is cut short or too long');
    const line = this.#file.subarray(this.#at, end);
    if (line.some((byte) => byte < 0x20 || byte > 0x7e)) {
      throw new CryptoError('header', 'the header holds something else than visible ASCII');
    }
    this.#at = end + 1;
    return new TextDecoder().decode(line);
  }

  taken(): Bytes {
    return Uint8Array.from(this.#file.subarray(0, this.#at));
  }
}

function readStanza(line: string, lines: Lines): Stanza {
  const [type = '', ...given] = line.slice(STANZA_MARK.length).split(' ');
  if (type === '' || given.includes('')) throw new CryptoError('header', 'a stanza has an empty argument');
  let body = '';
  let text: string;
  do {
    text = lines.next();
    if (text.length > COLUMNS) throw new CryptoError('header', 'a line of a stanza is too long');
    body += text;
  } while (text.length === COLUMNS);
  return { type, arguments: given, body: headerBase64(body) };
}

/** The MAC covers everything up to and including the `---`. */
function macOf(fileKey: FileKey, start: Uint8Array): Bytes {
  return hmacSha256(hkdf(fileKey, new Uint8Array(), utf8('header')), start);
}

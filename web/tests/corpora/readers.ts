/** How the pages read each format whose corpus Python reads too (tests/support/fuzz): what was read as one text, or null. */

import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { HybridRecipient } from '../../src/crypto/age';
import { b64Decode, b64Encode, b64uDecode, b64uEncode, bech32Decode, bech32Encode, concat, utf8 } from '../../src/crypto/encoding';
import { CryptoError } from '../../src/crypto/errors';
import { parseHeader, readHeader } from '../../src/crypto/header';
import { linkUrl, parseLinkUrl } from '../../src/crypto/links';
import { HybridIdentity } from '../../src/crypto/mlkem768x25519';
import { pad, unpad } from '../../src/crypto/padding';
import { RangeOpener } from '../../src/crypto/ranges';
import { parseIdentity, parseRecipient } from '../../src/crypto/recipients';
import { readUnverified, Signer, verifyStatement } from '../../src/crypto/signing';
import { sealChunk } from '../../src/crypto/sodium';
import { encodeStanza } from '../../src/crypto/stanzas';
import * as statements from '../../src/crypto/statements';
import { CHUNK_BYTES, chunkNonce, NONCE_BYTES, openBody, openedSize, Opener, payloadKey, SEALED_CHUNK_BYTES, sealedSize, TAG_BYTES } from '../../src/crypto/stream';
import { readable } from '../../src/i18n/readable';
import { requestedSpan } from '../../src/playback/answering';
import { parse, readableCaptions, serialize } from '../../src/playback/webvtt';

export type Reader = (given: Uint8Array) => string | null;

/** An input and what comes of it. */
export interface Entry {
  readonly given: Uint8Array;
  readonly read: string | null;
}

const SHOWN = 100;
const ORDERED = Uint8Array.from({ length: 32 }, (_, place) => place);
const KINDS = new Map(Object.values(statements).filter((kind) => typeof kind === 'object').map((kind) => [kind.typ, kind as statements.Kind<statements.Statement>]));

/** The corpus of that name. */
export function corpus(name: string): readonly Entry[] {
  const lines = readFileSync(new URL(`../../../tests/fuzzing/corpora/${name}.jsonl`, import.meta.url), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { text, b64, read } = JSON.parse(line) as { readonly text?: string; readonly b64?: string; readonly read: string | null };
    return { given: new Uint8Array(b64 === undefined ? utf8(text ?? '') : Buffer.from(b64, 'base64')), read };
  });
}

/** As a corpus has it: a long text by the beginning of its hash. */
export function shown(read: string | null): string | null {
  if (read === null || Array.from(read).length <= SHOWN) return read;
  return `sha256:${createHash('sha256').update(read, 'utf8').digest('hex').slice(0, 16)}`;
}

/** Every format that both read. */
export const READERS: Readonly<Record<string, Reader>> = {
  'base64': (given) => attempt(() => sameText(text(given), b64Decode(text(given)), b64Encode)),
  'base64url': (given) => attempt(() => sameText(text(given), b64uDecode(text(given)), b64uEncode)),
  'bech32': (given) =>
    attempt(() => {
      const { prefix, data } = bech32Decode(text(given));
      hold(bech32Encode(prefix, data) === text(given));
      return `${prefix} ${hex(data)}`;
    }),
  'padding': (given) =>
    attempt(() => {
      const plain = unpad(given);
      hold(same(pad(plain), given));
      return hex(plain);
    }),
  'recipients': (given) =>
    attempt(() => {
      const found = parseRecipient(text(given));
      hold(String(found) === text(given));
      return found instanceof HybridRecipient ? 'post-quantum' : 'classic';
    }),
  'identities': (given) =>
    attempt(() => {
      const found = parseIdentity(text(given));
      hold(String(found) === text(given));
      return found instanceof HybridIdentity ? 'HybridIdentity' : 'X25519Identity';
    }),
  'age-headers': readHeaders,
  'age-streams': readStreams,
  'statement-texts': readTexts,
  'statements': readStatements,
  'links': (given) =>
    attempt(() => {
      const { publicUrl, id, secret, rootFingerprint, anchor } = parseLinkUrl(text(given));
      hold(linkUrl(publicUrl, id, secret, rootFingerprint, anchor) === text(given) || publicUrl.endsWith('/'));
      return listed(publicUrl, id, b64uEncode(secret.secret), rootFingerprint, anchor);
    }),
  'ranges': readRanges,
  'captions': readCaptions,
  'texts': (given) => {
    const file = utf8Text(given);
    if (file === null) return null;
    const said = readable(file);
    hold(readable(said) === said);
    return said;
  },
};

function readHeaders(given: Uint8Array): string | null {
  const front = attempt(() => readHeader(given));
  if (front !== null) {
    const written = `age-encryption.org/v1\n${front.stanzas.map(encodeStanza).join('')}--- ${b64Encode(front.mac)}\n`;
    hold(same(front.encoded, utf8(written)));
  }
  const header = attempt(() => parseHeader(given));
  hold((header !== null) === (front?.encoded.length === given.length));
  return header && listed(...header.stanzas.map((stanza) => [stanza.type, ...stanza.arguments, hex(stanza.body)]));
}

function readTexts(given: Uint8Array): string | null {
  const compact = text(given);
  const claimed = attempt(() => readUnverified(compact));
  if (claimed === null) return null;
  const signer = new Signer(ORDERED);
  const signed = attempt(() => verifyStatement(compact, claimed.typ, signer.publicKey));
  return listed(claimed.typ, claimed.kid, hex(utf8(claimed.payload)), signed !== null);
}

/** A type, and below it a payload of any bytes, which is signed here. */
function readStatements(given: Uint8Array): string | null {
  const end = given.includes(0x0a) ? given.indexOf(0x0a) : given.length;
  const typ = Buffer.from(given.subarray(0, end)).toString('latin1');
  const kind = KINDS.get(typ);
  if (kind === undefined) return null;
  const signer = new Signer(ORDERED);
  const header = utf8(`{"alg":"EdDSA","kid":"${signer.kid}","typ":"${typ}"}`);
  const covered = `${b64uEncode(header)}.${b64uEncode(given.subarray(end + 1))}`;
  const compact = `${covered}.${b64uEncode(signer.sign(utf8(covered)))}`;
  const said = attempt(() => statements.verify(compact, kind, signer.publicKey));
  if (said === null) return null;
  hold(statements.sign(signer, kind, said) === compact);
  return Buffer.from(given.subarray(end + 1)).toString('utf8');
}

/** A size in digits, a space, and the value of a Range header. */
function readRanges(given: Uint8Array): string | null {
  const [, digits, header] = /^(\d{1,15}) (.*)$/s.exec(Buffer.from(given.filter((byte) => byte !== 0 && byte !== 10 && byte !== 13)).toString('utf8')) ?? [];
  if (digits === undefined || header === undefined) return null;
  const size = Number(digits);
  const span = requestedSpan(header, size);
  if (span === 'all') return null;
  if (span === null) return 'none of it';
  hold(span.from >= 0 && span.from < span.to && span.to <= size);
  return `${span.from} ${span.to}`;
}

function readCaptions(given: Uint8Array): string | null {
  const file = utf8Text(given);
  if (file === null) return null;
  const { cues, mistakes } = parse(file);
  const said = readableCaptions(file);
  hold(said === null || mistakes.length === 0);
  if (mistakes.length === 0 && cues.length > 0) hold(JSON.stringify(parse(serialize(cues)).cues) === JSON.stringify(cues));
  hold(said === null || (readableCaptions(said) === said && readable(said) === said));
  return said;
}

const FILE_KEY = Uint8Array.from({ length: 16 }, (_, place) => place);
const SIZES = [0, 1, 255, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 150_000];
const sealed = new Map<number, Uint8Array>();

/** The body of so many zeros, the same each time. */
function bodyOf(size: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  const key = payloadKey(FILE_KEY, nonce);
  const count = Math.max(1, Math.ceil(size / CHUNK_BYTES));
  const body = sealed.get(size) ?? concat(
    nonce,
    ...Array.from({ length: count }, (_, number) => {
      const plain = new Uint8Array(Math.min(CHUNK_BYTES, size - number * CHUNK_BYTES));
      const chunk = new Uint8Array(plain.length + TAG_BYTES);
      sealChunk(key, chunkNonce(number, number === count - 1), plain, chunk, 0);
      return chunk;
    }),
  );
  sealed.set(size, body);
  return body;
}

/** A body after orders of three bytes each: what to do, where, and how far. */
function altered(body: Uint8Array, orders: Uint8Array): Uint8Array {
  let changed = body;
  for (let at = 0; at + 3 <= orders.length; at += 3) {
    const [what = 0, where = 0, far = 0] = orders.subarray(at, at + 3);
    const place = Math.floor((changed.length * where) / 256);
    const chunk = NONCE_BYTES + (where % 3) * SEALED_CHUNK_BYTES;
    const next = chunk + SEALED_CHUNK_BYTES;
    if (what % 6 === 0) changed = changed.subarray(0, Math.max(0, changed.length - far));
    else if (what % 6 === 1) changed = concat(changed, new Uint8Array(far));
    else if (what % 6 === 2) changed = concat(changed.subarray(0, chunk), changed.subarray(next));
    else if (what % 6 === 3) changed = concat(changed.subarray(0, chunk), changed.subarray(chunk, next), changed.subarray(chunk));
    else if (what % 6 === 4 && place < changed.length) {
      changed = Uint8Array.from(changed);
      changed[place] = (changed[place] ?? 0) ^ (far === 0 ? 1 : far);
    } else changed = changed.subarray(0, chunk + far);
  }
  return changed;
}

/** The first byte chooses a body, the second how it is cut into pieces, the rest what is done to it. */
function readStreams(given: Uint8Array): string | null {
  const [choice, pieces] = given;
  if (choice === undefined || pieces === undefined) return null;
  const whole = bodyOf(SIZES[choice % SIZES.length] ?? 0);
  const body = altered(whole, given.subarray(2));
  const plain = attempt(() => openBody(FILE_KEY, body));
  const inPieces = attempt(() => {
    const opener = new Opener(FILE_KEY);
    const said: Uint8Array[] = [];
    const size = 251 + pieces * 577;
    for (let at = 0; at < body.length; at += size) said.push(opener.update(body.subarray(at, at + size)));
    return concat(...said, opener.finish());
  });
  hold(plain === null ? inPieces === null : inPieces !== null && same(plain, inPieces));
  hold((plain !== null) === same(body, whole));
  const size = attempt(() => openedSize(body.length));
  hold(size === null || sealedSize(size) === body.length);
  openRanges(body, pieces);
  return plain && String(plain.length);
}

/** Whatever a range opens of an altered body is what was sealed there. */
function openRanges(body: Uint8Array, share: number): void {
  const nonce = body.subarray(0, NONCE_BYTES);
  const opener = attempt(() => new RangeOpener(FILE_KEY, nonce, body.length));
  if (opener === null || nonce.some((byte) => byte !== 0)) return;
  const start = Math.floor((opener.size * share) / 256);
  for (const [from, to] of [[start, opener.size], [0, opener.size], [start, start + 1]] as const) {
    if (from >= to || to > opener.size) continue;
    const needed = opener.needed(from, to);
    const plain = attempt(() => opener.open(from, to, body.subarray(needed.start, needed.stop)));
    hold(plain === null || same(plain, new Uint8Array(to - from)));
  }
}

/** What `read` gives; null where it is refused as the code of the pages refuses. Any other error goes on up. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}

function sameText(given: string, data: Uint8Array, encode: (data: Uint8Array) => string): string {
  hold(encode(data) === given);
  return hex(data);
}

function hold(rule: boolean): void {
  if (!rule) throw new Error('a rule of this format does not hold');
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

/** The bytes as a text; what is not UTF-8 becomes a character that no format here has. */
function text(given: Uint8Array): string {
  return Buffer.from(given).toString('utf8');
}

function utf8Text(given: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(given);
  } catch {
    return null;
  }
}

/** Values as one text, in ASCII, as Python writes them. */
function listed(...values: readonly unknown[]): string {
  return JSON.stringify(values).replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

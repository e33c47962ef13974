/**
 * Turns bytes into text and back: base64url and Base64 without padding, Bech32, uuids; canonical forms only.
 *
 * Every decoder refuses any text but the one its encoder produces, so that equal bytes always mean equal text.
 */

import { CryptoError } from './errors';

/** Bytes made in this module: always in a buffer of their own, so that they can be transferred and hashed. */
export type Bytes = Uint8Array<ArrayBuffer>;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const BASE64 = alphabet(`${LETTERS}+/`);
const BASE64URL = alphabet(`${LETTERS}-_`);
const BECH32 = alphabet('qpzry9x8gf2tvdw0s3jn54khce6mua7l');
const BECH32_GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const BECH32_CHECKSUM_LETTERS = 6;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Alphabet {
  readonly letters: string;
  readonly values: ReadonlyMap<string, number>;
}

/** RFC 4648 section 5, without padding. */
export function b64uEncode(data: Uint8Array): string {
  return encodeBase64(data, BASE64URL);
}

/** The bytes behind `text`, unless it is not exactly what b64uEncode writes. */
export function b64uDecode(text: string): Bytes {
  return decodeBase64(text, BASE64URL);
}

/** RFC 4648 section 4, without padding: the form in age headers. */
export function b64Encode(data: Uint8Array): string {
  return encodeBase64(data, BASE64);
}

/** The bytes behind `text`, unless it is not exactly what b64Encode writes. */
export function b64Decode(text: string): Bytes {
  return decodeBase64(text, BASE64);
}

/** BIP 173 without its length limit, as age uses it; upper case if `prefix` is. */
export function bech32Encode(prefix: string, data: Uint8Array): string {
  const lower = prefix.toLowerCase();
  const values = regroup(data, 8, 5, true);
  const zeros = new Array<number>(BECH32_CHECKSUM_LETTERS).fill(0);
  const checksum = polymod([...expand(lower), ...values, ...zeros]) ^ 1;
  for (let place = 0; place < BECH32_CHECKSUM_LETTERS; place++) values.push((checksum >>> (5 * (5 - place))) & 31);
  const text = `${lower}1${values.map((value) => BECH32.letters.charAt(value)).join('')}`;
  return prefix === lower ? text : text.toUpperCase();
}

/** Prefix (in the case it was written in) and bytes. */
export function bech32Decode(text: string): { readonly prefix: string; readonly data: Bytes } {
  if (!/^[!-~]*$/.test(text) || (text !== text.toLowerCase() && text !== text.toUpperCase())) {
    throw new CryptoError('encoding', 'Bech32 mixes cases');
  }
  const lower = text.toLowerCase();
  const one = lower.lastIndexOf('1');
  if (one < 1) throw new CryptoError('encoding', 'Bech32 has no prefix');
  const values = Array.from(lower.slice(one + 1), (letter) => valueOf(letter, BECH32));
  if (values.length < BECH32_CHECKSUM_LETTERS || polymod([...expand(lower.slice(0, one)), ...values]) !== 1) {
    throw new CryptoError('encoding', 'the Bech32 checksum does not match');
  }
  const data = regroup(values.slice(0, -BECH32_CHECKSUM_LETTERS), 5, 8, false);
  return { prefix: text.slice(0, one), data: Uint8Array.from(data) };
}

/** Whether `text` is a uuid in its one spelling. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The 16 raw bytes of a uuid, in network order. */
export function uuidBytes(uuid: string): Bytes {
  if (!isUuid(uuid)) throw new CryptoError('encoding', 'not a uuid');
  const digits = uuid.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, place) => Number.parseInt(digits.slice(2 * place, 2 * place + 2), 16));
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Compares bytes in constant time. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let place = 0; place < one.length; place++) difference |= (one[place] ?? 0) ^ (other[place] ?? 0);
  return difference === 0;
}

/** Compares two encoded byte strings in constant time. */
export function sameText(one: string, other: string): boolean {
  return sameBytes(b64uDecode(one), b64uDecode(other));
}

function encodeBase64(data: Uint8Array, { letters }: Alphabet): string {
  let text = '';
  for (let at = 0; at < data.length; at += 3) {
    const [first = 0, second = 0, third = 0] = data.subarray(at, at + 3);
    const group = (first << 16) | (second << 8) | third;
    const used = Math.min(data.length - at, 3) + 1;
    for (let place = 0; place < used; place++) text += letters.charAt((group >>> (18 - 6 * place)) & 63);
  }
  return text;
}

function decodeBase64(text: string, alphabet: Alphabet): Bytes {
  const data = new Uint8Array(Math.floor((text.length * 6) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = ((held & 0xff) << 6) | valueOf(letter, alphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      data[at++] = (held >>> bits) & 0xff;
    }
  }
  if (encodeBase64(data, alphabet) !== text) throw new CryptoError('encoding', 'Base64 is not canonical');
  return data;
}

function valueOf(letter: string, { values }: Alphabet): number {
  const value = values.get(letter);
  if (value === undefined) throw new CryptoError('encoding', 'a letter that is not of the alphabet');
  return value;
}

function alphabet(letters: string): Alphabet {
  return { letters, values: new Map(Array.from(letters, (letter, value) => [letter, value])) };
}

/** Regroups `source`-bit values into `target`-bit ones, padded with zero bits if `partial` allows it. */
function regroup(values: Iterable<number>, source: number, target: number, partial: boolean): number[] {
  const out: number[] = [];
  const mask = (1 << target) - 1;
  let held = 0;
  let bits = 0;
  for (const value of values) {
    held = (held << source) | value;
    bits += source;
    while (bits >= target) {
      bits -= target;
      out.push((held >>> bits) & mask);
    }
    held &= (1 << bits) - 1;
  }
  if (partial && bits > 0) out.push((held << (target - bits)) & mask);
  if (!partial && (bits >= source || held !== 0)) throw new CryptoError('encoding', 'Bech32 does not end on a whole byte');
  return out;
}

function expand(prefix: string): number[] {
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    BECH32_GENERATOR.forEach((generator, bit) => {
      if ((top >>> bit) & 1) checksum ^= generator;
    });
  }
  return checksum;
}

/** Everything that an attacker can seal and sign for one part, and what its reader should find. */

import { commit, type FileKey, HybridIdentity, newFileKey, parseRecipient, sealBody, wrapHeader } from '../../src/crypto/age';
import { type Bytes, b64Encode, b64uEncode, utf8 } from '../../src/crypto/encoding';
import type { Part, PartRole } from '../../src/crypto/fields';
import { pad } from '../../src/crypto/padding';
import { sha256 } from '../../src/crypto/sodium';
import type { Fault } from '../../src/client/contract';
import type { components } from '../../src/client/schema';
import { toBase64 } from '../../src/client/wire';

export const WORDS = 'Words.';
export const TIMED = 'WEBVTT\n\n00:01.000 --> 00:02.000\n';
/** Maximum length of a text whose sealed body relay accepts. */
const LONGEST = 258_047;

export interface Corruption {
  /** Sealed instead of the padded text. */
  readonly plain?: () => Bytes;
  /** The text, instead of ordinary words. */
  readonly text?: string;
  /** The header for a reader (`age1pq1…`), instead of one that opens the part. */
  readonly header?: (fileKey: FileKey, recipient: string) => Bytes;
  /** Changes the part that is signed. */
  readonly change?: (part: Part, caseId: string) => Part;
  /** Seals the body under a key other than the granted one. */
  readonly reseal?: boolean;
  /** The body stored at relay, instead of the signed one. */
  readonly body?: (fileKey: FileKey) => Bytes | null;
  /** The fault that a reader finds; none if it can be read. */
  readonly fault?: Fault;
}

export function headerFor(fileKey: FileKey, recipient: string): Bytes {
  return wrapHeader(fileKey, [parseRecipient(recipient)]);
}

function fixedHeader(share: number, body: number): Bytes {
  const text = (size: number): string => b64Encode(new Uint8Array(size));
  return utf8(`age-encryption.org/v1\n-> mlkem768x25519 ${text(share)}\n${text(body)}\n--- ${text(32)}\n`);
}

const nobody = (fileKey: FileKey): Bytes => headerFor(fileKey, HybridIdentity.generate().recipient.toString());
const alteredMac = (fileKey: FileKey, recipient: string): Bytes => {
  const header = new TextDecoder().decode(headerFor(fileKey, recipient));
  return utf8(`${header.slice(0, header.lastIndexOf(' '))} ${b64Encode(new Uint8Array(32))}\n`);
};
const typed = (type: string) => (part: Part): Part => ({ ...part, type });

/** Of every part. */
export const KEYS: Readonly<Record<string, Corruption>> = {
  'a grant for nobody': { header: nobody, fault: 'no-key' },
  'a grant of another key': { header: (_, recipient) => headerFor(newFileKey(), recipient), fault: 'wrong-key' },
  'a grant with another MAC': { header: alteredMac, fault: 'no-key' },
  'a grant with a share of low order': { header: () => fixedHeader(1120, 32), fault: 'no-key' },
  'a grant with a short share': { header: () => fixedHeader(3, 31), fault: 'no-key' },
  'a grant that is no header': { header: () => utf8('age'), fault: 'no-key' },
  'a commitment to another key': { change: (part, id) => ({ ...part, commit: commit(newFileKey(), id) }), fault: 'wrong-key' },
  'a commitment for another case': {
    change: (part) => ({ ...part, commit: commit(newFileKey(), crypto.randomUUID()) }),
    fault: 'wrong-key',
  },
};

/** For every part that somebody is shown. An original is never shown, and may have any type. */
const TYPED: Readonly<Record<string, Corruption>> = {
  ...KEYS,
  'a type that does not belong to its role': { change: typed('application/x-msdownload'), fault: 'wrong-type' },
};

/** Of every text. */
const TEXTS: Readonly<Record<string, Corruption>> = {
  ...TYPED,
  'a body under another key': { reseal: true, fault: 'altered' },
  'another body under the same key': { body: (fileKey) => sealBody(fileKey, pad(utf8('Other words.'))), fault: 'altered' },
  'no body': { body: () => null, fault: 'altered' },
  'no mark of padding': { plain: () => new Uint8Array(256), fault: 'not-text' },
  'more padding than there is': { plain: () => padded(512, 1), fault: 'not-text' },
  'no bytes at all': { plain: () => new Uint8Array(0), fault: 'not-text' },
  'one byte': { plain: () => utf8('x'), fault: 'not-text' },
  'no padding': { plain: () => utf8(WORDS), fault: 'not-text' },
  'not UTF-8': { plain: () => pad(Uint8Array.of(0xff, 0xfe, 0)), fault: 'not-text' },
  'half a character': { plain: () => pad(Uint8Array.of(0xc3)), fault: 'not-text' },
  'a surrogate': { plain: () => pad(Uint8Array.of(0xed, 0xa0, 0x80)), fault: 'not-text' },
  'a page': { change: typed('text/html'), fault: 'wrong-type' },
};

/** Of words: a body, a note. */
export const LETTERS: Readonly<Record<string, Corruption>> = {
  ...TEXTS,
  'ordinary words': {},
  nothing: { text: '' },
  'one letter': { text: 'x' },
  'as much as relay takes': { text: 'x'.repeat(LONGEST) },
  'characters that turn words': { text: 'I am \u202enot\u202c sorry\u200f.' },
  controls: { text: 'a\u0000b\u001b[31mc\u009b' },
  'a byte order mark': { text: '\ufeffWords.' },
  captions: { change: typed('text/vtt'), fault: 'wrong-type' },
};

/** Of captions. */
export const CAPTIONS: Readonly<Record<string, Corruption>> = {
  ...TEXTS,
  'ordinary words': {},
  nothing: { text: '', fault: 'not-captions' },
  'no captions': { text: WORDS, fault: 'not-captions' },
  'no cue': { text: 'WEBVTT\n', fault: 'not-captions' },
  'times that are none': { text: 'WEBVTT\n\n1 --> 2\nWords.\n', fault: 'not-captions' },
  'an end before the beginning': { text: 'WEBVTT\n\n00:02.000 --> 00:01.000\nWords.\n', fault: 'not-captions' },
  'markup alone': { text: `${TIMED}<c></c>\n`, fault: 'not-captions' },
  'markup that never ends': { text: `${TIMED}a${'<'.repeat(200_000)}\n` },
  'characters that turn words': { text: `${TIMED}a\u202eb &#x202E; &rlm;c\n` },
  words: { change: typed('text/plain'), fault: 'wrong-type' },
};

/** Of a video and its still picture. */
export const FILES: Readonly<Record<string, Corruption>> = { ...TYPED, 'what it should be': {} };

/** Of a video as its sender gave it. */
export const ORIGINALS: Readonly<Record<string, Corruption>> = {
  ...KEYS,
  'what it should be': {},
  'any type': { change: typed('application/x-msdownload') },
};

export const TYPES: Readonly<Record<PartRole, string>> = {
  body: 'text/plain',
  note: 'text/plain',
  captions: 'text/vtt',
  original: 'video/mp4',
  rendition: 'video/mp4',
  poster: 'image/jpeg',
};

export interface Forged {
  readonly part: Part;
  readonly fileKey: FileKey;
  /** The text as it was written; null if there is none. */
  readonly text: string | null;
  /** What relay returns to a reader. */
  readonly view: (recipient: string) => components['schemas']['PartView'];
}

/** A part with this role, corrupted. */
export function forge(caseId: string, role: PartRole, { plain, text, header, change, reseal, body }: Corruption): Forged {
  const written = text ?? (role === 'captions' ? `${TIMED}${WORDS}\n` : WORDS);
  const fileKey = newFileKey();
  const sealed = sealBody(reseal === true ? newFileKey() : fileKey, plain?.() ?? pad(utf8(written)));
  const sound: Part = { role, type: TYPES[role], size: sealed.length, segments: [b64uEncode(sha256(sealed))], commit: commit(fileKey, caseId) };
  const part = change?.(sound, caseId) ?? sound;
  const headers = new Map<string, Bytes>();
  /** One grant per reader: its hash is in the offer. */
  const headerOf = (recipient: string): Bytes => {
    const made = headers.get(recipient) ?? (header ?? headerFor)(fileKey, recipient);
    headers.set(recipient, made);
    return made;
  };
  return {
    part,
    fileKey,
    text: plain === undefined ? written : null,
    view(recipient) {
      const given = body === undefined ? sealed : body(fileKey);
      return {
        commitment: part.commit,
        role,
        media_type: part.type,
        size_bytes: part.size,
        body: given === null ? null : toBase64(given),
        header: toBase64(headerOf(recipient)),
      };
    },
  };
}

function padded(size: number, plain: number): Bytes {
  const bytes = new Uint8Array(size);
  bytes[plain] = 0x80;
  return bytes;
}

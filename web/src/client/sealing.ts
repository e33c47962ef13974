/** Seals parts for sending, and opens received ones. */

import type { FileKey, Identity } from '../crypto/age';
import {
  checkCommitment,
  commit,
  newFileKey,
  openBody,
  parseRecipient,
  sealBody,
  SEGMENT_BYTES,
  unwrapHeader,
  wrapHeader,
} from '../crypto/age';
import { type Bytes, b64uEncode, utf8 } from '../crypto/encoding';
import type { Part, PartRole } from '../crypto/fields';
import { pad, unpad } from '../crypto/padding';
import { sha256 } from '../crypto/sodium';
import { readableCaptions } from '../playback/webvtt';
import { readable } from '../i18n/readable';
import type { Uuid } from './contract';
import { Faulty } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { fromBase64, toBase64 } from './wire';

type Schemas = components['schemas'];

const TEXT = 'text/plain';
const CAPTIONS = 'text/vtt';

/** The media types that each role allows; an original, which is never shown, may have any. */
const TYPES: Readonly<Partial<Record<PartRole, readonly string[]>>> = {
  body: [TEXT],
  note: [TEXT],
  captions: [CAPTIONS],
  rendition: ['video/mp4', 'audio/mp4'],
  poster: ['image/jpeg'],
};

/** A part as its statement describes it, and the file key that its grants wrap. */
export interface Sealed {
  readonly part: Part;
  readonly fileKey: FileKey;
}

/** A sealed text with its body. */
export interface SealedText extends Sealed {
  readonly body: Bytes;
}

/** Who a grant is for. */
export interface Reader {
  readonly audience: Schemas['Audience'];
  readonly id: Uuid;
  /** `age1pq1…` */
  readonly recipient: string;
}

/** A text, padded to hide its length, sealed under its own key. */
export function sealText(caseId: Uuid, role: PartRole, text: string): SealedText {
  const fileKey = newFileKey();
  const body = sealBody(fileKey, pad(utf8(text)));
  // A text is far shorter than a segment; relay accepts no longer one.
  if (body.length > SEGMENT_BYTES) throw new Refused('refused', { code: 'too-large' });
  const type = role === 'captions' ? CAPTIONS : TEXT;
  return { part: { role, type, size: body.length, segments: [b64uEncode(sha256(body))], commit: commit(fileKey, caseId) }, fileKey, body };
}

/** A header that opens a part for one reader. */
export function grant({ part, fileKey }: Sealed, { audience, id, recipient }: Reader): Schemas['Grant'] {
  return { commitment: part.commit, audience, audience_id: id, header: toBase64(headerFor(fileKey, recipient)) };
}

export function headerFor(fileKey: FileKey, recipient: string): Bytes {
  return wrapHeader(fileKey, [parseRecipient(recipient)]);
}

/** The body in the form sent with its statement. */
export function bodyOf({ part, body }: SealedText): Schemas['Body'] {
  return { commitment: part.commit, body: toBase64(body) };
}

/** The file key of a part, checked against what its author or worker committed to for this case. */
export function unwrap(caseId: Uuid, part: Part, { header }: Pick<Schemas['PartView'], 'header'>, identities: readonly Identity[]): FileKey {
  if (TYPES[part.role]?.includes(part.type) === false) throw new Faulty('wrong-type');
  if (header === null) throw new Faulty('no-key');
  const fileKey = unwrapHeader(fromBase64(header), identities);
  checkCommitment(fileKey, part.commit, caseId);
  return fileKey;
}

/**
 * The text of a part whose body and header came with the message, as everybody is shown it; captions are reduced to
 * their text and times.
 */
export function openText(caseId: Uuid, part: Part, view: Schemas['PartView'], identities: readonly Identity[]): string {
  const fileKey = unwrap(caseId, part, view, identities);
  const body = fromBase64(view.body ?? '');
  // Anybody with the file key could make another body that opens: only the signed one is read.
  if (body.length !== part.size || part.segments.length !== 1 || b64uEncode(sha256(body)) !== part.segments[0]) throw new Faulty('altered');
  const text = readable(decoded(unpad(openBody(fileKey, body))));
  if (part.role !== 'captions') return text;
  const captions = readableCaptions(text);
  if (captions === null) throw new Faulty('not-captions');
  return captions;
}

function decoded(bytes: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Faulty('not-text');
  }
}

/** The one part with this role. */
export function partWith(parts: readonly Part[], role: PartRole): Part {
  const found = parts.find((part) => part.role === role);
  if (found === undefined) throw new Faulty('altered');
  return found;
}

/** The part of a response that a signed part describes; null if relay returned none. */
export function viewOf(parts: readonly Schemas['PartView'][], part: Part): Schemas['PartView'] | null {
  return parts.find((view) => view.commitment === part.commit) ?? null;
}

/** Like `viewOf`, but required. */
export function viewIn(parts: readonly Schemas['PartView'][], part: Part): Schemas['PartView'] {
  const view = viewOf(parts, part);
  if (view === null) throw new Faulty('altered');
  return view;
}

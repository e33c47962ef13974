/** Fetches a whole sealed part, verifies each segment against its signed hash, and opens it. */

import { Opener } from '../crypto/stream';
import { b64uEncode } from '../crypto/encoding';
import type { Part } from '../crypto/fields';
import type { FileKey } from '../crypto/filekeys';
import { SEGMENT_BYTES } from '../crypto/segments';
import type { SignedConnection } from './connection';
import { Faulty } from './records';

/** Small enough to arrive within the request timeout on a poor connection. */
const REQUEST_BYTES = 1024 * 1024;

/** The whole content of the part, verified to its end. */
export async function download(signed: SignedConnection, part: Part, fileKey: FileKey, mediaType: string): Promise<Blob> {
  const opener = new Opener(fileKey);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (const [number, digest] of part.segments.entries()) {
    const segment = await fetchSegment(signed, part, number * SEGMENT_BYTES);
    if (b64uEncode(new Uint8Array(await crypto.subtle.digest('SHA-256', segment))) !== digest) throw new Faulty('altered');
    pieces.push(opener.update(segment));
  }
  pieces.push(opener.finish());
  return new Blob(pieces, { type: mediaType });
}

async function fetchSegment(signed: SignedConnection, part: Part, start: number): Promise<Uint8Array<ArrayBuffer>> {
  const segment = new Uint8Array(Math.min(SEGMENT_BYTES, part.size - start));
  for (let at = 0; at < segment.length; at += REQUEST_BYTES) {
    const stop = Math.min(at + REQUEST_BYTES, segment.length);
    const headers = { Range: `bytes=${start + at}-${start + stop - 1}` };
    const bytes = new Uint8Array(await signed.bytes(`/v1/parts/${part.commit}`, { headers }));
    if (bytes.length !== stop - at) throw new Faulty('altered');
    segment.set(bytes, at);
  }
  return segment;
}

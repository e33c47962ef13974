/** The rows of a case's log and their hash chain: altered, missing and moved rows are detected. */

import { type Bytes, b64uDecode, b64uEncode, concat, utf8 } from './encoding';
import type { Digest, Uuid } from './values';
import { sha256 } from './sodium';

const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,6}))?(?:Z|\+00:00)$/;

/** One event of a case in the log: no content, no personal data. */
export interface EventRow {
  readonly case: Uuid;
  /** Counts the rows of the case from 1. */
  readonly seq: number;
  /** UTC, to the microsecond. */
  readonly at: string;
  readonly kind: string;
  readonly message: Uuid | null;
  /** The actor: a role and an opaque id. */
  readonly actor: string;
  /** Hash of the statement behind it. */
  readonly statement: Digest | null;
}

/** A row with the hash before it and its own. */
export interface ChainedRow extends EventRow {
  readonly prev: Digest;
  readonly hash: Digest;
}

/** The value of `prev` in the first row of a case. */
export const GENESIS: Digest = b64uEncode(new Uint8Array(32));

/** The hashed form of a row: a label and its fields, one per line; null for an invalid row. */
export function rowBytes(row: EventRow): Bytes | null {
  const at = AT.exec(row.at);
  if (at === null || !Number.isInteger(row.seq) || row.seq < 1) return null;
  const lines = [
    'relay/v1/event',
    row.case,
    String(row.seq),
    `${row.at.slice(0, 19)}.${(at[1] ?? '').padEnd(6, '0')}Z`,
    row.kind,
    row.message ?? '-',
    row.actor,
    row.statement ?? '-',
  ];
  return lines.some((line) => line.includes('\n')) ? null : utf8(lines.join('\n'));
}

/** SHA-256 of the previous hash and the bytes of this row; null for an invalid row. */
export function eventHash(prev: Digest, row: EventRow): Digest | null {
  const bytes = rowBytes(row);
  return bytes === null ? null : b64uEncode(sha256(concat(b64uDecode(prev), bytes)));
}

/**
 * The first row that does not follow from those before it, or null if all do.
 *
 * Rows missing from the end cannot be detected here: compare the last hash with one stored elsewhere.
 */
export function firstBadRow(rows: readonly ChainedRow[]): ChainedRow | null {
  let prev = GENESIS;
  for (const [place, row] of rows.entries()) {
    const follows = row.seq === place + 1 && row.case === rows[0]?.case && row.prev === prev;
    if (!follows || eventHash(prev, row) !== row.hash) return row;
    prev = row.hash;
  }
  return null;
}

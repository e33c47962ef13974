/** Decrypts any range of a sealed video from just the chunks that cover it, for playback. */

import type { FileKey } from '../crypto/filekeys';
import type { Part } from '../crypto/fields';
import { RangeOpener } from '../crypto/ranges';
import { CHUNK_BYTES, NONCE_BYTES } from '../crypto/stream';
import type { RangeGiven, RangeWanted } from '../playback/protocol';
import type { SignedConnection } from './connection';

/** Decrypted bytes fetched at once: usually includes what the player asks for next. */
const RUN_BYTES = 16 * CHUNK_BYTES;
/** Cached runs: a player returns to the index at the start, then to where it was. */
const RUNS_KEPT = 8;

/** Random access to one sealed part. Each chunk is authenticated. */
export class Ranges {
  private readonly runs = new Map<number, Promise<Uint8Array>>();
  private opener: Promise<RangeOpener> | null = null;

  constructor(
    private readonly signed: SignedConnection,
    private readonly part: Part,
    private readonly fileKey: FileKey,
  ) {}

  /** The decrypted bytes from `from` to `to` (exclusive). */
  async read(from: number, to: number): Promise<Uint8Array> {
    const { size } = await this.open();
    const start = Math.max(0, from);
    const stop = Math.min(to, size);
    const pieces: Uint8Array[] = [];
    for (let at = start; at < stop; at = (Math.floor(at / RUN_BYTES) + 1) * RUN_BYTES) {
      const number = Math.floor(at / RUN_BYTES);
      const run = await this.run(number);
      pieces.push(run.subarray(at - number * RUN_BYTES, stop - number * RUN_BYTES));
    }
    return joined(pieces);
  }

  private open(): Promise<RangeOpener> {
    this.opener ??= this.begin();
    this.opener.catch(() => { this.opener = null; });
    return this.opener;
  }

  private async begin(): Promise<RangeOpener> {
    return new RangeOpener(this.fileKey, await this.fetch(0, NONCE_BYTES), this.part.size);
  }

  private run(number: number): Promise<Uint8Array> {
    const known = this.runs.get(number);
    const run = known ?? this.fetchRun(number);
    // Least recently used is evicted first.
    this.runs.delete(number);
    this.runs.set(number, run);
    if (known === undefined) {
      run.catch(() => { this.runs.delete(number); });
      const oldest = this.runs.keys().next();
      if (this.runs.size > RUNS_KEPT && oldest.done !== true) this.runs.delete(oldest.value);
    }
    return run;
  }

  private async fetchRun(number: number): Promise<Uint8Array> {
    const opener = await this.open();
    const start = number * RUN_BYTES;
    const stop = Math.min(start + RUN_BYTES, opener.size);
    const needed = opener.needed(start, stop);
    return opener.open(start, stop, await this.fetch(needed.start, needed.stop));
  }

  private async fetch(start: number, stop: number): Promise<Uint8Array> {
    const headers = { Range: `bytes=${start}-${stop - 1}` };
    return new Uint8Array(await this.signed.bytes(`/v1/parts/${this.part.commit}`, { headers }));
  }
}

/** Serves a player on its port until that is closed. */
export function answerOn(port: MessagePort, ranges: Ranges): void {
  port.onmessage = ({ data }: MessageEvent<RangeWanted>) => {
    void ranges
      .read(data.from, data.to)
      .catch(() => null)
      .then((plain) => {
        const bytes = plain === null ? null : exact(plain);
        const given: RangeGiven = { id: data.id, bytes };
        port.postMessage(given, bytes === null ? [] : [bytes]);
      });
  };
}

/** A copy of exactly these bytes, to be transferred; the cache keeps its own. */
function exact(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * The logic of the service worker: which players exist, and how to answer the browser's Range requests for them.
 *
 * It has no key and no bearer. Decrypted bytes come over a player's port from the worker that holds the keys, run by run,
 * as the browser reads them: a seek fetches only what is shown.
 */

import type { RangeGiven, RangeWanted } from './protocol';

/** Bytes per request; the key worker fetches in runs of the same size. */
export const RUN_BYTES = 1024 * 1024;
/** How long a restarted service worker waits for a page to pass the port again. */
const PORT_WAIT_MS = 5_000;

export interface Span {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The bytes that a `Range` header asks for (RFC 9110): all if it is missing or invalid, null if it cannot be satisfied. */
export function requestedSpan(header: string | null, size: number): Span | 'all' | null {
  const found = /^bytes=[ \t]*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))[ \t]*$/i.exec(header ?? '');
  if (found === null) return 'all';
  const [, first, last = '', suffix] = found;
  if (suffix !== undefined) {
    const from = Math.max(0, size - Number(suffix));
    return from < size ? { from, to: size } : null;
  }
  const from = Number(first);
  const to = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < from) return 'all';
  return from < size ? { from, to } : null;
}

interface Player {
  port: MessagePort;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Runs requested and not received: they are requested again on a newer port. */
  readonly wanted: Map<number, { readonly run: RangeWanted; readonly give: (bytes: ArrayBuffer | null) => void }>;
}

export class Players {
  readonly #players = new Map<string, Player>();
  readonly #awaited = new Map<string, { readonly promise: Promise<boolean>; readonly arrived: () => void }>();
  #last = 0;

  /** A page announces this player; a newer port replaces the previous one. */
  add(id: string, port: MessagePort, sizeBytes: number, mediaType: string): void {
    const known = this.#players.get(id);
    const player: Player = known ?? { port, sizeBytes, mediaType, wanted: new Map() };
    known?.port.close();
    player.port = port;
    port.onmessage = ({ data }: MessageEvent<RangeGiven>) => {
      player.wanted.get(data.id)?.give(data.bytes);
      player.wanted.delete(data.id);
    };
    for (const { run } of player.wanted.values()) port.postMessage(run);
    this.#players.set(id, player);
    this.#awaited.get(id)?.arrived();
  }

  remove(id: string): void {
    const player = this.#players.get(id);
    if (player === undefined) return;
    this.#players.delete(id);
    player.port.close();
    for (const { give } of player.wanted.values()) give(null);
  }

  /** The response to a request for a player's video; `ask` is called if no page has passed its port yet. */
  async answer(id: string, request: Request, ask: () => Promise<boolean>): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } });
    if (!this.#players.has(id)) await this.#arrival(id, ask);
    const player = this.#players.get(id);
    if (player === undefined) return new Response(null, { status: 404 });
    const { sizeBytes } = player;
    const headers = new Headers({
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'no-store',
      // If somebody opens the address directly, the document runs nothing and loads nothing.
      'Content-Security-Policy': "default-src 'none'; media-src 'self'; sandbox",
      'Content-Type': player.mediaType,
      'X-Content-Type-Options': 'nosniff',
    });
    const span = requestedSpan(request.headers.get('Range'), sizeBytes);
    if (span === null) {
      headers.set('Content-Range', `bytes */${sizeBytes}`);
      return new Response(null, { status: 416, headers });
    }
    const { from, to } = span === 'all' ? { from: 0, to: sizeBytes } : span;
    headers.set('Content-Length', String(to - from));
    if (span !== 'all') headers.set('Content-Range', `bytes ${from}-${to - 1}/${sizeBytes}`);
    const body = request.method === 'HEAD' ? null : this.#stream(id, from, to);
    return new Response(body, { status: span === 'all' ? 200 : 206, headers });
  }

  /** Runs one after the other, each requested once the browser has consumed the previous one. */
  #stream(id: string, from: number, to: number): ReadableStream<Uint8Array> {
    let at = from;
    let dropped = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          // Aligned to the key worker's runs, so that none is fetched for a few bytes.
          const next = Math.min((Math.floor(at / RUN_BYTES) + 1) * RUN_BYTES, to);
          const bytes = await this.#run(id, at, next);
          if (dropped) return; // the browser cancelled meanwhile
          if (bytes?.byteLength !== next - at) {
            controller.error(new Error('the video cannot be read on'));
            return;
          }
          controller.enqueue(new Uint8Array(bytes));
          at = next;
          if (at >= to) controller.close();
        },
        cancel: () => {
          dropped = true;
        },
      },
      { highWaterMark: 0 },
    );
  }

  #run(id: string, from: number, to: number): Promise<ArrayBuffer | null> {
    const player = this.#players.get(id);
    if (player === undefined) return Promise.resolve(null);
    this.#last += 1;
    const run: RangeWanted = { id: this.#last, from, to };
    return new Promise((give) => {
      player.wanted.set(run.id, { run, give });
      player.port.postMessage(run);
    });
  }

  /** Asks once, however many requests wait for the same player; true when its port has arrived. */
  async #arrival(id: string, ask: () => Promise<boolean>): Promise<boolean> {
    const waiting = this.#awaited.get(id);
    if (waiting !== undefined) return waiting.promise;
    let arrived!: () => void;
    let late: ReturnType<typeof setTimeout> | undefined;
    const promise = new Promise<boolean>((resolve) => {
      arrived = () => resolve(true);
      late = setTimeout(() => resolve(false), PORT_WAIT_MS);
    }).finally(() => {
      clearTimeout(late);
      this.#awaited.delete(id);
    });
    this.#awaited.set(id, { promise, arrived });
    return (await ask()) && promise;
  }
}

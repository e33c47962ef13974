/** Uploads a sealed body by tus, segment by segment, resuming at relay's offset, until relay has all of it. */

import type { FileSource, HttpResponse } from 'tus-js-client';
import { DetailedError, Upload } from 'tus-js-client';

import { SEGMENT_BYTES } from '../crypto/segments';
import type { SignedConnection } from './connection';
import { pause } from './connection';
import { isRefused, Refused, refusedBy } from './refusing';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A connection that makes no progress for this long is considered dead. */
const STALL_MS = 60_000;
/** After this long without progress it is reported as slow. */
const SLOW_MS = 3_000;
const LOOK_MS = 500;

/** After these delays relay is asked for the current offset. */
const ASK_AGAIN = new Set(['offset-mismatch', 'upload-taken-over']);
const TRY_AGAIN = new Set([401, 408, 423, 425]);
const VANISHED = new Set([404, 410]);
/** How a proxy that only knows GET and POST refuses a PATCH. */
const UNKNOWN_METHOD = new Set([403, 405, 501]);
const TOO_LARGE = 413;
/** A proxy that does not accept even this size lets no upload through. */
const SMALLEST_BYTES = 64 * 1024;

/** How bytes are sent: relay's preferred way, until something in between refuses it. */
interface Manner {
  /** Sends PATCH as POST with an override header. */
  byPost: boolean;
  /** Maximum bytes per request. */
  atOnce: number;
}

export interface Shipment {
  readonly message: string;
  readonly revision: number;
  readonly size: number;
  /** `/v1/uploads/…`, if it was begun before. */
  readonly upload: string | null;
  /** One sealed segment; waits until it is available. */
  readonly segment: (number: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** relay has begun an upload, at this path. */
  readonly begun: (upload: string) => Promise<void>;
  /** Bytes sent; may decrease after a reconnect. */
  readonly moved: (bytes: number) => void;
  /** Bytes that relay has stored. */
  readonly acknowledged: (bytes: number) => Promise<void>;
  /** Whether it is waiting for a connection. */
  readonly waiting: (isWaiting: boolean) => void;
  /** Whether nothing has moved for some seconds. */
  readonly slow: (isSlow: boolean) => void;
  readonly signal: AbortSignal;
}

/** Something between the device and relay refused a request that relay would have accepted. */
class Blocked extends Error {
  override readonly name = 'Blocked';

  constructor(readonly status: number) {
    super(`refused with ${status} on the way`);
  }
}

/** Relay dropped the upload: it was idle for too long. */
export class UploadVanished extends Error {
  override readonly name = 'UploadVanished';
}

/** Uploads everything, however long it takes; throws UploadVanished, or Refused if relay refuses permanently. */
export async function upload(signed: SignedConnection, shipment: Shipment): Promise<void> {
  let at = shipment.upload;
  let reached = 0;
  let failures = 0;
  const manner: Manner = { byPost: false, atOnce: SEGMENT_BYTES };
  const told = {
    ...shipment,
    begun: async (path: string) => {
      at = path;
      await shipment.begun(path);
    },
    acknowledged: async (bytes: number) => {
      if (bytes > reached) [reached, failures] = [bytes, 0];
      shipment.waiting(false);
      await shipment.acknowledged(bytes);
    },
  };
  while (!shipment.signal.aborted) {
    try {
      await attempt(signed, { ...told, upload: at }, manner);
      return;
    } catch (error) {
      if (error instanceof Blocked) {
        if (changes(manner, error.status)) continue;
        throw new Refused('refused');
      }
      if (!mayHelp(error)) throw error;
      failures += 1;
    }
    shipment.waiting(true);
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), shipment.signal);
  }
  throw new Refused('paused');
}

/** Cancels an upload; if relay cannot be reached, it expires by itself. */
export async function endUpload(signed: SignedConnection, path: string): Promise<void> {
  await signed.open('DELETE', path, { headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => null);
}

/** Another way of sending if a proxy refused this one; false if there is none left. */
function changes(manner: Manner, status: number): boolean {
  if (status === TOO_LARGE) {
    manner.atOnce = Math.floor(manner.atOnce / 2);
    return manner.atOnce >= SMALLEST_BYTES;
  }
  const isNew = !manner.byPost;
  manner.byPost = true;
  return isNew;
}

function attempt(signed: SignedConnection, shipment: Shipment, manner: Manner): Promise<void> {
  return new Promise((resolve, reject) => {
    const { url } = signed.connection;
    let movedAt = Date.now();
    let isSealing = false;
    let failure: Error | null = null;
    /** The library wraps what its callbacks throw, so the original is stored here. */
    const remembering = async <Value>(work: Promise<Value>): Promise<Value> => {
      try {
        return await work;
      } catch (error) {
        failure = error instanceof Error ? error : new Refused('unexpected');
        throw failure;
      }
    };
    const source: FileSource = {
      size: shipment.size,
      slice: async (start, end) => {
        isSealing = true;
        const value = await remembering(chunk(shipment, start, end));
        isSealing = false;
        movedAt = Date.now();
        return { value, done: start + value.size === shipment.size };
      },
      close: () => undefined,
    };
    const finish = (act: () => void) => {
      clearInterval(watch);
      shipment.slow(false);
      shipment.signal.removeEventListener('abort', leave);
      act();
    };
    const sending = new Upload(new Blob(), {
      // With its own URL it resumes there or fails: the library does not decide to start over.
      ...(shipment.upload === null ? { endpoint: `${url}/v1/uploads` } : { uploadUrl: `${url}${shipment.upload}` }),
      uploadSize: shipment.size,
      chunkSize: manner.atOnce,
      overridePatchMethod: manner.byPost,
      metadata: { message: shipment.message, revision: String(shipment.revision) },
      retryDelays: null,
      storeFingerprintForResuming: false,
      fingerprint: () => Promise.resolve(''),
      fileReader: { openFile: () => Promise.resolve(source) },
      onBeforeRequest: async (request) => {
        movedAt = Date.now();
        request.setHeader('Accept-Language', signed.connection.language);
        request.setHeader('Authorization', `Bearer ${await remembering(signed.bearer())}`);
      },
      onAfterResponse: async (request, response) => {
        movedAt = Date.now();
        const status = response.getStatus();
        if (status === 401) signed.forgetSession();
        const location = response.getHeader('Location');
        if (status === 201 && location) await remembering(shipment.begun(new URL(location, request.getURL()).pathname));
        const offset = response.getHeader('Upload-Offset');
        if (status < 300 && offset) await remembering(shipment.acknowledged(Number(offset)));
      },
      onProgress: (bytes) => {
        movedAt = Date.now();
        shipment.moved(bytes);
      },
      onError: (error) => { finish(() => { reject(failure ?? meaning(error)); }); },
      onSuccess: () => { finish(resolve); },
    });
    const end = (reason: Refused) => {
      void sending.abort();
      finish(() => { reject(reason); });
    };
    const leave = () => { end(new Refused('paused')); };
    const watch = setInterval(() => {
      const still = isSealing ? 0 : Date.now() - movedAt;
      shipment.slow(still > SLOW_MS);
      if (still > STALL_MS) end(new Refused('offline'));
    }, LOOK_MS);
    shipment.signal.addEventListener('abort', leave);
    sending.start();
  });
}

/** The rest of the segment at `start`: a PATCH never spans two, so that none has to be copied. */
async function chunk(shipment: Shipment, start: number, end: number): Promise<Uint8Array<ArrayBuffer> & { size: number }> {
  const number = Math.floor(start / SEGMENT_BYTES);
  const segment = await shipment.segment(number);
  const from = start - number * SEGMENT_BYTES;
  const view = segment.subarray(from, Math.min(from + end - start, segment.byteLength));
  // The library needs the size of a Blob.
  return Object.assign(view, { size: view.byteLength });
}

function meaning(error: Error): Error {
  if (!(error instanceof DetailedError)) return error;
  const response = error.originalResponse;
  if (response === null || response.getStatus() === 0) return new Refused('offline');
  const status = response.getStatus();
  if (VANISHED.has(status)) return new UploadVanished();
  const refused = refusedBy(status, problemOf(response));
  const { code } = refused.refusal;
  // Relay's own refusals have a code.
  const isSending = error.originalRequest.getMethod() !== 'HEAD';
  if (code === undefined && isSending && (status === TOO_LARGE || UNKNOWN_METHOD.has(status))) return new Blocked(status);
  if (TRY_AGAIN.has(status) || (code !== undefined && ASK_AGAIN.has(code))) return new Refused('busy');
  return refused;
}

function problemOf(response: HttpResponse): unknown {
  try {
    return JSON.parse(response.getBody());
  } catch {
    return null;
  }
}

function mayHelp(error: unknown): boolean {
  return isRefused(error, 'offline') || isRefused(error, 'busy');
}

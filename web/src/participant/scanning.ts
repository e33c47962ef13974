/** Reads a QR code from a camera. Images are processed in memory, in this page, and never stored. */

import type { DecodeQR } from 'qr/decode.js';
import { faultOf, turnOff, type DeviceFault } from '../capture/recording';

export type ScanFault = DeviceFault | 'offline';

/** Interval between scans: leaves an old computer time for other work. */
const LOOK_MS = 150;
/** Images are scaled down to this: a code that fills a third of it has enough pixels. */
const LONGEST_SIDE = 960;

export interface Scan {
  readonly stream: MediaStream;
  /** The camera's name in the browser. */
  readonly camera: string | null;
  /** How many cameras there are. */
  readonly cameras: number;
  /** Calls `seen` with each text read from the image in `video`, until `stop`. */
  watch(video: HTMLVideoElement, seen: (text: string) => void): void;
  stop(): void;
}

/** Starts a camera: the rear one, or the next after `after`. Throws what `scanFaultOf` reads. */
export async function startScan(after: string | null = null): Promise<Scan> {
  let decodeQR: DecodeQR;
  try {
    ({ decodeQR } = await import('qr/decode.js'));
  } catch {
    throw new ScanError('offline');
  }
  if (!('mediaDevices' in navigator)) throw new ScanError('unsupported');
  try {
    const which = after === null ? { facingMode: 'environment' } : { deviceId: { exact: await nextCamera(after) } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...which } });
    return scanOf(stream, (await cameras()).length, decodeQR);
  } catch (thrown) {
    throw new ScanError(faultOf(thrown));
  }
}

/** Maps what `startScan` threw to a text. */
export function scanFaultOf(thrown: unknown): ScanFault {
  return thrown instanceof ScanError ? thrown.why : 'unsupported';
}

class ScanError extends Error {
  constructor(readonly why: ScanFault) {
    super(why);
  }
}

async function cameras(): Promise<readonly MediaDeviceInfo[]> {
  return (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');
}

async function nextCamera(after: string): Promise<string> {
  const known = await cameras();
  const at = known.findIndex(({ deviceId }) => deviceId === after);
  return known[(at + 1) % known.length]?.deviceId ?? after;
}

function scanOf(stream: MediaStream, count: number, decodeQR: DecodeQR): Scan {
  let timer: ReturnType<typeof setInterval> | undefined;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const look = (video: HTMLVideoElement): string | null => {
    const { videoWidth, videoHeight } = video;
    if (context === null || videoWidth === 0 || videoHeight === 0) return null;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return null; // no code in this image
    }
  };
  return {
    stream,
    camera: stream.getVideoTracks()[0]?.getSettings().deviceId ?? null,
    cameras: count,
    watch: (video, seen) => {
      clearInterval(timer);
      timer = setInterval(() => {
        const text = look(video);
        if (text !== null && text !== '') seen(text);
      }, LOOK_MS);
    },
    stop: () => {
      clearInterval(timer);
      turnOff(stream);
      canvas.width = 0; // releases the last image too
    },
  };
}

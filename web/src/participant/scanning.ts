/** Reads a QR code from a camera. Pictures are looked at in memory, in this page, and are kept nowhere. */

import type { DecodeQR } from 'qr/decode.js';
import { faultOf, turnOff, type DeviceFault } from '../capture/recording';

export type ScanFault = DeviceFault | 'offline';

/** Between two looks: an old computer has to do other things as well. */
const LOOK_MS = 150;
/** A picture is looked at no larger than this: a code that fills a third of it has pixels enough. */
const LONGEST_SIDE = 960;

export interface Scan {
  readonly stream: MediaStream;
  /** Which camera it is, as the browser calls it. */
  readonly camera: string | null;
  /** How many cameras there are. */
  readonly cameras: number;
  /** Asks `seen` for each text that is read from the picture in `video`, until `stop`. */
  watch(video: HTMLVideoElement, seen: (text: string) => void): void;
  stop(): void;
}

/** Turns a camera on: the one that looks away from the screen, or the next after `after`. Throws what `scanFaultOf` reads. */
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

/** What `startScan` threw, for words. */
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
      return null; // there is none in this picture
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
      canvas.width = 0; // the last picture goes too
    },
  };
}

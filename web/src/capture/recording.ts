/** Camera, microphone and one take at a time: a wrapper around MediaRecorder, without any user interface. */

/** Video with sound, or voice alone. */
export type Form = 'video' | 'voice';

/** In order of preference: what most browsers record, then Safari's format. */
const TYPES: Readonly<Record<Form, readonly string[]>> = {
  video: ['video/webm;codecs=vp9,opus', 'video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'],
  voice: ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4', 'audio/ogg;codecs=opus'],
};
const PIECE_MS = 2_000;
const VIDEO_BITS_PER_SECOND = 2_500_000;
const AUDIO_BITS_PER_SECOND = 96_000;

/** Why no device is available. */
export type DeviceFault = 'denied' | 'missing' | 'busy' | 'unsupported';
/** Or why the recording is incomplete: a device was lost, or delivered nothing. */
export type CaptureFault = DeviceFault | 'broken' | 'nothing';

export interface Take {
  readonly file: Blob;
  /** Without parameters, as statements require. */
  readonly mediaType: string;
  readonly broken: boolean;
}

export interface Devices {
  readonly cameras: readonly MediaDeviceInfo[];
  readonly microphones: readonly MediaDeviceInfo[];
}

export function recordableType(form: Form): string | null {
  if (!('MediaRecorder' in globalThis) || !('mediaDevices' in navigator)) return null;
  return TYPES[form].find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** Starts camera and microphone, or the microphone alone; prefers the devices chosen before, if they still exist. */
export function turnOn(form: Form, camera: string | null, microphone: string | null): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: form === 'video' && { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...(camera === null ? { facingMode: 'user' } : { deviceId: { exact: camera } }) },
    audio: { echoCancellation: true, noiseSuppression: true, ...(microphone === null ? {} : { deviceId: { exact: microphone } }) },
  });
}

export function turnOff(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export async function devices(): Promise<Devices> {
  const found = await navigator.mediaDevices.enumerateDevices();
  return {
    cameras: found.filter((device) => device.kind === 'videoinput'),
    microphones: found.filter((device) => device.kind === 'audioinput'),
  };
}

/** Why the camera could not be started. */
export function faultOf(thrown: unknown): DeviceFault {
  // By name: in some browsers OverconstrainedError is not a DOMException.
  const name = typeof thrown === 'object' && thrown !== null && 'name' in thrown ? thrown.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'unsupported';
}

/** One take, from its first frame to `stop` or the loss of a device; `keep` receives each piece as it is recorded. */
export class Recording {
  readonly #recorder: MediaRecorder;
  readonly #pieces: Blob[] = [];
  #broken = false;
  /** Resolves when the recording is complete. */
  readonly taken: Promise<Take>;

  constructor(stream: MediaStream, type: string, keep: (piece: Blob) => void) {
    this.#recorder = new MediaRecorder(stream, {
      mimeType: type,
      videoBitsPerSecond: VIDEO_BITS_PER_SECOND,
      audioBitsPerSecond: AUDIO_BITS_PER_SECOND,
    });
    const [mediaType = type] = type.split(';');
    this.taken = new Promise((resolve) => {
      this.#recorder.ondataavailable = ({ data }) => {
        if (data.size === 0) return;
        this.#pieces.push(data);
        keep(data);
      };
      this.#recorder.onerror = () => {
        this.#broken = true;
      };
      this.#recorder.onstop = () => resolve({ file: new Blob(this.#pieces, { type: mediaType }), mediaType, broken: this.#broken });
    });
    for (const track of stream.getTracks()) {
      track.addEventListener('ended', () => {
        this.#broken = true;
        this.stop();
      });
    }
    this.#recorder.start(PIECE_MS);
  }

  pause(): void {
    if (this.#recorder.state === 'recording') this.#recorder.pause();
    this.flush();
  }

  /** Requests the data recorded so far: a hidden page may be terminated at any time. */
  flush(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.requestData();
  }

  resume(): void {
    if (this.#recorder.state === 'paused') this.#recorder.resume();
  }

  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }
}

/** For 16-bit sound: anything quieter is digital silence, quieter than any quiet room. */
const SMALLEST_STEP = 1 / 32_768;
const LEVEL_SAMPLES = 1024;
/** Two thirds of a second: longer than the interval between checks, so nothing is missed. */
const HEARD_SAMPLES = 32_768;

/** The current loudness, from 0 to 1, and whether there is any signal at all. */
export class Loudness {
  readonly #context = new AudioContext();
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(HEARD_SAMPLES);

  constructor(stream: MediaStream) {
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = HEARD_SAMPLES;
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    // Some browsers create it suspended if permission was granted long after the click.
    this.#context.resume().catch(() => undefined);
  }

  /** False if the microphone delivers digital silence; true while that is unknown. */
  look(): { readonly level: number; readonly isHeard: boolean } {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const latest = this.#samples.subarray(-LEVEL_SAMPLES);
    const power = latest.reduce((sum, sample) => sum + sample * sample, 0) / latest.length;
    return {
      // From -60 dB, a quiet room, to 0 dB, as loud as can be recorded.
      level: Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60)),
      isHeard: this.#context.state !== 'running' || this.#samples.some((sample) => Math.abs(sample) >= SMALLEST_STEP),
    };
  }

  close(): void {
    void this.#context.close();
  }
}

const SIGHT = { width: 16, height: 9 } as const;
/** Of 255: darker than any image a camera produces in the dark. */
const BLACK = 12;

/** Whether the camera delivers anything but black; true while that is unknown. */
export class Sight {
  readonly #context: CanvasRenderingContext2D | null;

  constructor() {
    const canvas = Object.assign(document.createElement('canvas'), SIGHT);
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
  }

  isSeen(video: HTMLVideoElement | null): boolean {
    if (video === null || this.#context === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return true;
    const { width, height } = SIGHT;
    this.#context.drawImage(video, 0, 0, width, height);
    const { data } = this.#context.getImageData(0, 0, width, height);
    return data.some((value, place) => place % 4 !== 3 && value > BLACK);
  }
}

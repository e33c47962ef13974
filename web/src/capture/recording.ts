/** Camera, microphone and one take at a time: the browser's own recorder, with nothing of the page in it. */

/** In the order in which they are wanted: what most browsers write, then what Safari does. */
const TYPES = ['video/webm;codecs=vp9,opus', 'video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];
const PIECE_MS = 2_000;
const VIDEO_BITS_PER_SECOND = 2_500_000;
const AUDIO_BITS_PER_SECOND = 96_000;

export type CaptureFault = 'denied' | 'missing' | 'busy' | 'unsupported' | 'broken';

export interface Take {
  readonly file: Blob;
  /** Without parameters, as a statement names it. */
  readonly mediaType: string;
  readonly broken: boolean;
}

export interface Devices {
  readonly cameras: readonly MediaDeviceInfo[];
  readonly microphones: readonly MediaDeviceInfo[];
}

export function recordableType(): string | null {
  if (!('MediaRecorder' in globalThis) || !('mediaDevices' in navigator)) return null;
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** Turns camera and microphone on; the devices that were chosen before, where they are still there. */
export function turnOn(camera: string | null, microphone: string | null): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...(camera === null ? { facingMode: 'user' } : { deviceId: { exact: camera } }) },
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

/** What went wrong when a camera was asked for. */
export function faultOf(thrown: unknown): CaptureFault {
  // By its name: an OverconstrainedError is no DOMException in every browser.
  const name = typeof thrown === 'object' && thrown !== null && 'name' in thrown ? thrown.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'unsupported';
}

/** One take: from its first frame to `stop`, or to the end that a lost device makes. */
export class Recording {
  readonly #recorder: MediaRecorder;
  readonly #pieces: Blob[] = [];
  #broken = false;
  /** Resolves when the take is whole. */
  readonly taken: Promise<Take>;

  constructor(stream: MediaStream, type: string) {
    this.#recorder = new MediaRecorder(stream, {
      mimeType: type,
      videoBitsPerSecond: VIDEO_BITS_PER_SECOND,
      audioBitsPerSecond: AUDIO_BITS_PER_SECOND,
    });
    const [mediaType = type] = type.split(';');
    this.taken = new Promise((resolve) => {
      this.#recorder.ondataavailable = ({ data }) => {
        if (data.size > 0) this.#pieces.push(data);
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
  }

  resume(): void {
    if (this.#recorder.state === 'paused') this.#recorder.resume();
  }

  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }
}

/** How loud it is, from 0 to 1, as often as it is asked. */
export class Loudness {
  readonly #context = new AudioContext();
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(stream: MediaStream) {
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    // Some browsers start it asleep when the answer about the camera came long after the button.
    this.#context.resume().catch(() => undefined);
  }

  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    // From -60 dB, a quiet room, to 0 dB, as loud as can be recorded.
    return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60));
  }

  close(): void {
    void this.#context.close();
  }
}

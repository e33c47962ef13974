/** Progress, speed and remaining time of an upload: reported honestly, or not at all. */

import type { SendingProgress } from './contract';

/** The rate over the last seconds; none is reported before there are enough samples. */
const WINDOW_MS = 10_000;
const SOONEST_MS = 2_000;
/** Pages need no more frequent updates. */
const TELL_EVERY_MS = 150;

export class Progress {
  private stage: SendingProgress['stage'] = 'sealing';
  private sealedBytes = 0;
  private sentBytes = 0;
  private isWaiting = false;
  private isSlow = false;
  private safeToClose = false;
  private readonly moments: { readonly at: number; readonly sent: number }[] = [];
  private toldAt = 0;

  constructor(
    private readonly totalBytes: number,
    private readonly tell: (progress: SendingProgress) => void,
  ) {}

  /** The video is stored here and can be resumed, of which relay had `sentBytes` before. */
  begun(sentBytes: number): void {
    this.sentBytes = sentBytes;
    this.say(true);
  }

  sealed(bytes: number): void {
    this.sealedBytes = bytes;
    this.say();
  }

  sent(bytes: number): void {
    // After a reconnect fewer bytes may have arrived than were sent; what relay has acknowledged stays.
    if (bytes < this.sentBytes) this.moments.length = 0;
    this.sentBytes = bytes;
    const at = Date.now();
    this.moments.push({ at, sent: bytes });
    while ((this.moments[0]?.at ?? at) < at - WINDOW_MS) this.moments.shift();
    this.say();
  }

  waiting(isWaiting: boolean): void {
    if (isWaiting === this.isWaiting) return;
    this.isWaiting = isWaiting;
    this.moments.length = 0;
    this.say(true);
  }

  /** Nothing has moved for some seconds, although the connection was not reported lost. */
  slow(isSlow: boolean): void {
    if (isSlow === this.isSlow) return;
    this.isSlow = isSlow;
    this.say(true);
  }

  safe(isSafe: boolean): void {
    if (isSafe === this.safeToClose) return;
    this.safeToClose = isSafe;
    this.say(true);
  }

  finishing(): void {
    this.stage = 'finishing';
    this.say(true);
  }

  private say(atOnce = false): void {
    const at = Date.now();
    if (!atOnce && at - this.toldAt < TELL_EVERY_MS && this.sentBytes < this.totalBytes) return;
    this.toldAt = at;
    const bytesPerSecond = this.rate();
    const left = this.totalBytes - this.sentBytes;
    this.tell({
      stage: this.currentStage(),
      sealedBytes: this.sealedBytes,
      sentBytes: this.sentBytes,
      totalBytes: this.totalBytes,
      bytesPerSecond,
      secondsLeft: bytesPerSecond === null || bytesPerSecond === 0 ? null : left / bytesPerSecond,
      safeToClose: this.safeToClose,
    });
  }

  private currentStage(): SendingProgress['stage'] {
    if (this.isWaiting) return 'waiting-for-connection';
    if (this.isSlow) return 'slow';
    if (this.stage === 'finishing') return 'finishing';
    return this.sealedBytes < this.totalBytes ? 'sealing' : 'sending';
  }

  private rate(): number | null {
    const [first] = this.moments;
    const last = this.moments.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < SOONEST_MS) return null;
    return ((last.sent - first.sent) * 1000) / (last.at - first.at);
  }
}

/** The sealed segments of one video between sealing and sending: on the device while there is space, else in memory. */

import type { Bytes } from '../crypto/encoding';
import { SEGMENT_BYTES, segmentDigest } from '../crypto/segments';
import type { Device, StoredVideo } from './device';
import { Refused } from './refusing';
import { UploadVanished } from './uploading';

/** Limit for segments in memory: sealing waits for sending once the device stores no more. */
const HELD = 4;

export class Segments {
  /** What this device knows of the video; stored after every change. */
  private state: StoredVideo;
  private readonly held = new Map<number, Bytes>();
  private readonly count: number;
  private failure: Refused | UploadVanished | null = null;
  private changed: () => void = () => undefined;
  private change: Promise<void>;
  /** Segments ready to send. */
  private ready: number;
  /** Whether the record of the video survives closing the page. */
  private isNoted = true;
  /** Set while this page seals the file; otherwise only what is stored can be sent. */
  private isSealing = false;

  constructor(
    private readonly device: Device,
    begun: StoredVideo,
    /** Whether the source itself is on the device and can be sealed again: then no segment is stored. */
    private readonly isSourceStored = false,
  ) {
    this.state = begun;
    this.count = Math.ceil(begun.totalBytes / SEGMENT_BYTES);
    this.ready = begun.digests.length;
    this.change = this.nextChange();
  }

  get video(): StoredVideo {
    return this.state;
  }

  get digests(): readonly string[] {
    return this.state.digests;
  }

  /** Whether every byte is sealed, and on the device or at relay. */
  get isSafe(): boolean {
    const { kept, sentBytes, totalBytes } = this.state;
    if (!this.device.lasting || !this.isNoted) return false;
    return this.isSourceStored || (this.digests.length === this.count && (kept || sentBytes === totalBytes));
  }

  begin(): void {
    this.isSealing = true;
  }

  /**
   * Takes the next sealed segment. One sealed before must be identical; its hash is stored before it may be sent,
   * so that no other file is ever sealed with this key over what relay has seen.
   */
  async add(number: number, segment: Bytes): Promise<void> {
    const digest = await segmentDigest(segment);
    const known = this.digests[number];
    if (known !== undefined && known !== digest) throw new Refused('file-unreadable');
    const isSent = (number + 1) * SEGMENT_BYTES <= this.state.sentBytes;
    const isStored = isSent || (!this.isSourceStored && (await this.device.storeSegment(this.state.id, number, segment.buffer)));
    if (!isStored) await this.waitForRoom(number);
    await this.note({ kept: this.state.kept && isStored, ...(known === undefined ? { digests: [...this.digests, digest] } : {}) });
    if (!isSent && (!isStored || this.held.size < HELD)) this.held.set(number, segment);
    this.ready = Math.max(this.ready, number + 1);
    this.tell();
  }

  /** A segment to send; waits until it is sealed. */
  async take(number: number): Promise<Bytes> {
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const held = this.held.get(number);
      if (held !== undefined) return held;
      const kept = number < this.ready ? await this.device.segment(this.state.id, number) : null;
      if (kept !== null) return new Uint8Array(kept);
      if (!this.isSealing) throw new Refused('file-unreadable');
      await this.change;
    }
  }

  /** relay has stored the first `bytes`: the segments before need not be stored any longer. */
  async acknowledge(bytes: number): Promise<void> {
    const { sentBytes, totalBytes } = this.state;
    if (bytes <= sentBytes) return;
    await this.note({ sentBytes: bytes });
    const to = bytes === totalBytes ? this.count : Math.floor(bytes / SEGMENT_BYTES);
    for (let number = Math.floor(sentBytes / SEGMENT_BYTES); number < to; number += 1) {
      this.held.delete(number);
      await this.device.discardSegment(this.state.id, number);
    }
    this.tell();
  }

  begun(upload: string): Promise<void> {
    return this.note({ upload });
  }

  /** Relay dropped the upload: everything has to be sent again. */
  startOver(): Promise<void> {
    return this.note({ upload: null, sentBytes: 0 });
  }

  /** Whether the device has every segment that relay lacks. */
  async isWhole(): Promise<boolean> {
    if (this.digests.length < this.count) return false;
    for (let number = Math.floor(this.state.sentBytes / SEGMENT_BYTES); number < this.count; number += 1) {
      if (!(await this.device.hasSegment(this.state.id, number))) return false;
    }
    return true;
  }

  /** Tells everybody waiting for a segment that there will be none. */
  fail(failure: unknown): void {
    const isOurs = failure instanceof Refused || failure instanceof UploadVanished;
    this.failure = isOurs ? failure : new Refused('unexpected');
    this.tell();
  }

  /** Sealing must not run ahead of sending with segments that are only in memory. */
  private async waitForRoom(number: number): Promise<void> {
    while (this.held.size >= HELD && this.failure === null && number * SEGMENT_BYTES > this.state.sentBytes) await this.change;
    if (this.failure !== null) throw this.failure;
  }

  private async note(change: Partial<StoredVideo>): Promise<void> {
    this.state = { ...this.state, ...change };
    this.isNoted = await this.device.storeVideo(this.state);
  }

  private tell(): void {
    const { changed } = this;
    this.change = this.nextChange();
    changed();
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => { this.changed = resolve; });
  }
}

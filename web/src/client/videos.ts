/**
 * Sends videos: seals the file piece by piece, keeps what is sealed until relay has it, and goes on after any break. Of a
 * recording that lies on the device nothing is kept a second time: it is sealed again where it was broken off.
 *
 * The device keeps a record of each video that is under way, sealed for its sender: with it the same file can be sealed
 * once more, under the same key and nonce, into the same bytes. What was sealed before is held against its hash before
 * anything is sent, so no second file is ever sealed with a key that was used.
 */

import type { VerifiedCharter } from '../crypto/chain';
import { b64uDecode, b64uEncode, utf8 } from '../crypto/encoding';
import type { Part } from '../crypto/fields';
import { commit, newFileKey } from '../crypto/filekeys';
import { SEGMENT_BYTES, segmentDigest } from '../crypto/segments';
import { NONCE_BYTES, Sealer, sealedSize } from '../crypto/stream';
import { pause } from './connection';
import type { NewVideo, SendingProgress, Take, UnfinishedVideo, Uuid } from './contract';
import type { KeptVideo } from './device';
import type { Admitted } from './entrance';
import { Progress } from './progress';
import { isRefused, Refused } from './refusing';
import type { components } from './schema';
import { Segments } from './segments';
import { fromFile, type Source } from './sources';
import type { Takes } from './takes';
import { endUpload, upload, UploadVanished } from './uploading';
import type { Address } from './writing';
import { pathOf } from './writing';

type Schemas = components['schemas'];
type Tell = (progress: SendingProgress) => void;

/** Of the file at once, while the piece before is sealed: small pieces cost more to ask for than to seal. */
const READ_BYTES = 4 * 1024 * 1024;
const BEGINNING_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A statement that is older than relay takes is signed anew; relay takes five minutes. */
const STATEMENT_MS = 4 * 60_000;

/** What is kept sealed of a video under way. */
interface VideoRecord extends Address {
  readonly mediaType: string;
  readonly fileKey: string;
  readonly nonce: string;
  readonly fileBytes: number;
  /** SHA-256 of the first MiB: tells early that another file was picked. */
  readonly beginning: string;
  readonly assistant: string | null;
  /** The recording that it is, which is kept until relay has all of it. */
  readonly take: string | null;
}

interface Underway {
  readonly id: Uuid;
  readonly stop: AbortController;
  readonly ended: Promise<unknown>;
}

export class Videos {
  private underway: Underway | null = null;

  constructor(
    private readonly admitted: Admitted,
    private readonly recordings: Takes,
  ) {}

  async send(to: Address, video: NewVideo, tell: Tell): Promise<Schemas['AuthorMessage']> {
    const { device, link, ownSeal } = this.admitted;
    const source = await this.source(video.file, video.take ?? null);
    if (source === null) throw new Refused('file-unreadable');
    const record: VideoRecord = {
      ...to,
      mediaType: video.mediaType,
      fileKey: b64uEncode(newFileKey()),
      nonce: b64uEncode(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
      fileBytes: source.size,
      beginning: await beginningOf(source),
      assistant: video.assistant ?? null,
      take: video.take ?? null,
    };
    const kept: KeptVideo = {
      link,
      id: to.message,
      sealed: await ownSeal.seal(utf8(JSON.stringify(record))),
      startedAt: new Date().toISOString(),
      totalBytes: sealedSize(source.size),
      sentBytes: 0,
      digests: [],
      kept: true,
      upload: null,
    };
    await device.keepVideo(kept);
    return this.run(record, kept, source, tell);
  }

  async resume(id: Uuid, file: Blob | null, tell: Tell): Promise<Schemas['AuthorMessage']> {
    const kept = await this.admitted.device.video(this.admitted.link, id);
    if (kept === null) throw new Refused('refused');
    const record = await this.open(kept);
    const source = await this.source(file, record.take);
    if (source === null && !(await new Segments(this.admitted.device, kept).isWhole())) throw new Refused('file-unreadable');
    if (source !== null && !(await isSameFile(source, record))) throw new Refused('file-unreadable');
    return this.run(record, kept, source, tell);
  }

  /** Those that can be gone on with; one whose keys are gone is passed over. */
  async unfinished(): Promise<readonly UnfinishedVideo[]> {
    const { device, link } = this.admitted;
    const found: UnfinishedVideo[] = [];
    for (const kept of await device.videos(link)) {
      const record = await this.open(kept).catch(() => null);
      if (record === null) continue;
      const { id, startedAt, sentBytes, totalBytes } = kept;
      const whole = (await this.source(null, record.take)) !== null || (await new Segments(device, kept).isWhole());
      found.push({ id, to: record.to, mediaType: record.mediaType, take: record.take, startedAt, sentBytes, totalBytes, whole });
    }
    return found.sort((one, other) => other.startedAt.localeCompare(one.startedAt));
  }

  /** The recordings that are kept here and are not on their way. */
  async takes(): Promise<readonly Take[]> {
    const onTheirWay = (await this.unfinished()).map(({ take }) => take);
    return (await this.recordings.all()).filter(({ id }) => !onTheirWay.includes(id));
  }

  /** Sets aside what is under way, and waits until it stands still. */
  async pause(): Promise<void> {
    const { underway } = this;
    underway?.stop.abort();
    await underway?.ended;
  }

  /** Forgets a video here, and its draft at relay, which ends it by itself later where it cannot be told. */
  async discard(id: Uuid): Promise<void> {
    if (this.underway?.id === id) await this.pause();
    const { device, link, signed } = this.admitted;
    const kept = await device.video(link, id);
    if (kept === null) return;
    const record = await this.open(kept).catch(() => null);
    if (kept.upload !== null) await endUpload(signed, kept.upload);
    if (record?.revision === 1) await signed.call('DELETE', `${pathOf(record)}/draft`).catch(() => null);
    await device.discardVideo(link, id);
  }

  private async source(file: Blob | null, take: string | null): Promise<Source | null> {
    if (file !== null) return fromFile(file);
    return take === null ? null : this.recordings.source(take);
  }

  private async open({ sealed }: KeptVideo): Promise<VideoRecord> {
    // The device keeps what it was given; whoever altered it only hurts a video that then does not verify.
    return JSON.parse(new TextDecoder().decode(await this.admitted.ownSeal.open(sealed))) as VideoRecord;
  }

  private async run(record: VideoRecord, kept: KeptVideo, source: Source | null, tell: Tell): Promise<Schemas['AuthorMessage']> {
    await this.pause();
    const stop = new AbortController();
    const sending = new Sending(this.admitted, record, source, new Progress(kept.totalBytes, tell), stop.signal).all(kept);
    const underway = { id: kept.id, stop, ended: sending.catch(() => null) };
    this.underway = underway;
    try {
      const message = await sending;
      await this.admitted.device.discardVideo(this.admitted.link, kept.id);
      if (record.take !== null) await this.recordings.discard(record.take);
      return message;
    } finally {
      if (this.underway === underway) this.underway = null;
    }
  }
}

/** One video from here to relay. */
class Sending {
  constructor(
    private readonly admitted: Admitted,
    private readonly record: VideoRecord,
    private readonly source: Source | null,
    private readonly progress: Progress,
    private readonly signal: AbortSignal,
  ) {}

  async all(kept: KeptVideo): Promise<Schemas['AuthorMessage']> {
    const before = await this.insist(() => this.sentBefore());
    if (before !== null) return before;
    const digests = await this.body(kept);
    this.progress.finishing();
    return this.submit(kept.totalBytes, digests);
  }

  /** Seals and sends the body; from the beginning where the upload has ended at relay meanwhile. */
  private async body(kept: KeptVideo): Promise<readonly string[]> {
    for (let state = kept; ; ) {
      const segments = new Segments(this.admitted.device, state, this.source?.lasting);
      try {
        await Promise.all([this.seal(segments), this.ship(segments)]);
        return segments.digests;
      } catch (error) {
        if (!(error instanceof UploadVanished)) throw error;
      }
      await segments.startOver();
      if (this.source === null && !(await segments.isWhole())) throw new Refused('file-unreadable');
      state = segments.video;
    }
  }

  private async seal(segments: Segments): Promise<void> {
    const { source, progress } = this;
    if (source === null) {
      progress.sealed(segments.video.totalBytes);
      progress.safe(segments.isSafe);
      return;
    }
    segments.begin();
    try {
      await sealInto(segments, source, this.record, this.signal, (bytes) => {
        progress.sealed(bytes);
        progress.safe(segments.isSafe);
      });
    } catch (error) {
      segments.fail(error);
      throw error;
    }
  }

  private async ship(segments: Segments): Promise<void> {
    const { admitted, progress, record, signal } = this;
    const { totalBytes, upload: begun } = segments.video;
    try {
      const { to, language } = record;
      await this.insist(() => admitted.signed.call('PUT', `${pathOf(record)}/draft`, { body: { to, kind: 'video', language } }));
      await upload(admitted.signed, {
        message: record.message,
        revision: record.revision,
        size: totalBytes,
        upload: begun,
        segment: (number) => segments.take(number),
        begun: (path) => segments.begun(path),
        moved: (bytes) => { progress.sent(bytes); },
        acknowledged: async (bytes) => {
          progress.sent(bytes);
          await segments.acknowledge(bytes);
          progress.safe(segments.isSafe);
        },
        waiting: (isWaiting) => { progress.waiting(isWaiting); },
        slow: (isSlow) => { progress.slow(isSlow); },
        signal,
      });
    } catch (error) {
      // Sealing waits for room, which there will not be.
      segments.fail(error);
      throw error;
    }
  }

  /**
   * Signs and sends the message. A statement whose answer was lost is sent again as it was, while relay still takes it;
   * where the charter has changed, the same sealed parts are granted and signed once more.
   */
  private async submit(size: number, segments: readonly string[]): Promise<Schemas['AuthorMessage']> {
    const { charter, hand, signed } = this.admitted;
    const fileKey = b64uDecode(this.record.fileKey);
    const part: Part = {
      role: 'original',
      type: this.record.mediaType,
      size,
      segments,
      commit: commit(fileKey, hand.caseId),
    };
    const notes = hand.assistantNote(this.record.assistant);
    let last: { readonly under: string; readonly at: number; readonly body: Schemas['Submission'] } | null = null;
    const signedUnder = (current: VerifiedCharter): Schemas['Submission'] => {
      if (last?.under !== current.statementHash || Date.now() - last.at > STATEMENT_MS) {
        last = { under: current.statementHash, at: Date.now(), body: hand.video(current, this.record, { part, fileKey }, notes) };
      }
      return last.body;
    };
    return this.insist(async () => {
      // What was sent before may have arrived, and is not sent a second time under another signature.
      const before = last === null ? null : await this.sentBefore();
      if (before !== null) return before;
      return charter.sending((current) =>
        signed.call<Schemas['AuthorMessage']>('PUT', pathOf(this.record), { body: signedUnder(current), signal: this.signal }),
      );
    });
  }

  /** The message, where relay has this revision of it already. */
  private async sentBefore(): Promise<Schemas['AuthorMessage'] | null> {
    try {
      const path = `/v1/messages/${this.record.message}`;
      const message = await this.admitted.signed.call<Schemas['AuthorMessage']>('GET', path, { signal: this.signal });
      return message.revision === this.record.revision && message.view !== 'sending' ? message : null;
    } catch (error) {
      if (isRefused(error, 'refused', 'not-found')) return null;
      throw error;
    }
  }

  /** Tries for as long as nobody answers. */
  private async insist<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    for (let failures = 0; ; failures += 1) {
      if (this.signal.aborted) throw new Refused('paused');
      try {
        const answer = await work();
        this.progress.waiting(false);
        return answer;
      } catch (error) {
        if (!isRefused(error, 'offline') && !isRefused(error, 'busy')) throw error;
      }
      this.progress.waiting(true);
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), this.signal);
    }
  }
}

/** Reads, seals and cuts; the next piece is read, and the last segment kept, while this one is sealed. */
async function sealInto(
  segments: Segments,
  source: Source,
  record: VideoRecord,
  signal: AbortSignal,
  sealed: (bytes: number) => void,
): Promise<void> {
  const sealer = new Sealer(b64uDecode(record.fileKey), b64uDecode(record.nonce));
  const total = sealedSize(source.size);
  let done = 0;
  let segment = new Uint8Array(Math.min(SEGMENT_BYTES, total));
  let adding = Promise.resolve();
  const cut = async (bytes: Uint8Array) => {
    for (let from = 0; from < bytes.length; ) {
      const at = done % SEGMENT_BYTES;
      const piece = bytes.subarray(from, from + segment.length - at);
      segment.set(piece, at);
      from += piece.length;
      done += piece.length;
      if (at + piece.length < segment.length) continue;
      await adding;
      const number = Math.ceil(done / SEGMENT_BYTES) - 1;
      adding = segments.add(number, segment);
      // It is awaited before the next one; until then a failure is nobody's.
      adding.catch(() => null);
      if (done < total) segment = new Uint8Array(Math.min(SEGMENT_BYTES, total - done));
    }
    sealed(done);
  };
  let reading = source.read(0, READ_BYTES);
  for (let at = 0; at < source.size; at += READ_BYTES) {
    const plain = await reading;
    if (signal.aborted) throw new Refused('paused');
    reading = source.read(at + READ_BYTES, at + 2 * READ_BYTES);
    reading.catch(() => null);
    await cut(sealer.update(plain));
  }
  await cut(sealer.finish());
  await adding;
  sealed(done);
}

/** As far as can be told without sealing it; what was sealed before is compared as it is sealed again. */
async function isSameFile(source: Source, { fileBytes, beginning }: VideoRecord): Promise<boolean> {
  return source.size === fileBytes && (await beginningOf(source)) === beginning;
}

async function beginningOf(source: Source): Promise<string> {
  if (source.size === 0) throw new Refused('file-unreadable');
  return segmentDigest(await source.read(0, BEGINNING_BYTES));
}

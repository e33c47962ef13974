/**
 * Sends videos: seals the file piece by piece, stores what is sealed until relay has it, and resumes after any break. A
 * recording on the device is not stored a second time: it is sealed again from where the upload stopped.
 *
 * The device stores a sealed record of each upload in progress: with it the same file can be sealed again
 * under the same key and nonce, into the same bytes. What was sealed before is compared by hash before
 * anything is sent, so no second file is ever sealed with a used key.
 */

import type { VerifiedCharter } from '../crypto/chain';
import { b64uDecode, b64uEncode, utf8 } from '../crypto/encoding';
import type { Part } from '../crypto/fields';
import { commit, newFileKey } from '../crypto/filekeys';
import { SEGMENT_BYTES, segmentDigest } from '../crypto/segments';
import { NONCE_BYTES, Sealer, sealedSize } from '../crypto/stream';
import { pause } from './connection';
import type { NewVideo, SendingProgress, Take, UnfinishedVideo, Uuid } from './contract';
import type { StoredVideo } from './device';
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

/** Read size: the next piece is read while one is sealed; small pieces cost more to request than to seal. */
const READ_BYTES = 4 * 1024 * 1024;
const BEGINNING_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** An older statement is signed again; relay accepts five minutes. */
const STATEMENT_MS = 4 * 60_000;

/** The sealed record of an upload in progress. */
interface VideoRecord extends Address {
  readonly mediaType: string;
  readonly fileKey: string;
  readonly nonce: string;
  readonly fileBytes: number;
  /** SHA-256 of the first MiB: detects early that another file was chosen. */
  readonly beginning: string;
  readonly assistant: string | null;
  /** The stored recording that is sent, deleted once relay has all of it. */
  readonly take: string | null;
}

interface Underway {
  /** Null before it is known which message it will be. */
  id: Uuid | null;
  readonly stop: AbortController;
  ended: Promise<unknown>;
}

export class Videos {
  private underway: Underway | null = null;

  constructor(
    private readonly admitted: Admitted,
    private readonly recordings: Takes,
  ) {}

  async send(addressed: () => Promise<Address>, video: NewVideo, tell: Tell): Promise<Schemas['AuthorMessage']> {
    return this.only(null, async (underway) => {
      const to = await addressed();
      underway.id = to.message;
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
      return this.run(record, await this.store(record, underway.stop.signal), source, tell, underway.stop.signal);
    });
  }

  async resume(id: Uuid, file: Blob | null, tell: Tell): Promise<Schemas['AuthorMessage']> {
    return this.only(id, async ({ stop: { signal } }) => {
      const kept = await this.admitted.device.video(this.admitted.link, id);
      if (kept === null) throw new Refused('refused');
      const record = await this.open(kept);
      const source = await this.source(file, record.take);
      if (source === null && !(await new Segments(this.admitted.device, kept).isWhole())) throw new Refused('file-unreadable');
      if (source !== null && !(await isSameFile(source, record))) throw new Refused('file-unreadable');
      return this.run(record, kept, source, tell, signal);
    });
  }

  /** Those that can be resumed; one whose keys are gone is skipped. */
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

  /** The recordings stored here that are not being sent. */
  async takes(): Promise<readonly Take[]> {
    const onTheirWay = (await this.unfinished()).map(({ take }) => take);
    return (await this.recordings.all()).filter(({ id }) => !onTheirWay.includes(id));
  }

  /** Pauses the upload in progress, and waits until it has stopped. One that is not stored yet is not begun. */
  async pause(): Promise<void> {
    const { underway } = this;
    underway?.stop.abort();
    await underway?.ended;
  }

  /** Removes a video here, and its draft at relay, which expires by itself if relay cannot be reached. */
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

  private async open({ sealed }: StoredVideo): Promise<VideoRecord> {
    // The device returns what was stored; altering it only harms a video that then does not verify.
    return JSON.parse(new TextDecoder().decode(await this.admitted.ownSeal.open(sealed))) as VideoRecord;
  }

  /** From here on it can be resumed. */
  private async store(record: VideoRecord, signal: AbortSignal): Promise<StoredVideo> {
    const { device, link, ownSeal } = this.admitted;
    const totalBytes = sealedSize(record.fileBytes);
    const kept: StoredVideo = {
      link,
      id: record.message,
      sealed: await ownSeal.seal(utf8(JSON.stringify(record))),
      startedAt: new Date().toISOString(),
      totalBytes,
      sentBytes: 0,
      digests: [],
      kept: true,
      upload: null,
    };
    if (signal.aborted) throw new Refused('paused');
    await device.storeVideo(kept);
    return kept;
  }

  /** Does this work alone: what was under way before has stopped, and `pause` stops this. */
  private async only<Result>(id: Uuid | null, work: (underway: Underway) => Promise<Result>): Promise<Result> {
    await this.pause();
    const stop = new AbortController();
    const underway: Underway = { id, stop, ended: Promise.resolve() };
    this.underway = underway;
    const working = work(underway);
    underway.ended = working.catch(() => null);
    try {
      return await working;
    } finally {
      if (this.underway === underway) this.underway = null;
    }
  }

  private async run(
    record: VideoRecord,
    kept: StoredVideo,
    source: Source | null,
    tell: Tell,
    signal: AbortSignal,
  ): Promise<Schemas['AuthorMessage']> {
    const progress = new Progress(kept.totalBytes, tell);
    progress.begun(kept.sentBytes);
    const message = await new Sending(this.admitted, record, source, progress, signal).all(kept);
    await this.admitted.device.discardVideo(this.admitted.link, kept.id);
    if (record.take !== null) await this.recordings.discard(record.take);
    return message;
  }
}

/** One upload from here to relay. */
class Sending {
  constructor(
    private readonly admitted: Admitted,
    private readonly record: VideoRecord,
    private readonly source: Source | null,
    private readonly progress: Progress,
    private readonly signal: AbortSignal,
  ) {}

  async all(kept: StoredVideo): Promise<Schemas['AuthorMessage']> {
    const before = await this.insist(() => this.sentBefore());
    if (before !== null) return before;
    const digests = await this.body(kept);
    this.progress.finishing();
    return this.submit(kept.totalBytes, digests);
  }

  /** Seals and sends the body; starts over if relay has dropped the upload meanwhile. */
  private async body(kept: StoredVideo): Promise<readonly string[]> {
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
      // Sealing waits for space that will never be available.
      segments.fail(error);
      throw error;
    }
  }

  /**
   * Signs and sends the message. A statement whose response was lost is sent again unchanged, while relay still accepts it;
   * if the charter has changed, the same sealed parts are granted and signed again.
   */
  private async submit(size: number, segments: readonly string[]): Promise<Schemas['AuthorMessage']> {
    const { charter, writer, signed } = this.admitted;
    const fileKey = b64uDecode(this.record.fileKey);
    const part: Part = {
      role: 'original',
      type: this.record.mediaType,
      size,
      segments,
      commit: commit(fileKey, writer.caseId),
    };
    const notes = writer.assistantNote(this.record.assistant);
    let last: { readonly under: string; readonly at: number; readonly body: Schemas['Submission'] } | null = null;
    const signedUnder = (current: VerifiedCharter): Schemas['Submission'] => {
      if (last?.under !== current.statementHash || Date.now() - last.at > STATEMENT_MS) {
        last = { under: current.statementHash, at: Date.now(), body: writer.video(current, this.record, { part, fileKey }, notes) };
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

  /** The message, if relay already has this revision of it. */
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

  /** Retries for as long as nobody answers. */
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

/** Reads, seals and cuts; while one piece is sealed, the next is read and the last segment stored. */
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
      // It is awaited before the next one; until then its rejection must not be reported as unhandled.
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

/** As far as known without sealing it; what was sealed before is compared as it is sealed again. */
async function isSameFile(source: Source, { fileBytes, beginning }: VideoRecord): Promise<boolean> {
  return source.size === fileBytes && (await beginningOf(source)) === beginning;
}

async function beginningOf(source: Source): Promise<string> {
  if (source.size === 0) throw new Refused('file-unreadable');
  return segmentDigest(await source.read(0, BEGINNING_BYTES));
}

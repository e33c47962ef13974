/** Recordings, stored while they are made: every piece is sealed for its maker, on the device while there is space. */

import { utf8 } from '../crypto/encoding';
import type { NewTake, Take } from './contract';
import type { StoredTake } from './device';
import type { Admitted } from './entrance';
import { Refused } from './refusing';
import { Serial } from './serial';
import type { Source } from './sources';

/** The sealed record of a recording. */
interface TakeRecord extends NewTake {
  readonly seconds: number;
  /** The size of each piece in bytes. */
  readonly pieces: readonly number[];
}

export class Takes {
  /** Serializes operations, so that pieces are stored in order. */
  private readonly serial = new Serial();
  /** Recordings in progress in this page. */
  private readonly making = new Map<string, TakeRecord>();

  constructor(private readonly admitted: Admitted) {}

  keep(take: NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean> {
    const { device, link, ownSeal } = this.admitted;
    return this.serial.run(async () => {
      const before = this.making.get(take.id) ?? { ...take, seconds: 0, pieces: [] };
      const number = before.pieces.length;
      // Discarded meanwhile in another tab: further pieces would have no beginning.
      if ((number > 0) !== ((await device.take(link, take.id)) !== null)) throw new Refused('refused');
      const record: TakeRecord = { ...before, seconds, pieces: [...before.pieces, piece.byteLength] };
      const sealed = await ownSeal.seal(utf8(JSON.stringify(record)));
      await device.storePiece({ link, id: take.id, sealed }, number, await ownSeal.seal(new Uint8Array(piece)));
      this.making.set(take.id, record);
      return device.isTakeLasting(link, take.id);
    });
  }

  /** Those that can be opened, newest first, without those being sent. */
  all(): Promise<readonly Take[]> {
    const { device, link } = this.admitted;
    return this.serial.run(async () => {
      const found: Take[] = [];
      for (const kept of await device.takes(link)) {
        const record = await this.open(kept).catch(() => null);
        if (record === null) continue;
        const { id, mediaType, startedAt, revises, seconds } = record;
        found.push({ id, mediaType, startedAt, revises, seconds, bytes: sizeOf(record), lasting: await device.isTakeLasting(link, id) });
      }
      return found.sort((one, other) => other.startedAt.localeCompare(one.startedAt));
    });
  }

  async blob(id: string): Promise<Blob> {
    const found = await this.find(id);
    if (found === null) throw new Refused('file-unreadable');
    const parts: Blob[] = [];
    for (const number of found.pieces.keys()) parts.push(new Blob([await this.piece(id, number)]));
    return new Blob(parts, { type: found.mediaType });
  }

  discard(id: string): Promise<void> {
    this.making.delete(id);
    return this.serial.run(() => this.admitted.device.discardTake(this.admitted.link, id));
  }

  /** A source that reads no more at once than asked for; null if the recording is gone. */
  async source(id: string): Promise<Source | null> {
    const record = await this.find(id);
    if (record === null) return null;
    const { device, link } = this.admitted;
    let last: { readonly number: number; readonly bytes: Uint8Array<ArrayBuffer> } | null = null;
    return {
      size: sizeOf(record),
      lasting: await device.isTakeLasting(link, id),
      read: async (from, to) => {
        const wanted = new Uint8Array(Math.max(0, Math.min(to, sizeOf(record)) - from));
        let at = 0;
        for (const [number, size] of record.pieces.entries()) {
          const [begin, end] = [Math.max(from, at), Math.min(to, at + size)];
          if (begin < end) {
            if (last?.number !== number) last = { number, bytes: await this.piece(id, number) };
            wanted.set(last.bytes.subarray(begin - at, end - at), begin - from);
          }
          at += size;
        }
        return wanted;
      },
    };
  }

  private async find(id: string): Promise<TakeRecord | null> {
    const { device, link } = this.admitted;
    return this.serial.run(async () => {
      const kept = await device.take(link, id);
      return kept === null ? null : this.open(kept).catch(() => null);
    });
  }

  private async open({ sealed }: StoredTake): Promise<TakeRecord> {
    // Nothing else is ever stored there; anybody who can alter a device can do worse.
    return JSON.parse(new TextDecoder().decode(await this.admitted.ownSeal.open(sealed))) as TakeRecord;
  }

  private async piece(id: string, number: number): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = await this.admitted.device.piece(id, number);
    if (sealed === null) throw new Refused('file-unreadable');
    return this.admitted.ownSeal.open(sealed);
  }
}

function sizeOf({ pieces }: TakeRecord): number {
  return pieces.reduce((sum, bytes) => sum + bytes, 0);
}

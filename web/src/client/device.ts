/**
 * What relay keeps on a device, all of it sealed: link secrets under a key that no script can read out, drafts,
 * recordings and unfinished videos, a mediator's keyrings; and in the clear the hash of every charter that this device has seen.
 *
 * Where nothing may be kept (a kiosk) or nothing can be (no IndexedDB), the same lies in memory and goes with the page.
 */

import type { IDBPDatabase, DBSchema } from 'idb';
import { openDB } from 'idb';

import { checkSeen, type VerifiedCharter } from '../crypto/chain';
import type { Digest } from '../crypto/values';
import type { KnownKeyring, Time, Uuid } from './contract';
import { isStorageFull } from './refusing';

const DATABASE = 'relay';
const VERSION = 1;
const DEVICE_KEY = 'device';
const IV_BYTES = 12;

export interface KeptDraft {
  /** Whose it is: somebody's link, or a mediator's credential. */
  readonly link: Uuid;
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** A video on its way. What is secret of it is sealed; where its ciphertext stands is not secret. */
export interface KeptVideo {
  readonly link: Uuid;
  readonly id: string;
  /** Its record: for whom, under which key, of which file. */
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly startedAt: Time;
  readonly totalBytes: number;
  /** Bytes that relay has acknowledged. */
  readonly sentBytes: number;
  /** SHA-256 (base64url) of each segment that was sealed, in order. */
  readonly digests: readonly string[];
  /** Whether every sealed segment that relay has not acknowledged is kept here. */
  readonly kept: boolean;
  /** `/v1/uploads/…`, once relay has begun one. */
  readonly upload: string | null;
}

/** A recording, kept while it is made. What is known of it is sealed. */
export interface KeptTake {
  readonly link: Uuid;
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

interface Kept extends DBSchema {
  keys: { key: string; value: CryptoKey };
  links: { key: Uuid; value: Uint8Array<ArrayBuffer> };
  drafts: { key: [Uuid, string]; value: KeptDraft };
  videos: { key: [Uuid, string]; value: KeptVideo };
  segments: { key: [string, number]; value: ArrayBuffer };
  takes: { key: [Uuid, string]; value: KeptTake };
  pieces: { key: [string, number]; value: Uint8Array<ArrayBuffer> };
  charters: { key: [string, Uuid, number]; value: Digest };
  keyrings: { key: string; value: KnownKeyring };
}

const ROOMS = ['keys', 'links', 'drafts', 'videos', 'segments', 'takes', 'pieces', 'charters', 'keyrings'] as const;

type Room = Exclude<(typeof ROOMS)[number], 'keys'>;
type Key = string | readonly (string | number)[];

/** Where things lie: IndexedDB, or memory. */
interface Shelf {
  readonly lasting: boolean;
  get(room: Room, key: Key): Promise<unknown>;
  has(room: Room, key: Key): Promise<boolean>;
  put(room: Room, key: Key, value: unknown): Promise<void>;
  delete(room: Room, key: Key): Promise<void>;
  all(room: Room): Promise<readonly unknown[]>;
  /** Removes all whose first member of the key is `first`. */
  clear(room: Room, first: string): Promise<void>;
}

export class Device {
  private constructor(
    private readonly shelf: Shelf,
    private readonly key: CryptoKey,
  ) {}

  /** The device itself; where it can keep nothing, memory. */
  static async open(name = DATABASE): Promise<Device> {
    try {
      const database = await openDB<Kept>(name, VERSION, {
        upgrade: (fresh) => {
          for (const room of ROOMS) fresh.createObjectStore(room);
        },
      });
      return new Device(lasting(database), await deviceKey(database));
    } catch {
      return Device.fleeting();
    }
  }

  /** Memory that goes with the page. */
  static async fleeting(): Promise<Device> {
    return new Device(fleeting(), await newKey());
  }

  /** Whether what is kept is still there after the page was closed. */
  get lasting(): boolean {
    return this.shelf.lasting;
  }

  /** Seals something small with the device's own key, which cannot leave the device. */
  async wrap(plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.key, plain));
    const wrapped = new Uint8Array(iv.length + sealed.length);
    wrapped.set(iv);
    wrapped.set(sealed, iv.length);
    return wrapped;
  }

  async unwrap(wrapped: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const iv = wrapped.subarray(0, IV_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, this.key, wrapped.subarray(IV_BYTES)));
  }

  async keepLink(link: Uuid, fragment: string): Promise<void> {
    await this.shelf.put('links', link, await this.wrap(new TextEncoder().encode(fragment)));
  }

  /** The fragment of a link's address that was kept here; null where there is none, or its key is gone. */
  async link(link: Uuid): Promise<string | null> {
    const kept = await this.shelf.get('links', link);
    if (kept === undefined) return null;
    try {
      return new TextDecoder().decode(await this.unwrap(kept as Uint8Array<ArrayBuffer>));
    } catch {
      return null;
    }
  }

  keepDraft(draft: KeptDraft): Promise<void> {
    return this.shelf.put('drafts', [draft.link, draft.id], draft);
  }

  async draft(link: Uuid, id: string): Promise<KeptDraft | null> {
    return ((await this.shelf.get('drafts', [link, id])) as KeptDraft | undefined) ?? null;
  }

  async drafts(link: Uuid): Promise<readonly KeptDraft[]> {
    return ((await this.shelf.all('drafts')) as KeptDraft[]).filter((draft) => draft.link === link);
  }

  discardDraft(link: Uuid, id: string): Promise<void> {
    return this.shelf.delete('drafts', [link, id]);
  }

  /** Whether it is still there after the page was closed. Where it finds no room, what was known before is gone, too: it is old. */
  async keepVideo(video: KeptVideo): Promise<boolean> {
    const key = [video.link, video.id];
    if (await this.putOrHold('videos', key, video)) return this.lasting;
    await this.shelf.delete('videos', key);
    return false;
  }

  async video(link: Uuid, id: string): Promise<KeptVideo | null> {
    return (await this.find<KeptVideo>('videos', [link, id])) ?? null;
  }

  videos(link: Uuid): Promise<readonly KeptVideo[]> {
    return this.ofLink<KeptVideo>('videos', link);
  }

  async discardVideo(link: Uuid, id: string): Promise<void> {
    for (const shelf of [this.shelf, this.overflow]) await shelf.delete('videos', [link, id]);
    await this.shelf.clear('segments', id);
  }

  /** Keeps one sealed segment; false where the device has no room, or keeps nothing at all. */
  async keepSegment(video: string, number: number, segment: ArrayBuffer): Promise<boolean> {
    if (!this.lasting) return false;
    try {
      await this.shelf.put('segments', [video, number], segment);
      return true;
    } catch (error) {
      if (isStorageFull(error)) return false;
      throw error;
    }
  }

  async segment(video: string, number: number): Promise<ArrayBuffer | null> {
    return ((await this.shelf.get('segments', [video, number])) as ArrayBuffer | undefined) ?? null;
  }

  async hasSegment(video: string, number: number): Promise<boolean> {
    return this.shelf.has('segments', [video, number]);
  }

  discardSegment(video: string, number: number): Promise<void> {
    return this.shelf.delete('segments', [video, number]);
  }

  // Recordings.

  /** Keeps the next sealed piece of a recording, and what is known of it by now. */
  async keepPiece(take: KeptTake, number: number, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.putOrHold('pieces', [take.id, number], piece);
    // What is known on the device is never more than what lies there: the beginning, when the page is gone.
    const isHeld = await this.overflow.has('pieces', [take.id, number]);
    await this.putOrHold('takes', [take.link, take.id], take, isHeld);
  }

  async piece(take: string, number: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return (await this.find<Uint8Array<ArrayBuffer>>('pieces', [take, number])) ?? null;
  }

  async take(link: Uuid, id: string): Promise<KeptTake | null> {
    return (await this.find<KeptTake>('takes', [link, id])) ?? null;
  }

  /** Whether all of a recording is still there after the page was closed. */
  async isTakeLasting(link: Uuid, id: string): Promise<boolean> {
    return this.lasting && !(await this.overflow.has('takes', [link, id]));
  }

  takes(link: Uuid): Promise<readonly KeptTake[]> {
    return this.ofLink<KeptTake>('takes', link);
  }

  async discardTake(link: Uuid, id: string): Promise<void> {
    for (const shelf of [this.shelf, this.overflow]) {
      await shelf.delete('takes', [link, id]);
      await shelf.clear('pieces', id);
    }
  }

  // What finds no room is held in memory, until it is discarded or the page goes.

  private readonly overflow = fleeting();

  /** False where it is held; from then on it is, with room or without: what lies on the device is older. */
  private async putOrHold(room: Room, key: Key, value: unknown, isHeld = false): Promise<boolean> {
    if (!isHeld && !(await this.overflow.has(room, key))) {
      try {
        await this.shelf.put(room, key, value);
        return true;
      } catch (error) {
        if (!isStorageFull(error)) throw error;
      }
    }
    await this.overflow.put(room, key, value);
    return false;
  }

  private async find<Value>(room: Room, key: Key): Promise<Value | undefined> {
    return ((await this.overflow.get(room, key)) ?? (await this.shelf.get(room, key))) as Value | undefined;
  }

  private async ofLink<Value extends { readonly link: Uuid; readonly id: string }>(room: Room, link: Uuid): Promise<readonly Value[]> {
    const found = new Map<string, Value>();
    for (const shelf of [this.shelf, this.overflow]) {
      for (const value of (await shelf.all(room)) as Value[]) if (value.link === link) found.set(value.id, value);
    }
    return [...found.values()];
  }

  /**
   * Refuses a charter that does not extend every version that this device has seen, and remembers the new ones.
   *
   * A relay cannot forge a charter alone, but it can show an old one, from before a mediator left, or another branch that
   * somebody signed for it who once held a key. It is remembered by the fingerprint of the root that it leads to, so that
   * an address with another root cannot put that root's charters in the place of true ones.
   */
  async expectCharter(root: string, charter: VerifiedCharter): Promise<void> {
    const { case: id, terms } = charter;
    const seen = new Map<number, Digest>();
    for (let version = 1; ; version += 1) {
      const hash = await this.shelf.get('charters', [root, id, version]);
      if (hash === undefined) break;
      seen.set(version, hash as Digest);
    }
    checkSeen(charter, seen);
    try {
      for (const { version, statementHash } of terms) {
        if (!seen.has(version)) await this.shelf.put('charters', [root, id, version], statementHash);
      }
    } catch (error) {
      // Where there is no room to remember it, this once is as good as the first time was.
      if (!isStorageFull(error)) throw error;
    }
  }

  keepKeyring(keyring: KnownKeyring): Promise<void> {
    return this.shelf.put('keyrings', keyring.id, keyring);
  }

  async keyrings(): Promise<readonly KnownKeyring[]> {
    return (await this.shelf.all('keyrings')) as KnownKeyring[];
  }

  forgetKeyring(id: string): Promise<void> {
    return this.shelf.delete('keyrings', id);
  }

  /** Removes all that was kept for a link. */
  async forgetLink(link: Uuid): Promise<void> {
    for (const video of await this.videos(link)) await this.discardVideo(link, video.id);
    for (const draft of await this.drafts(link)) await this.discardDraft(link, draft.id);
    for (const take of await this.takes(link)) await this.discardTake(link, take.id);
    await this.shelf.delete('links', link);
  }
}

async function deviceKey(database: IDBPDatabase<Kept>): Promise<CryptoKey> {
  const made = await newKey();
  // Two pages may come here at once: the one that is written first counts.
  const transaction = database.transaction('keys', 'readwrite');
  const kept = await transaction.store.get(DEVICE_KEY);
  if (kept === undefined) await transaction.store.put(made, DEVICE_KEY);
  await transaction.done;
  return kept ?? made;
}

function newKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/** The rooms hold what `Device` puts there and nothing else, so its types are those of the values. */
function lasting(database: IDBPDatabase<Kept>): Shelf {
  const plain = database as unknown as IDBPDatabase;
  return {
    lasting: true,
    get: (room, key) => plain.get(room, key as IDBValidKey),
    has: async (room, key) => (await plain.getKey(room, key as IDBValidKey)) !== undefined,
    put: async (room, key, value) => {
      await plain.put(room, value, key as IDBValidKey);
    },
    delete: (room, key) => plain.delete(room, key as IDBValidKey),
    all: (room) => plain.getAll(room),
    clear: (room, first) => plain.delete(room, IDBKeyRange.bound([first], [first, []])),
  };
}

function fleeting(): Shelf {
  const rooms = new Map<string, unknown>();
  const name = (room: Room, key: Key) => JSON.stringify([room, ...(typeof key === 'string' ? [key] : key)]);
  const forEach = (room: Room, act: (name: string, value: unknown) => void) => {
    for (const [each, value] of rooms) if (each.startsWith(`["${room}",`)) act(each, value);
  };
  return {
    lasting: false,
    get: (room, key) => Promise.resolve(rooms.get(name(room, key))),
    has: (room, key) => Promise.resolve(rooms.has(name(room, key))),
    put: (room, key, value) => Promise.resolve(void rooms.set(name(room, key), value)),
    delete: (room, key) => Promise.resolve(void rooms.delete(name(room, key))),
    all: (room) => {
      const found: unknown[] = [];
      forEach(room, (_, value) => found.push(value));
      return Promise.resolve(found);
    },
    clear: (room, first) => {
      forEach(room, (each) => {
        if ((JSON.parse(each) as unknown[])[1] === first) rooms.delete(each);
      });
      return Promise.resolve();
    },
  };
}

/**
 * What relay stores on a device, all of it sealed: link secrets under a key that scripts cannot export, drafts,
 * recordings, unfinished videos and a mediator's keyrings; unsealed are only the hashes of charters this device has seen.
 *
 * Where nothing may be stored (a kiosk) or can be (no IndexedDB), it is in memory and lost with the page.
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

export interface StoredDraft {
  /** The owner: somebody's link, or a mediator's credential. */
  readonly link: Uuid;
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** An upload in progress. Its secrets are sealed; where its ciphertext is stored is no secret. */
export interface StoredVideo {
  readonly link: Uuid;
  readonly id: string;
  /** Its sealed record: recipient, key and file. */
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly startedAt: Time;
  readonly totalBytes: number;
  /** Bytes that relay has acknowledged. */
  readonly sentBytes: number;
  /** SHA-256 (base64url) of each segment that was sealed, in order. */
  readonly digests: readonly string[];
  /** Whether every sealed segment that relay has not acknowledged is stored here. */
  readonly kept: boolean;
  /** `/v1/uploads/…`, once relay has begun one. */
  readonly upload: string | null;
}

/** A recording, stored while it is being made. What is known about it is sealed. */
export interface StoredTake {
  readonly link: Uuid;
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

interface Kept extends DBSchema {
  keys: { key: string; value: CryptoKey };
  links: { key: Uuid; value: Uint8Array<ArrayBuffer> };
  drafts: { key: [Uuid, string]; value: StoredDraft };
  videos: { key: [Uuid, string]; value: StoredVideo };
  segments: { key: [string, number]; value: ArrayBuffer };
  takes: { key: [Uuid, string]; value: StoredTake };
  pieces: { key: [string, number]; value: Uint8Array<ArrayBuffer> };
  charters: { key: [string, Uuid, number]; value: Digest };
  keyrings: { key: string; value: KnownKeyring };
}

const STORES = ['keys', 'links', 'drafts', 'videos', 'segments', 'takes', 'pieces', 'charters', 'keyrings'] as const;

type StoreName = Exclude<(typeof STORES)[number], 'keys'>;
type Key = string | readonly (string | number)[];

/** Where the data is: IndexedDB, or memory. */
interface Backend {
  readonly lasting: boolean;
  get(store: StoreName, key: Key): Promise<unknown>;
  has(store: StoreName, key: Key): Promise<boolean>;
  put(store: StoreName, key: Key, value: unknown): Promise<void>;
  delete(store: StoreName, key: Key): Promise<void>;
  all(store: StoreName): Promise<readonly unknown[]>;
  /** Removes all values whose key starts with `first`. */
  clear(store: StoreName, first: string): Promise<void>;
}

export class Device {
  private constructor(
    private readonly backend: Backend,
    private readonly key: CryptoKey,
  ) {}

  /** Persistent storage, or memory if the device has none. */
  static async open(name = DATABASE): Promise<Device> {
    try {
      const database = await openDB<Kept>(name, VERSION, {
        upgrade: (fresh) => {
          for (const store of STORES) fresh.createObjectStore(store);
        },
      });
      return new Device(lasting(database), await deviceKey(database));
    } catch {
      return Device.inMemory();
    }
  }

  /** In memory, lost with the page. */
  static async inMemory(): Promise<Device> {
    return new Device(inMemory(), await newKey());
  }

  /** Whether stored data survives closing the page. */
  get lasting(): boolean {
    return this.backend.lasting;
  }

  /** Seals a small value with the device's key, which cannot be exported. */
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

  async storeLink(link: Uuid, fragment: string): Promise<void> {
    await this.backend.put('links', link, await this.wrap(new TextEncoder().encode(fragment)));
  }

  /** The fragment of a link's address stored here; null if there is none, or its key is gone. */
  async link(link: Uuid): Promise<string | null> {
    const kept = await this.backend.get('links', link);
    if (kept === undefined) return null;
    try {
      return new TextDecoder().decode(await this.unwrap(kept as Uint8Array<ArrayBuffer>));
    } catch {
      return null;
    }
  }

  storeDraft(draft: StoredDraft): Promise<void> {
    return this.backend.put('drafts', [draft.link, draft.id], draft);
  }

  async draft(link: Uuid, id: string): Promise<StoredDraft | null> {
    return ((await this.backend.get('drafts', [link, id])) as StoredDraft | undefined) ?? null;
  }

  async drafts(link: Uuid): Promise<readonly StoredDraft[]> {
    return ((await this.backend.all('drafts')) as StoredDraft[]).filter((draft) => draft.link === link);
  }

  discardDraft(link: Uuid, id: string): Promise<void> {
    return this.backend.delete('drafts', [link, id]);
  }

  /** Whether it survives closing the page. If there is no space, the outdated earlier value is removed as well. */
  async storeVideo(video: StoredVideo): Promise<boolean> {
    const key = [video.link, video.id];
    if (await this.putOrHold('videos', key, video)) return this.lasting;
    await this.backend.delete('videos', key);
    return false;
  }

  async video(link: Uuid, id: string): Promise<StoredVideo | null> {
    return (await this.find<StoredVideo>('videos', [link, id])) ?? null;
  }

  videos(link: Uuid): Promise<readonly StoredVideo[]> {
    return this.ofLink<StoredVideo>('videos', link);
  }

  async discardVideo(link: Uuid, id: string): Promise<void> {
    for (const backend of [this.backend, this.overflow]) await backend.delete('videos', [link, id]);
    await this.backend.clear('segments', id);
  }

  /** Stores one sealed segment; false if the device has no space, or stores nothing at all. */
  async storeSegment(video: string, number: number, segment: ArrayBuffer): Promise<boolean> {
    if (!this.lasting) return false;
    try {
      await this.backend.put('segments', [video, number], segment);
      return true;
    } catch (error) {
      if (isStorageFull(error)) return false;
      throw error;
    }
  }

  async segment(video: string, number: number): Promise<ArrayBuffer | null> {
    return ((await this.backend.get('segments', [video, number])) as ArrayBuffer | undefined) ?? null;
  }

  async hasSegment(video: string, number: number): Promise<boolean> {
    return this.backend.has('segments', [video, number]);
  }

  discardSegment(video: string, number: number): Promise<void> {
    return this.backend.delete('segments', [video, number]);
  }

  // Recordings.

  /** Stores the next sealed piece of a recording, with the updated record. */
  async storePiece(take: StoredTake, number: number, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.putOrHold('pieces', [take.id, number], piece);
    // The record on the device never lists more than is stored there: what survives is a valid beginning.
    const isHeld = await this.overflow.has('pieces', [take.id, number]);
    await this.putOrHold('takes', [take.link, take.id], take, isHeld);
  }

  async piece(take: string, number: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return (await this.find<Uint8Array<ArrayBuffer>>('pieces', [take, number])) ?? null;
  }

  async take(link: Uuid, id: string): Promise<StoredTake | null> {
    return (await this.find<StoredTake>('takes', [link, id])) ?? null;
  }

  /** Whether all of a recording survives closing the page. */
  async isTakeLasting(link: Uuid, id: string): Promise<boolean> {
    return this.lasting && !(await this.overflow.has('takes', [link, id]));
  }

  takes(link: Uuid): Promise<readonly StoredTake[]> {
    return this.ofLink<StoredTake>('takes', link);
  }

  async discardTake(link: Uuid, id: string): Promise<void> {
    for (const backend of [this.backend, this.overflow]) {
      await backend.delete('takes', [link, id]);
      await backend.clear('pieces', id);
    }
  }

  // What does not fit on the device is in memory until it is discarded or the page is closed.

  private readonly overflow = inMemory();

  /** False if it went to memory; later values go there too, even if there is space again: what is on the device is older. */
  private async putOrHold(store: StoreName, key: Key, value: unknown, isHeld = false): Promise<boolean> {
    if (!isHeld && !(await this.overflow.has(store, key))) {
      try {
        await this.backend.put(store, key, value);
        return true;
      } catch (error) {
        if (!isStorageFull(error)) throw error;
      }
    }
    await this.overflow.put(store, key, value);
    return false;
  }

  private async find<Value>(store: StoreName, key: Key): Promise<Value | undefined> {
    return ((await this.overflow.get(store, key)) ?? (await this.backend.get(store, key))) as Value | undefined;
  }

  private async ofLink<Value extends { readonly link: Uuid; readonly id: string }>(store: StoreName, link: Uuid): Promise<readonly Value[]> {
    const found = new Map<string, Value>();
    for (const backend of [this.backend, this.overflow]) {
      for (const value of (await backend.all(store)) as Value[]) if (value.link === link) found.set(value.id, value);
    }
    return [...found.values()];
  }

  /**
   * Refuses a charter that does not extend every version that this device has seen, and remembers the new ones.
   *
   * A relay cannot forge a charter alone, but it can return an old one, from before a mediator left, or a fork signed
   * by a former key holder. Charters are remembered by the fingerprint of their root, so that an address
   * with another root cannot replace genuine charters.
   */
  async expectCharter(root: string, charter: VerifiedCharter): Promise<void> {
    const { case: id, terms } = charter;
    const seen = new Map<number, Digest>();
    for (let version = 1; ; version += 1) {
      const hash = await this.backend.get('charters', [root, id, version]);
      if (hash === undefined) break;
      seen.set(version, hash as Digest);
    }
    checkSeen(charter, seen);
    try {
      for (const { version, statementHash } of terms) {
        if (!seen.has(version)) await this.backend.put('charters', [root, id, version], statementHash);
      }
    } catch (error) {
      // Without space to remember it, this visit is as safe as the first one was.
      if (!isStorageFull(error)) throw error;
    }
  }

  /** Whether this device has seen a charter of the case: then it is open, whatever relay says. */
  async hasSeenCharter(root: string, id: Uuid): Promise<boolean> {
    return (await this.backend.get('charters', [root, id, 1])) !== undefined;
  }

  storeKeyring(keyring: KnownKeyring): Promise<void> {
    return this.backend.put('keyrings', keyring.id, keyring);
  }

  async keyrings(): Promise<readonly KnownKeyring[]> {
    return (await this.backend.all('keyrings')) as KnownKeyring[];
  }

  forgetKeyring(id: string): Promise<void> {
    return this.backend.delete('keyrings', id);
  }

  /** Removes everything stored for a link. */
  async forgetLink(link: Uuid): Promise<void> {
    for (const video of await this.videos(link)) await this.discardVideo(link, video.id);
    for (const draft of await this.drafts(link)) await this.discardDraft(link, draft.id);
    for (const take of await this.takes(link)) await this.discardTake(link, take.id);
    await this.backend.delete('links', link);
  }
}

async function deviceKey(database: IDBPDatabase<Kept>): Promise<CryptoKey> {
  const made = await newKey();
  // Two pages may do this at once: the key written first wins.
  const transaction = database.transaction('keys', 'readwrite');
  const kept = await transaction.store.get(DEVICE_KEY);
  if (kept === undefined) await transaction.store.put(made, DEVICE_KEY);
  await transaction.done;
  return kept ?? made;
}

function newKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/** Only `Device` writes to these stores, so the values have its types. */
function lasting(database: IDBPDatabase<Kept>): Backend {
  const plain = database as unknown as IDBPDatabase;
  return {
    lasting: true,
    get: (store, key) => plain.get(store, key as IDBValidKey),
    has: async (store, key) => (await plain.getKey(store, key as IDBValidKey)) !== undefined,
    put: async (store, key, value) => {
      await plain.put(store, value, key as IDBValidKey);
    },
    delete: (store, key) => plain.delete(store, key as IDBValidKey),
    all: (store) => plain.getAll(store),
    clear: (store, first) => plain.delete(store, IDBKeyRange.bound([first], [first, []])),
  };
}

function inMemory(): Backend {
  const values = new Map<string, unknown>();
  const name = (store: StoreName, key: Key) => JSON.stringify([store, ...(typeof key === 'string' ? [key] : key)]);
  const forEach = (store: StoreName, act: (name: string, value: unknown) => void) => {
    for (const [each, value] of values) if (each.startsWith(`["${store}",`)) act(each, value);
  };
  return {
    lasting: false,
    get: (store, key) => Promise.resolve(values.get(name(store, key))),
    has: (store, key) => Promise.resolve(values.has(name(store, key))),
    put: (store, key, value) => Promise.resolve(void values.set(name(store, key), value)),
    delete: (store, key) => Promise.resolve(void values.delete(name(store, key))),
    all: (store) => {
      const found: unknown[] = [];
      forEach(store, (_, value) => found.push(value));
      return Promise.resolve(found);
    },
    clear: (store, first) => {
      forEach(store, (each) => {
        if ((JSON.parse(each) as unknown[])[1] === first) values.delete(each);
      });
      return Promise.resolve();
    },
  };
}

/** Stored recordings: sealed piece by piece, and read back intact, whatever happens to the page or the device. */

import 'fake-indexeddb/auto';

import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { NewTake } from '../../src/client/contract';
import { Device } from '../../src/client/device';
import type { Admitted } from '../../src/client/entrance';
import type { OwnSeal } from '../../src/client/ownseal';
import { Takes } from '../../src/client/takes';
import { openFile, sealFile, X25519Identity } from '../../src/crypto/age';
import { sodiumReady } from '../../src/crypto/sodium';
import fc from '../chance';

const LINK = '7b0f1a52-0b0e-4c35-9d1c-1f5d8e3a0f11';

let seal: OwnSeal;
let anothersSeal: OwnSeal;

beforeAll(async () => {
  await sodiumReady();
  [seal, anothersSeal] = [newSeal(), newSeal()];
});

function newSeal(): OwnSeal {
  const identity = X25519Identity.generate();
  return { seal: (plain) => sealFile(plain, [identity.recipient]), open: (sealed) => openFile(sealed, [identity]) };
}

/** A participant on this device: everything that storing a recording needs. */
function takesOn(device: Device, ownSeal = seal, link = LINK): Takes {
  return new Takes({ device, link, ownSeal } as Admitted);
}

function newTake(startedAt = '2030-01-01T10:00:00Z'): NewTake {
  return { id: crypto.randomUUID(), mediaType: 'video/webm', startedAt, revises: null };
}

function piece(size: number): ArrayBuffer {
  return crypto.getRandomValues(new Uint8Array(size)).buffer;
}

async function storeAll(takes: Takes, take: NewTake, pieces: readonly ArrayBuffer[]): Promise<boolean[]> {
  const kept: boolean[] = [];
  for (const [number, each] of pieces.entries()) kept.push(await takes.keep(take, each, 2 * (number + 1)));
  return kept;
}

async function joined(pieces: readonly ArrayBuffer[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob([...pieces]).arrayBuffer());
}

/** A device whose disk is full from the `after`-th piece on. */
async function fullAfter(after: number): Promise<Device> {
  const device = await Device.open(crypto.randomUUID());
  const { backend } = device as unknown as { readonly backend: { put: (store: string, key: unknown, value: unknown) => Promise<void> } };
  const put = backend.put.bind(backend);
  let pieces = 0;
  vi.spyOn(backend, 'put').mockImplementation((store, key, value) => {
    if (store === 'pieces') pieces += 1;
    return pieces > after ? Promise.reject(new DOMException('no room', 'QuotaExceededError')) : put(store, key, value);
  });
  return device;
}

describe.each([
  ['a device', () => Device.open(crypto.randomUUID()), true],
  ['a device that keeps nothing', () => Device.inMemory(), false],
  ['a device that is full from the third piece on', () => fullAfter(2), false],
  ['a device that is full', () => fullAfter(0), false],
] as const)('%s', (_, open, lasting) => {
  it('gives a recording back as it came, whole and in any range', async () => {
    const takes = takesOn(await open());
    const pieces = [600, 1, 1024, 345].map(piece);
    const take = newTake();
    expect((await storeAll(takes, take, pieces)).at(-1)).toBe(lasting);
    const all = await joined(pieces);
    expect(await takes.all()).toEqual([{ ...take, seconds: 8, bytes: all.length, lasting }]);
    expect(new Uint8Array(await (await takes.blob(take.id)).arrayBuffer())).toEqual(all);
    const source = await takes.source(take.id);
    expect([source?.size, source?.lasting]).toEqual([all.length, lasting]);
    const place = fc.nat(all.length);
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(await source?.read(from, to + 10)).toEqual(all.slice(from, to + 10));
      }),
      { numRuns: 30 },
    );
  });

  it('lists the latest first, forgets what is discarded, and all of a link with it', async () => {
    const device = await open();
    const takes = takesOn(device);
    const [older, newer] = [newTake('2030-01-01T10:00:00Z'), newTake('2030-01-02T10:00:00Z')];
    await storeAll(takes, older, [piece(10), piece(10), piece(10)]);
    await storeAll(takes, newer, [piece(10)]);
    expect((await takes.all()).map(({ id }) => id)).toEqual([newer.id, older.id]);
    await takes.discard(newer.id);
    expect((await takes.all()).map(({ id }) => id)).toEqual([older.id]);
    expect(await device.piece(newer.id, 0)).toBeNull();
    expect(await takes.source(newer.id)).toBeNull();
    await device.forgetLink(LINK);
    expect(await takes.all()).toEqual([]);
    for (const number of [0, 1, 2]) expect(await device.piece(older.id, number)).toBeNull();
  });

  it('is opened by nobody else, and by nobody through another link', async () => {
    const device = await open();
    const take = newTake();
    await storeAll(takesOn(device), take, [piece(10)]);
    const another = takesOn(device, anothersSeal);
    expect(await another.all()).toEqual([]);
    expect(await another.source(take.id)).toBeNull();
    expect(await takesOn(device, seal, crypto.randomUUID()).all()).toEqual([]);
  });

  it('takes nothing more of a recording that was discarded meanwhile, and nothing of one that another page made', async () => {
    const device = await open();
    const [here, elsewhere] = [takesOn(device), takesOn(device)];
    const take = newTake();
    await here.keep(take, piece(10), 2);
    await elsewhere.discard(take.id);
    await expect(here.keep(take, piece(10), 4)).rejects.toThrow();
    expect(await elsewhere.all()).toEqual([]);
    const other = newTake();
    await here.keep(other, piece(10), 2);
    await expect(elsewhere.keep(other, piece(10), 2)).rejects.toThrow();
  });
});

it('a page that is gone leaves what found store, up to there', async () => {
  const device = await fullAfter(2);
  const take = newTake();
  const pieces = [300, 200, 100, 50].map(piece);
  expect(await storeAll(takesOn(device), take, pieces)).toEqual([true, true, false, false]);
  vi.restoreAllMocks();
  (device as unknown as { overflow: unknown }).overflow = (await Device.inMemory() as unknown as { backend: unknown }).backend;
  const [kept] = await takesOn(device).all();
  expect(kept).toMatchObject({ id: take.id, seconds: 4, bytes: 500, lasting: true });
  expect(new Uint8Array(await (await takesOn(device).blob(take.id)).arrayBuffer())).toEqual(await joined(pieces.slice(0, 2)));
});

it('what is known of a video on its way is held where there is no store, and what lay there before is gone', async () => {
  const device = await Device.open(crypto.randomUUID());
  const video = { link: LINK, id: 'one', sealed: new Uint8Array(1), startedAt: '', totalBytes: 10, sentBytes: 0, digests: [], kept: true, upload: null };
  expect(await device.storeVideo(video)).toBe(true);
  const { backend } = device as unknown as { readonly backend: { put: () => Promise<void>; get: (store: string, key: unknown) => Promise<unknown> } };
  const full = vi.spyOn(backend, 'put').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'));
  expect(await device.storeVideo({ ...video, digests: ['sealed'] })).toBe(false);
  // Otherwise another file could be sealed with the same key after the page is gone.
  expect(await backend.get('videos', [LINK, 'one'])).toBeUndefined();
  expect((await device.video(LINK, 'one'))?.digests).toEqual(['sealed']);
  full.mockRestore();
  expect(await device.storeVideo({ ...video, sentBytes: 5 })).toBe(false);
  expect((await device.videos(LINK)).map(({ sentBytes }) => sentBytes)).toEqual([5]);
  await device.discardVideo(LINK, 'one');
  expect(await device.videos(LINK)).toEqual([]);
});

it('pieces that come at the same time are kept in the order in which they came', async () => {
  const takes = takesOn(await Device.open(crypto.randomUUID()));
  const take = newTake();
  const pieces = Array.from({ length: 12 }, (_, number) => piece(1000 + number));
  await Promise.all(pieces.map((each, number) => takes.keep(take, each, number)));
  expect(new Uint8Array(await (await takes.blob(take.id)).arrayBuffer())).toEqual(await joined(pieces));
});

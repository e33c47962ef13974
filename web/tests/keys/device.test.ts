/** A device remembers every charter that it has seen, whatever a relay returns later. */

import 'fake-indexeddb/auto';

import { beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../../src/client/device';
import { CryptoError } from '../../src/crypto/errors';
import { sodiumReady } from '../../src/crypto/sodium';
import type { VerifiedCharter } from '../../src/crypto/chain';
import { World } from '../crypto/fixtures';

const ROOT = 'AAAAAAAAAAAAAAAAAAAAAA';
const ANOTHER_ROOT = 'AQAAAAAAAAAAAAAAAAAAAA';

let one: VerifiedCharter;
let two: VerifiedCharter;
let three: VerifiedCharter;
let fork: VerifiedCharter;
let longerFork: VerifiedCharter;
let elsewhere: VerifiedCharter;

beforeAll(async () => {
  await sodiumReady();
  const world = new World();
  const { anna } = world;
  const first = world.charter(anna);
  const second = world.next(first, anna);
  const other = world.next(first, anna, { media: [] });
  [one, two, three] = [
    world.verified(first),
    world.verified(first, second),
    world.verified(first, second, world.next(second, anna, { version: 3 })),
  ];
  [fork, longerFork] = [world.verified(first, other), world.verified(first, other, world.next(other, anna, { version: 3, media: [] }))];
  const foreign = new World();
  elsewhere = foreign.verified(foreign.charter(foreign.anna));
});

async function isTaken(device: Device, charter: VerifiedCharter, root = ROOT): Promise<boolean> {
  try {
    await device.expectCharter(root, charter);
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

describe.each([
  ['a device', () => Device.open(crypto.randomUUID())],
  ['a device that keeps nothing', () => Device.inMemory()],
])('%s', (_, open) => {
  it('takes whatever extends what it has seen', async () => {
    const device = await open();
    for (const charter of [one, one, three, three]) expect(await isTaken(device, charter)).toBe(true);
  });

  it('takes none that is older, or of another branch, however long that is', async () => {
    const device = await open();
    expect(await isTaken(device, two)).toBe(true);
    for (const charter of [one, fork, longerFork]) expect(await isTaken(device, charter)).toBe(false);
    expect(await isTaken(device, three)).toBe(true);
    expect(await isTaken(device, two)).toBe(false);
  });

  it('takes no other first charter of a case that it knows', async () => {
    const device = await open();
    expect(await isTaken(device, one)).toBe(true);
    expect(elsewhere.case).toBe(one.case);
    expect(await isTaken(device, elsewhere)).toBe(false);
  });

  it('remembers charters by the root that they lead to: what another root signed stands in the way of none', async () => {
    const device = await open();
    expect(await isTaken(device, longerFork, ANOTHER_ROOT)).toBe(true);
    for (const charter of [one, three]) expect(await isTaken(device, charter)).toBe(true);
    expect(await isTaken(device, two, ANOTHER_ROOT)).toBe(false);
  });

  it('remembers the longest that it saw, in whatever order two pages come', async () => {
    const device = await open();
    await Promise.all([three, one, two].map((charter) => device.expectCharter(ROOT, charter)));
    expect([await isTaken(device, two), await isTaken(device, three)]).toEqual([false, true]);
  });
});

it('what one page has seen another one knows', async () => {
  const name = crypto.randomUUID();
  await (await Device.open(name)).expectCharter(ROOT, two);
  expect(await isTaken(await Device.open(name), one)).toBe(false);
});

/** What the service worker is made of, and what a device keeps a link under. */

import 'fake-indexeddb/auto';

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { openDB } from 'idb';
import { describe, expect, it } from 'vitest';

import { Device } from '../src/client/device';

const SOURCES = join(import.meta.dirname, '../src');

/** Every file that this one loads, itself or through others; what is only a type is not loaded. */
function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, , next = ''] of readFileSync(join(SOURCES, file), 'utf8').matchAll(/^import (?!type )([^;]*? from )?'(\.[^']+)';/gm)) {
    loadedBy(join(dirname(file), `${next}.ts`), found);
  }
  return found;
}

describe('the service worker', () => {
  it('loads nothing that holds a key, opens a body or speaks to relay', () => {
    const loaded = [...loadedBy('playback/sw.ts')];
    expect(loaded).toContain('playback/answering.ts');
    expect(loaded.filter((file) => /^(client|crypto)\//.test(file))).toEqual([]);
  });

  it('would be found out', () => {
    expect([...loadedBy('client/worker.ts')].some((file) => file.startsWith('crypto/'))).toBe(true);
  });
});

describe('a device', () => {
  it('keeps a link under a key that no script can read out', async () => {
    const name = crypto.randomUUID();
    const fragment = 'c2VjcmV0'.repeat(8);
    const device = await Device.open(name);
    await device.storeLink('00000000-0000-4000-8000-000000000000', fragment);
    const database = await openDB(name);
    const [key] = (await database.getAll('keys')) as CryptoKey[];
    if (key === undefined) throw new Error('the device has no key');
    expect(key.extractable).toBe(false);
    for (const format of ['raw', 'jwk'] as const) await expect(crypto.subtle.exportKey(format, key)).rejects.toThrow();
    const [kept] = (await database.getAll('links')) as Uint8Array[];
    expect(Buffer.from(kept ?? []).includes(fragment)).toBe(false);
    expect(await device.link('00000000-0000-4000-8000-000000000000')).toBe(fragment);
  });
});

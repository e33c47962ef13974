/** What runs as WebAssembly: libsodium, from one buffer that holds nothing else, so that whoever hashes it knows the module. */

import { expect, it, vi } from 'vitest';

it('is instantiated once, from a buffer of its own size', async () => {
  const given = vi.spyOn(WebAssembly, 'instantiate');
  const { sodiumReady } = await import('../../src/crypto/sodium');
  await sodiumReady();
  expect(given.mock.calls.length).toBe(1);
  const bytes = given.mock.calls[0]?.[0] as unknown as Uint8Array;
  expect([...bytes.subarray(0, 4)]).toEqual([0x00, 0x61, 0x73, 0x6d]);
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
});

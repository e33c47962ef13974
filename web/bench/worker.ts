/** Seals the same file with relay and with age-encryption, piece by piece, and says how many seconds it took. */

import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { newFileKey, Sealer } from '../src/crypto/age';
import { sodiumReady } from '../src/crypto/sodium';
import type { Asked, Maker } from './protocol';

const PIECE_BYTES = 1024 * 1024;

const sealing: Record<Maker, (plain: Blob) => Promise<number>> = {
  async relay(plain) {
    await sodiumReady();
    const sealer = new Sealer(newFileKey());
    let sealed = 0;
    for (let at = 0; at < plain.size; at += PIECE_BYTES) {
      const piece = await plain.slice(at, at + PIECE_BYTES).arrayBuffer();
      sealed += sealer.update(new Uint8Array(piece)).length;
    }
    return sealed + sealer.finish().length;
  },

  async 'age-encryption'(plain) {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()));
    let sealed = 0;
    const reader = (await encrypter.encrypt(plain.stream())).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) sealed += read.value.length;
    return sealed;
  },
};

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  const began = performance.now();
  void sealing[data.maker](data.plain).then((sealed) => {
    if (sealed < data.plain.size) throw new Error('not all of it was sealed');
    postMessage((performance.now() - began) / 1000);
  });
});

/** Seals the same bytes in memory with relay and with age-encryption, piece by piece, and measures the seconds. */

import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { newFileKey, Sealer } from '../src/crypto/age';
import { sodiumReady } from '../src/crypto/sodium';
import type { Asked, Maker } from './protocol';

const PIECE_BYTES = 1024 * 1024;
const LARGEST_RANDOM_BYTES = 65_536;

const piece = new Uint8Array(PIECE_BYTES);
for (let at = 0; at < piece.length; at += LARGEST_RANDOM_BYTES) {
  crypto.getRandomValues(piece.subarray(at, at + LARGEST_RANDOM_BYTES));
}

const sealing: Record<Maker, (pieces: number) => Promise<number>> = {
  async relay(pieces) {
    await sodiumReady();
    const sealer = new Sealer(newFileKey());
    let sealed = 0;
    for (let made = 0; made < pieces; made++) sealed += sealer.update(piece).length;
    return sealed + sealer.finish().length;
  },

  async 'age-encryption'(pieces) {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()));
    let made = 0;
    const plain = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (made++ < pieces) controller.enqueue(piece);
        else controller.close();
      },
    });
    let sealed = 0;
    const reader = (await encrypter.encrypt(plain)).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) sealed += read.value.length;
    return sealed;
  },
};

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  const began = performance.now();
  void sealing[data.maker](data.bytes / PIECE_BYTES).then((sealed) => {
    if (sealed < data.bytes) throw new Error('not all of it was sealed');
    postMessage((performance.now() - began) / 1000);
  });
});

/** Lets a benchmark outside say what is to be sealed: `seal(maker, bytes)` in this page gives the seconds it took. */

import type { Asked, Maker } from './protocol';

declare global {
  var seal: (maker: Maker, bytes: number) => Promise<number>;
}

const QUARTERS = 4;
const LARGEST_RANDOM_BYTES = 65_536;

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
let plain: Blob | null = null;

globalThis.seal = (maker, bytes) => {
  if (plain?.size !== bytes) plain = randomBlob(bytes);
  const asked: Asked = { maker, plain };
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
    worker.postMessage(asked);
  });
};

/** A quarter is made and repeated: random bytes take longer to make than to seal. */
function randomBlob(bytes: number): Blob {
  const quarter = new Uint8Array(bytes / QUARTERS);
  for (let at = 0; at < quarter.length; at += LARGEST_RANDOM_BYTES) {
    crypto.getRandomValues(quarter.subarray(at, at + LARGEST_RANDOM_BYTES));
  }
  return new Blob(Array.from({ length: QUARTERS }, () => quarter));
}

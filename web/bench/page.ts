/** Lets the benchmark choose what to seal: `seal(maker, bytes)` resolves with the seconds it took. */

import type { Asked, Maker } from './protocol';

declare global {
  var seal: (maker: Maker, bytes: number) => Promise<number>;
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

globalThis.seal = (maker, bytes) => {
  const asked: Asked = { maker, bytes };
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
    worker.postMessage(asked);
  });
};

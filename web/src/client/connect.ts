/** The page's side of the worker that holds the keys: makes it, once, and speaks to it. */

import type { Remote } from 'comlink';
import { wrap } from 'comlink';

import type { Client } from './contract';
import { allowOwnScripts } from './scripts';

export { isRefusal } from './contract';

let connected: Promise<Remote<Client>> | null = null;

/** The one client of this page; rejects where its worker could not be fetched, and the next call tries again. */
export function connectClient(): Promise<Remote<Client>> {
  connected ??= connect().catch((error: unknown) => {
    connected = null;
    throw error;
  });
  return connected;
}

async function connect(): Promise<Remote<Client>> {
  allowOwnScripts();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  // Whatever is asked of a worker that was never fetched is never answered, so it says first that it is there.
  await new Promise((here, missing) => {
    worker.addEventListener('message', here, { once: true });
    worker.addEventListener('error', () => missing(new Error('the worker could not be fetched')), { once: true });
  });
  return wrap<Client>(worker);
}

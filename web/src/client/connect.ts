/** Creates the worker that holds the keys, once, and talks to it. */

import type { Remote } from 'comlink';
import { wrap } from 'comlink';

import type { Client } from './contract';
import { allowOwnScripts } from './scripts';

export { isRefusal } from './contract';

let connected: Promise<Remote<Client>> | null = null;

/** The client of this page; rejects if its worker could not be loaded, and the next call retries. */
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
  // Requests to a worker that failed to load would never be answered, so the worker announces itself first.
  await new Promise((here, missing) => {
    worker.addEventListener('message', here, { once: true });
    worker.addEventListener('error', () => missing(new Error('the worker could not be fetched')), { once: true });
  });
  return wrap<Client>(worker);
}

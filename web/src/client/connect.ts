/** The page's side of the worker that holds the keys: makes it, once, and speaks to it. */

import type { Remote } from 'comlink';
import { wrap } from 'comlink';

import type { Client } from './contract';
import { allowOwnScripts } from './scripts';

export { isRefusal } from './contract';

let connected: Remote<Client> | null = null;

/** The one client of this page. */
export function connectClient(): Remote<Client> {
  allowOwnScripts();
  connected ??= wrap<Client>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
  return connected;
}

/** The service worker: answers for the players of relay's own pages, and for nothing else. */

import { Players } from './answering';
import { PLAYBACK_PATH, type PlayerGone, type PortGiven, type PortWanted } from './protocol';

/** The parts of a service worker's global used here; TypeScript's libraries for pages and workers cannot be combined. */
interface Scope {
  readonly clients: {
    claim(): Promise<void>;
    get(id: string): Promise<Client | undefined>;
    matchAll(options: { readonly type: 'window' }): Promise<readonly Client[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(name: 'install' | 'activate', listen: (event: Lasting) => void): void;
  addEventListener(name: 'message', listen: (event: MessageEvent<PortGiven | PlayerGone | null>) => void): void;
  addEventListener(name: 'fetch', listen: (event: Fetch) => void): void;
}

interface Client {
  postMessage(message: PortWanted): void;
}

interface Lasting {
  waitUntil(until: Promise<unknown>): void;
}

interface Fetch {
  readonly request: Request;
  readonly clientId: string;
  respondWith(answer: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;
const players = new Players();

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener('message', ({ data, ports: [port] }) => {
  if (data?.relay === 'port-given' && port !== undefined) players.add(data.player, port, data.sizeBytes, data.mediaType);
  if (data?.relay === 'player-gone') players.remove(data.player);
});

scope.addEventListener('fetch', (event) => {
  const { request, clientId } = event;
  const { pathname, origin } = new URL(request.url);
  if (origin !== location.origin || !pathname.startsWith(PLAYBACK_PATH)) return;
  const player = pathname.slice(PLAYBACK_PATH.length);
  event.respondWith(players.answer(player, request, () => askFor(player, clientId)));
});

/** Asks the page that wants the video, or every page if the browser does not say which; whether there was one. */
async function askFor(player: string, clientId: string): Promise<boolean> {
  const asking = clientId === '' ? undefined : await scope.clients.get(clientId);
  const asked = asking === undefined ? await scope.clients.matchAll({ type: 'window' }) : [asking];
  for (const client of asked) client.postMessage({ relay: 'port-wanted', player });
  return asked.length > 0;
}

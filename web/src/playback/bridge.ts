/**
 * Gives a media element a source to play from: the service worker's address, which asks the key worker range by range, or,
 * if there is none, the whole video, opened in memory.
 */

import { transfer } from 'comlink';
import type { Playback, VideoFacts } from '../client/contract';
import { allowOwnScripts } from '../client/scripts';
import { PLAYBACK_PATH, type PlayerGone, type PortGiven, type PortWanted } from './protocol';

/** A browser that takes longer to start a service worker plays from memory. */
const CONTROL_WAIT_MS = 4_000;

export interface Source {
  readonly url: string;
  /** False if the whole video was fetched first. */
  readonly streamed: boolean;
  release(): void;
}

/** By ranges; null if no service worker can answer. */
export async function streamed(client: Playback, video: VideoFacts): Promise<Source | null> {
  const worker = await controller();
  if (worker === null) return null;
  const player = crypto.randomUUID();
  // Without a port the request is never answered: the element reports an error.
  const give = async (to: ServiceWorker): Promise<void> => {
    const { port1, port2 } = new MessageChannel();
    await client.serve(video.part, transfer(port1, [port1]));
    const given: PortGiven = { relay: 'port-given', player, sizeBytes: video.sizeBytes, mediaType: video.mediaType };
    to.postMessage(given, [port2]);
  };
  const again = ({ data, source }: MessageEvent<PortWanted | null>): void => {
    const asking = (source as ServiceWorker | null) ?? navigator.serviceWorker.controller;
    if (data?.relay === 'port-wanted' && data.player === player && asking !== null) give(asking).catch(() => undefined);
  };
  navigator.serviceWorker.addEventListener('message', again);
  navigator.serviceWorker.startMessages();
  await give(worker);
  return {
    url: `${PLAYBACK_PATH}${player}`,
    streamed: true,
    release: () => {
      navigator.serviceWorker.removeEventListener('message', again);
      const gone: PlayerGone = { relay: 'player-gone', player };
      navigator.serviceWorker.controller?.postMessage(gone);
    },
  };
}

/** The whole video, verified to its end. */
export async function whole(client: Playback, video: VideoFacts): Promise<Source> {
  const url = URL.createObjectURL(await client.blob(video.part));
  return { url, streamed: false, release: () => URL.revokeObjectURL(url) };
}

/** The service worker that controls this page, once there is one. */
async function controller(): Promise<ServiceWorker | null> {
  if (!('serviceWorker' in navigator)) return null;
  const container = navigator.serviceWorker;
  allowOwnScripts();
  try {
    await container.register('/sw.js', { scope: '/' });
  } catch {
    return null; // private windows of some browsers have none
  }
  if (container.controller !== null) return container.controller;
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(null), CONTROL_WAIT_MS);
    container.addEventListener(
      'controllerchange',
      () => {
        clearTimeout(late);
        resolve(container.controller);
      },
      { once: true },
    );
  });
}

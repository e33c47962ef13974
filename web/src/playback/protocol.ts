/**
 * What a player's port carries between the service worker, which answers the browser's Range requests, and the worker
 * that holds the keys, which fetches and opens. The service worker never sees a key: it is given plain ranges.
 */

/** From the service worker to the key worker: bytes `from` to `to` (exclusive) of the plain video, please. */
export interface RangeWanted {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** Back: the bytes (transferred), or null where they cannot be had. */
export interface RangeGiven {
  readonly id: number;
  readonly bytes: ArrayBuffer | null;
}

/** From the service worker to the pages it serves, after it was restarted: who has this video? */
export interface PortWanted {
  readonly relay: 'port-wanted';
  readonly player: string;
}

/** From a page to the service worker, with the port: this player exists. */
export interface PortGiven {
  readonly relay: 'port-given';
  readonly player: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
}

/** From a page: this player is gone. */
export interface PlayerGone {
  readonly relay: 'player-gone';
  readonly player: string;
}

/** Where the service worker answers for a player; the identifier is random and says nothing. */
export const PLAYBACK_PATH = '/playback/';

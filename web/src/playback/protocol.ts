/**
 * Messages over a player's port between the service worker, which answers the browser's Range requests, and the worker
 * that holds the keys, which fetches and opens. The service worker never sees a key: it receives decrypted ranges.
 */

/** From the service worker to the key worker: requests bytes `from` to `to` (exclusive) of the decrypted video. */
export interface RangeWanted {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** The response: the bytes (transferred), or null if they are unavailable. */
export interface RangeGiven {
  readonly id: number;
  readonly bytes: ArrayBuffer | null;
}

/** From a restarted service worker to its pages: who has this video? */
export interface PortWanted {
  readonly relay: 'port-wanted';
  readonly player: string;
}

/** From a page to the service worker, with the port: announces this player. */
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

/** A player's address in the service worker; the identifier is random. */
export const PLAYBACK_PATH = '/playback/';

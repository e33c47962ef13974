/** Times and identifiers as statements spell them. */

import type { Time, Uuid } from './contract';

const SECOND_MS = 1000;
/** A timer may go off a little early. */
const MARGIN_MS = 10;
const VERSION_BYTE = 6;
const VARIANT_BYTE = 8;
/** Where the dashes of an identifier stand, in hexadecimal digits. */
const GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** Now, or `later` ms from now, in UTC and whole seconds. */
export function now(later = 0): Time {
  return `${new Date(Date.now() + later).toISOString().slice(0, 19)}Z`;
}

/** Waits until statements have a later time. */
export function untilNextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SECOND_MS + MARGIN_MS - (Date.now() % SECOND_MS)));
}

/** Times that come one after the other: what is said again within a second would be the same statement, which counts once. */
export class Moments {
  private last: Time = '';

  /** Now, as soon as that is later than the time before. */
  async next(): Promise<Time> {
    while (now() === this.last) await untilNextSecond();
    this.last = now();
    return this.last;
  }
}

/** A random identifier (RFC 9562, version 4), in browsers that cannot make one themselves too. */
export function newId(): Uuid {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const digits = Array.from(bytes, (byte, place) => {
    if (place === VERSION_BYTE) return (byte & 0x0f) | 0x40;
    return place === VARIANT_BYTE ? (byte & 0x3f) | 0x80 : byte;
  }).map((byte) => byte.toString(16).padStart(2, '0'));
  return digits.join('').replace(GROUPS, '$1-$2-$3-$4-$5');
}

/** Times and identifiers in the form that statements use. */

import type { Time, Uuid } from './contract';

const VERSION_BYTE = 6;
const VARIANT_BYTE = 8;
/** Positions of the hyphens in an identifier, in hexadecimal digits. */
const GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** Now, or `later` ms from now, in UTC and whole seconds. */
export function now(later = 0): Time {
  return `${new Date(Date.now() + later).toISOString().slice(0, 19)}Z`;
}

/** A random identifier (RFC 9562, version 4), also in browsers without `crypto.randomUUID`. */
export function newId(): Uuid {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const digits = Array.from(bytes, (byte, place) => {
    if (place === VERSION_BYTE) return (byte & 0x0f) | 0x40;
    return place === VARIANT_BYTE ? (byte & 0x3f) | 0x80 : byte;
  }).map((byte) => byte.toString(16).padStart(2, '0'));
  return digits.join('').replace(GROUPS, '$1-$2-$3-$4-$5');
}

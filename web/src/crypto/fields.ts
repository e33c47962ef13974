/** The values in statements, each with one encoding only, and the description of a sealed part. */

import { isUuid } from './encoding';
import { CryptoError } from './errors';
import { segmentCount } from './segments';
import { openedSize } from './stream';
import type { Digest, Time } from './values';

export type Language = 'en' | 'fr';
export type PartRole = 'body' | 'original' | 'rendition' | 'poster' | 'captions' | 'note';

/** One sealed body, described by its author. */
export interface Part {
  readonly role: PartRole;
  /** Media type of the plaintext. */
  readonly type: string;
  /** Bytes of the sealed body. */
  readonly size: number;
  /** SHA-256 of each 8 MiB of the sealed body. */
  readonly segments: readonly Digest[];
  /** What `commit` makes of the file key. */
  readonly commit: Digest;
}

/** Reads a value out of parsed JSON, or refuses it. */
export type Form<T> = (value: unknown) => T;

export const uuid = text(isUuid);
export const digest = matching(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 43);
/** 16 random bytes. */
export const nonce = matching(/^[A-Za-z0-9_-]{21}[AQgw]$/, 22);
export const publicKey = digest;
export const recipient = matching(/^age1pq1[02-9ac-hj-np-z]{1952}$/, 1959);
export const reasonCode = matching(/^[a-z][a-z0-9-]*$/, 64);
export const mediaType = matching(/^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/, 127);
export const audience = matching(/^https?:\/\/[!-~]+$/, 2048);
export const time = text(isTime);
export const ordinal = whole(1, 2 ** 31 - 1);
export const pixels = whole(0, 65535);
/** Up to the largest integer that every program reads back exactly. */
export const size = whole(0, Number.MAX_SAFE_INTEGER);
export const language = oneOf('en', 'fr');

export const part: Form<Part> = record<Part>(
  {
    role: oneOf('body', 'original', 'rendition', 'poster', 'captions', 'note'),
    type: mediaType,
    size,
    segments: list(digest),
    commit: digest,
  },
  (given) => openedSize(given.size) >= 0 && given.segments.length === segmentCount(given.size),
);

/** An object with exactly these members; the result has them in this order, whatever their order in the JSON. */
export function record<T extends object>(members: { readonly [Name in keyof T]-?: Form<T[Name]> }, rule?: (given: T) => boolean): Form<T> {
  const names = Object.keys(members) as (keyof T & string)[];
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
    const given = value as Readonly<Record<string, unknown>>;
    const own = new Set(Object.keys(given));
    if (own.size !== names.length || !names.every((name) => own.has(name))) throw malformed();
    const read: Partial<T> = {};
    for (const name of names) read[name] = members[name](given[name]);
    const whole = read as T;
    if (rule !== undefined && !rule(whole)) throw malformed();
    return whole;
  };
}

export function list<T>(form: Form<T>): Form<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw malformed();
    return value.map((member: unknown) => form(member));
  };
}

export function orNull<T>(form: Form<T>): Form<T | null> {
  return (value) => (value === null ? null : form(value));
}

export function oneOf<T extends string | number>(...choices: readonly T[]): Form<T> {
  return (value) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw malformed();
    return choice;
  };
}

export function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw malformed();
  return value;
}

/** The current time as statements spell it. */
export function timeOf(date: Date): Time {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function text(fits: (value: string) => boolean): Form<string> {
  return (value) => {
    if (typeof value !== 'string' || !fits(value)) throw malformed();
    return value;
  };
}

function matching(pattern: RegExp, longest: number): Form<string> {
  return text((value) => value.length <= longest && pattern.test(value));
}

function whole(least: number, most: number): Form<number> {
  return (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) throw malformed();
    return value;
  };
}

function isTime(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) || value < '0001') return false;
  const milliseconds = Date.parse(value);
  return !Number.isNaN(milliseconds) && timeOf(new Date(milliseconds)) === value;
}

function malformed(): CryptoError {
  return new CryptoError('statement', 'a member that is missing, unknown or not of its form');
}

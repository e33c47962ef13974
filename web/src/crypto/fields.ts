/** The values in statements, each with one encoding only, and the description of a sealed part. */

import { isUuid } from './encoding';
import { CryptoError } from './errors';
import { segmentCount } from './segments';
import { openedSize } from './stream';
import type { Digest, PublicKey, ReasonCode, RecipientText, Time, Uuid } from './values';

/** Reads a value out of parsed JSON, or refuses it. */
export type Form<T> = (value: unknown) => T;
/** The members of a record, in order. */
export type Forms = Readonly<Record<string, Form<unknown>>>;
/** The type of a record with these members. */
export type Values<Members extends Forms> = { readonly [Name in keyof Members]: ReturnType<Members[Name]> };

export const uuid: Form<Uuid> = text(isUuid);
export const digest: Form<Digest> = matching(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 43);
/** 16 random bytes. */
export const nonce = matching(/^[A-Za-z0-9_-]{21}[AQgw]$/, 22);
export const publicKey: Form<PublicKey> = digest;
export const recipient: Form<RecipientText> = matching(/^age1pq1[02-9ac-hj-np-z]{1952}$/, 1959);
export const reasonCode: Form<ReasonCode> = matching(/^[a-z][a-z0-9-]*$/, 64);
export const mediaType = matching(/^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/, 127);
export const audience = matching(/^https?:\/\/[!-~]+$/, 2048);
export const time: Form<Time> = text(isTime);
export const ordinal = whole(1, 2 ** 31 - 1);
export const pixels = whole(0, 65535);
/** Up to the largest integer that every program reads back exactly. */
export const size = whole(0, Number.MAX_SAFE_INTEGER);
export const language = oneOf('en', 'fr');
export type Language = ReturnType<typeof language>;

const partRole = oneOf('body', 'original', 'rendition', 'poster', 'captions', 'note');
export type PartRole = ReturnType<typeof partRole>;

/** One sealed body, described by its author. */
export const part = record(
  {
    role: partRole,
    /** Media type of the plaintext. */
    type: mediaType,
    /** Bytes of the sealed body. */
    size,
    /** SHA-256 of each 8 MiB of the sealed body. */
    segments: list(digest),
    /** What `commit` makes of the file key. */
    commit: digest,
  },
  (given) => openedSize(given.size) >= 0 && given.segments.length === segmentCount(given.size),
);
export type Part = ReturnType<typeof part>;

/** An object with exactly these members; the result has them in this order, whatever their order in the JSON. */
export function record<Members extends Forms>(members: Members, rule?: (given: Values<Members>) => boolean): Form<Values<Members>> {
  const forms = Object.entries(members);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
    const given = value as Readonly<Record<string, unknown>>;
    const own = new Set(Object.keys(given));
    if (own.size !== forms.length || !forms.every(([name]) => own.has(name))) throw malformed();
    const whole = Object.fromEntries(forms.map(([name, read]) => [name, read(given[name])])) as Values<Members>;
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

/** What the programme says of itself, as relay serves it: read strictly, and taken as a whole or not at all. */

import type { components } from '../client/schema';
import type { Language } from '../i18n/catalogue';

export type Profile = components['schemas']['Profile'];
export type Telephone = components['schemas']['Telephone'];
export type Colours = components['schemas']['Colours'];
export type LogoImage = components['schemas']['LogoImage'];

/** A profile in one language. */
export interface Programme {
  readonly name: string;
  readonly reviewTime: string;
  readonly telephone: Telephone | null;
  readonly email: string | null;
  readonly address: string | null;
  readonly hours: string | null;
  readonly crisisLines: readonly CrisisLine[];
  readonly logo: LogoImage | null;
  readonly colours: Colours | null;
}

export interface CrisisLine {
  readonly name: string;
  readonly telephone: Telephone;
  readonly note: string;
  readonly hours: string;
}

export function inLanguage(profile: Profile, language: Language): Programme {
  const { contact } = profile;
  return {
    name: profile.name[language],
    reviewTime: profile.review_time[language],
    telephone: contact.telephone,
    email: contact.email,
    address: contact.address?.[language] ?? null,
    hours: contact.hours?.[language] ?? null,
    crisisLines: profile.crisis_lines.map((line) => ({
      name: line.name[language],
      telephone: line.telephone,
      note: line.note?.[language] ?? '',
      hours: line.hours?.[language] ?? '',
    })),
    logo: profile.logo,
    colours: profile.colours,
  };
}

type Check = (value: unknown) => boolean;

const matching = (pattern: RegExp): Check => (value) => typeof value === 'string' && pattern.test(value);
const orNull = (check: Check): Check => (value) => value === null || check(value);
const having = (members: Readonly<Record<string, Check>>): Check => (value) =>
  typeof value === 'object' && value !== null && Object.entries(members).every(([name, check]) => check((value as Record<string, unknown>)[name]));

// Something to read, and nothing that is not seen or changes how the text around it is read.
const text = matching(/^(?=.*\S)[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,200}$/u);
const lines = matching(/^(?=[^]*\S)(?:\n|[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]){1,200}$/u);
const colour = matching(/^#[0-9a-f]{6}$/);
const pixels: Check = (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= 2048;

const wording = having({ en: text, fr: text });
const digits = having({ shown: text, dial: matching(/^\+?[0-9]{3,15}$/) });
/** What is dialled is what is shown. */
const telephone: Check = (value) => digits(value) && (value as Telephone).shown.replace(/[^+0-9]/g, '') === (value as Telephone).dial;
const crisisLine = having({ name: wording, telephone, note: orNull(wording), hours: orNull(wording) });
const scheme = having({ accent: colour, accent_ink: colour, accent_wash: colour, focus: colour });
const profile = having({
  name: wording,
  review_time: wording,
  contact: having({
    telephone: orNull(telephone),
    email: orNull(matching(/^[\w+.-]{1,64}@[A-Za-z0-9.-]{1,99}$/)),
    address: orNull(having({ en: lines, fr: lines })),
    hours: orNull(wording),
  }),
  crisis_lines: (value) => Array.isArray(value) && value.length > 0 && value.length <= 8 && value.every(crisisLine),
  logo: orNull(having({ path: matching(/^\/v1\/profile\/logo\/[0-9a-f]{32}\.(?:svg|png)$/), width: pixels, height: pixels })),
  colours: orNull(having({ light: scheme, dark: scheme })),
});

/** The profile in a response; null if any of it is not what a profile has. */
export function readProfile(value: unknown): Profile | null {
  return profile(value) ? (value as Profile) : null;
}

/** What the programme says of itself, as relay serves it: read strictly, and taken as a whole or not at all. */

import type { components } from '../client/schema';
import type { Language } from '../i18n/catalogue';

export type Profile = components['schemas']['Profile'];
export type Telephone = components['schemas']['Telephone'];
export type Colours = components['schemas']['Colours'];
export type LogoImage = components['schemas']['LogoImage'];
type Wording = components['schemas']['Wording'];

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

const MOST_CHARACTERS = 200;
const MOST_LINES = 8;
const MOST_PIXELS = 2048;
/** What is not seen, or changes how the text around it is read. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
const DIAL = /^\+?[0-9]{3,15}$/;
const EMAIL = /^[\w+-]+(?:\.[\w+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/;
const LOGO = /^\/v1\/profile\/logo\/[0-9a-f]{32}\.(?:svg|png)$/;
const COLOUR = /^#[0-9a-f]{6}$/;

class Unreadable extends Error {}

/** The profile in a response; null if any of it is not what a profile has. */
export function readProfile(value: unknown): Profile | null {
  try {
    const found = members(value);
    const contact = members(found['contact']);
    const { crisis_lines: lines } = found;
    if (!Array.isArray(lines) || lines.length === 0 || lines.length > MOST_LINES) throw new Unreadable();
    return {
      name: wording(found['name']),
      review_time: wording(found['review_time']),
      contact: {
        telephone: orNull(contact['telephone'], telephone),
        email: orNull(contact['email'], (given) => matching(given, EMAIL)),
        address: orNull(contact['address'], (given) => wording(given, true)),
        hours: orNull(contact['hours'], wording),
      },
      crisis_lines: lines.map((given: unknown) => {
        const line = members(given);
        return {
          name: wording(line['name']),
          telephone: telephone(line['telephone']),
          note: orNull(line['note'], wording),
          hours: orNull(line['hours'], wording),
        };
      }),
      logo: orNull(found['logo'], logo),
      colours: orNull(found['colours'], colours),
    };
  } catch (thrown) {
    if (thrown instanceof Unreadable) return null;
    throw thrown;
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable();
  return value as Record<string, unknown>;
}

function orNull<Value>(given: unknown, read: (given: unknown) => Value): Value | null {
  return given === null ? null : read(given);
}

function text(value: unknown, lines = false): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MOST_CHARACTERS) throw new Unreadable();
  if (UNSEEN.test(lines ? value.replaceAll('\n', '') : value)) throw new Unreadable();
  return value;
}

function matching(value: unknown, pattern: RegExp): string {
  const found = text(value);
  if (!pattern.test(found)) throw new Unreadable();
  return found;
}

function wording(value: unknown, lines = false): Wording {
  const { en, fr } = members(value);
  return { en: text(en, lines), fr: text(fr, lines) };
}

/** What is dialled is what is shown. */
function telephone(value: unknown): Telephone {
  const { shown, dial } = members(value);
  const found = { shown: text(shown), dial: matching(dial, DIAL) };
  if (found.shown.replace(/[^+0-9]/g, '') !== found.dial) throw new Unreadable();
  return found;
}

function pixels(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MOST_PIXELS) throw new Unreadable();
  return value;
}

function logo(value: unknown): LogoImage {
  const { path, width, height } = members(value);
  return { path: matching(path, LOGO), width: pixels(width), height: pixels(height) };
}

function colours(value: unknown): Colours {
  const { light, dark } = members(value);
  const scheme = (given: unknown): Colours['light'] => {
    const { accent, accent_ink: ink, accent_wash: wash, focus } = members(given);
    return { accent: matching(accent, COLOUR), accent_ink: matching(ink, COLOUR), accent_wash: matching(wash, COLOUR), focus: matching(focus, COLOUR) };
  };
  return { light: scheme(light), dark: scheme(dark) };
}

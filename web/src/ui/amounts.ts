/** Sizes, speeds and times in plain language, in both languages; and the beginning of a text. */

import type { Language } from '../i18n/catalogue';

/** About one line. */
const LINE_LETTERS = 80;
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export function size(bytes: number, language: Language): string {
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  const digits = step < 2 || value >= 100 ? 0 : 1;
  return new Intl.NumberFormat(`${language}-CA`, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

/** A number with its unit of time, rounded so that it does not flicker. */
export function duration(seconds: number, language: Language): string {
  const unit = seconds < 90 ? 'second' : seconds < 5400 ? 'minute' : 'hour';
  const each = { second: 1, minute: 60, hour: 3600 }[unit];
  const value = unit === 'second' ? Math.max(5, Math.ceil(seconds / 5) * 5) : Math.round(seconds / each);
  return new Intl.NumberFormat(`${language}-CA`, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

export function day(time: string | Date, language: Language): string {
  return formatted(time, language, { dateStyle: 'long' });
}

export function moment(time: string | Date, language: Language): string {
  return formatted(time, language, { dateStyle: 'long', timeStyle: 'short' });
}

export function timeOfDay(time: string | Date, language: Language): string {
  return formatted(time, language, { timeStyle: 'short' });
}

/** The time of day, with the date if that is not today. */
export function timeOf(time: string | Date, language: Language): string {
  const isToday = new Date(time).toDateString() === new Date().toDateString();
  return isToday ? timeOfDay(time, language) : moment(time, language);
}

/** A date in words; its time of day stays on one line. */
function formatted(time: string | Date, language: Language, style: Intl.DateTimeFormatOptions): string {
  let isTime = false;
  const parts = new Intl.DateTimeFormat(`${language}-CA`, style).formatToParts(new Date(time)).map(({ type, value }) => {
    isTime ||= type === 'hour';
    return isTime ? value.replace(/\s/gu, '\u00A0') : value;
  });
  return parts.join('');
}

/** The beginning of a text: whole words, up to one line. */
export function beginning(text: string): string {
  const line = text.trim().replace(/\s+/gu, ' ');
  const letters = Array.from(line);
  if (letters.length <= LINE_LETTERS) return line;
  const cut = letters.slice(0, LINE_LETTERS).join('');
  const space = cut.lastIndexOf(' ');
  return `${space < LINE_LETTERS / 2 ? cut : cut.slice(0, space)}…`;
}

/** Sizes, speeds and times as a person says them, in either language; and as much of a text as tells it from another one. */

import type { Language } from '../words/catalogue';

/** About a line. */
const LINE_LETTERS = 80;
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export function size(bytes: number, language: Language): string {
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  const digits = step < 2 || value >= 100 ? 0 : 1;
  return new Intl.NumberFormat(language === 'fr' ? 'fr-CA' : 'en-CA', {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

/** A number with its unit of time, rounded so that it does not jump about. */
export function duration(seconds: number, language: Language): string {
  const unit = seconds < 90 ? 'second' : seconds < 5400 ? 'minute' : 'hour';
  const each = { second: 1, minute: 60, hour: 3600 }[unit];
  const value = unit === 'second' ? Math.max(5, Math.ceil(seconds / 5) * 5) : Math.round(seconds / each);
  return new Intl.NumberFormat(language === 'fr' ? 'fr-CA' : 'en-CA', { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

export function day(time: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr-CA' : 'en-CA', { dateStyle: 'long' }).format(new Date(time));
}

export function moment(time: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr-CA' : 'en-CA', { dateStyle: 'long', timeStyle: 'short' }).format(new Date(time));
}

/** The time of day, with the day where that is not today. */
export function timeOf(time: string, language: Language): string {
  const at = new Date(time);
  if (at.toDateString() !== new Date().toDateString()) return moment(time, language);
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr-CA' : 'en-CA', { timeStyle: 'short' }).format(at);
}

/** How a text begins: whole words, as far as a line goes. */
export function beginning(text: string): string {
  const line = text.trim().replace(/\s+/gu, ' ');
  const letters = Array.from(line);
  if (letters.length <= LINE_LETTERS) return line;
  const cut = letters.slice(0, LINE_LETTERS).join('');
  const space = cut.lastIndexOf(' ');
  return `${space < LINE_LETTERS / 2 ? cut : cut.slice(0, space)}…`;
}

/** Durations in plain language: how long something has been waiting, how long a lease lasts. */

export interface Age {
  readonly count: number;
  readonly unit: 'minutes' | 'hours' | 'days';
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago; never negative, since two clocks may differ. */
export function ageOf(since: string, now: number): Age {
  const passed = Math.max(0, now - Date.parse(since));
  if (passed < HOUR) return { count: Math.floor(passed / MINUTE), unit: 'minutes' };
  if (passed < 2 * DAY) return { count: Math.floor(passed / HOUR), unit: 'hours' };
  return { count: Math.floor(passed / DAY), unit: 'days' };
}

/** `14:59` remaining, `0:00` once it is over. */
export function countdown(until: string, now: number): string {
  const left = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000));
  return `${String(Math.floor(left / 60))}:${String(left % 60).padStart(2, '0')}`;
}

/** The problem page for a refusal. */

import type { Refusal } from '../client/contract';
import type { Arriving } from './i18n';

export type Problem = keyof Omit<Arriving['problem'], 'again'>;

export function problemOf(refusal: Refusal): Problem {
  switch (refusal.refusal) {
    case 'untrusted':
    case 'no-such-link':
    case 'offline':
    case 'busy':
      return refusal.refusal;
    default:
      return 'unexpected';
  }
}

/** Sentences for coded reasons, for mediators. */

import type { Reasons } from '../i18n/reasons';

/** The sentence of a code for the decision it was given with; an unknown code, from a newer relay, is shown as it is. */
export function reasonText(reasons: Reasons, decision: string, code: string): string {
  const known: Readonly<Record<string, Readonly<Record<string, string>>>> = reasons;
  return known[decision]?.[code] ?? code;
}

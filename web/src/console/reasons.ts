/** Coded reasons in words, as mediators read them. */

import type { Reasons } from '../i18n/reasons';

/** The sentence of a code under the decision it was given for; a code that only a newer relay knows is shown as it is. */
export function reasonText(reasons: Reasons, decision: string, code: string): string {
  const known: Readonly<Record<string, Readonly<Record<string, string>>>> = reasons;
  return known[decision]?.[code] ?? code;
}

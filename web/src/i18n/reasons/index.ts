/** The sentences for coded reasons, in the language that is shown. */

import type { Catalogue, Language } from '../catalogue';
import type { en } from './en';

export type Reasons = Catalogue<typeof en>;

export function loadReasons(language: Language): Promise<Reasons> {
  return language === 'fr' ? import('./fr').then((module) => module.fr) : import('./en').then((module) => module.en);
}

/** What the author of a message reads; null for a code that only a newer relay knows. */
export function reasonForAuthor(reasons: Reasons, code: string): string | null {
  const known: Readonly<Record<string, string>> = { ...reasons.decline, ...reasons.return };
  return known[code] ?? null;
}

/** What the first page says, in the one language that is shown, with what the programme says of itself. */

import type { Catalogue, Language } from '../../../i18n/catalogue';
import { inLanguage, type Programme } from '../../../profile/profile';
import { profiles } from '../../../profile/profiles';
import type { en } from './en';

export interface Arriving extends Catalogue<typeof en> {
  /** Null until it could be fetched: the page then says nothing in its place. */
  readonly programme: Programme | null;
}

export async function loadArriving(language: Language): Promise<Arriving> {
  const [texts, profile] = await Promise.all([
    language === 'fr' ? import('./fr').then((module) => module.fr) : import('./en').then((module) => module.en),
    profiles.first(),
  ]);
  return { ...texts, programme: profile === null ? null : inLanguage(profile, language) };
}

/** The catalogue of this room in one language; only what is shown is fetched. */

import type { Catalogue, Language } from '../../words/catalogue';
import type { en } from './en';

export type Words = Catalogue<typeof en>;

export function loadWords(language: Language): Promise<Words> {
  return language === 'fr' ? import('./fr').then((room) => room.fr) : import('./en').then((room) => room.en);
}

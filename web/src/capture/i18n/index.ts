/** The catalogue of these pages in one language; only what is shown is fetched. */

import type { Catalogue, Language } from '../../i18n/catalogue';
import type { en } from './en';

export type Texts = Catalogue<typeof en>;

export function loadTexts(language: Language): Promise<Texts> {
  return language === 'fr' ? import('./fr').then((module) => module.fr) : import('./en').then((module) => module.en);
}

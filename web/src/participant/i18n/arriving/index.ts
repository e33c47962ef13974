/** What the first page says, in the one language that is shown. */

import type { Catalogue, Language } from '../../../i18n/catalogue';
import type { en } from './en';

export type Arriving = Catalogue<typeof en>;

export function loadArriving(language: Language): Promise<Arriving> {
  return language === 'fr' ? import('./fr').then((module) => module.fr) : import('./en').then((module) => module.en);
}

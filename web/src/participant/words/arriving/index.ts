/** What the first page says, in the one language that is shown. */

import type { Catalogue, Language } from '../../../words/catalogue';
import type { en } from './en';

export type Arriving = Catalogue<typeof en>;

export function loadArriving(language: Language): Promise<Arriving> {
  return language === 'fr' ? import('./fr').then((room) => room.fr) : import('./en').then((room) => room.en);
}

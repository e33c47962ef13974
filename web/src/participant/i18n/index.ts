/** The participant's catalogues behind the first page: fetched once somebody comes in, one language at a time. */

import type { Catalogue, Language } from '../../i18n/catalogue';
import { loadReasons, type Reasons } from '../../i18n/reasons';
import type { en as home } from './home/en';
import type { en as opening } from './opening/en';
import type { en as sending } from './sending/en';

export type Home = Catalogue<typeof home>;
export type Sending = Catalogue<typeof sending>;
export type Opening = Catalogue<typeof opening>;

export { loadArriving, type Arriving } from './arriving';
export { loadLinkTexts, type LinkTexts } from './link';

/** Everything that is read once the keys are open. */
export interface Inside {
  readonly home: Home;
  readonly sending: Sending;
  readonly opening: Opening;
  readonly reasons: Reasons;
}

export async function loadInside(language: Language): Promise<Inside> {
  const french = language === 'fr';
  const [home, sending, opening, reasons] = await Promise.all([
    french ? import('./home/fr').then((module) => module.fr) : import('./home/en').then((module) => module.en),
    french ? import('./sending/fr').then((module) => module.fr) : import('./sending/en').then((module) => module.en),
    french ? import('./opening/fr').then((module) => module.fr) : import('./opening/en').then((module) => module.en),
    loadReasons(language),
  ]);
  return { home, sending, opening, reasons };
}

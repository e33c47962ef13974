/** The participant's catalogues behind the first page: fetched once somebody comes in, one language at a time. */

import type { Catalogue, Language } from '../../words/catalogue';
import { loadReasons, type Reasons } from '../../words/reasons';
import type { en as home } from './home/en';
import type { en as opening } from './opening/en';
import type { en as sending } from './sending/en';

export type Home = Catalogue<typeof home>;
export type Sending = Catalogue<typeof sending>;
export type Opening = Catalogue<typeof opening>;

export { loadArriving, type Arriving } from './arriving';
export { loadLinkWords, type LinkWords } from './link';

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
    french ? import('./home/fr').then((room) => room.fr) : import('./home/en').then((room) => room.en),
    french ? import('./sending/fr').then((room) => room.fr) : import('./sending/en').then((room) => room.en),
    french ? import('./opening/fr').then((room) => room.fr) : import('./opening/en').then((room) => room.en),
    loadReasons(language),
  ]);
  return { home, sending, opening, reasons };
}

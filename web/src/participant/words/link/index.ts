/** What is said of a link itself: how to hand it over where nothing may stay, and what to do where it cannot be used. */

import type { Catalogue, Language } from '../../../words/catalogue';
import type { en } from './en';

export type LinkWords = Catalogue<typeof en>;

export function loadLinkWords(language: Language): Promise<LinkWords> {
  return language === 'fr' ? import('./fr').then((room) => room.fr) : import('./en').then((room) => room.en);
}

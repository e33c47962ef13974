/** What is said of a link itself: how to hand it over where nothing may stay, and what to do where it cannot be used. */

import type { Catalogue, Language } from '../../../i18n/catalogue';
import type { en } from './en';

export type LinkTexts = Catalogue<typeof en>;

export function loadLinkTexts(language: Language): Promise<LinkTexts> {
  return language === 'fr' ? import('./fr').then((module) => module.fr) : import('./en').then((module) => module.en);
}

/** Titles of the browser's tab; they tell a passer-by next to nothing. */

import type { Arriving } from './i18n';

export function titled(texts: Arriving, name: keyof Arriving['title']): string {
  return `${texts.title[name]} · ${texts.name}`;
}

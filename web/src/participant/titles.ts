/** What the browser's tab says; nothing that tells a passer-by more than a word. */

import type { Arriving } from './i18n';

export function titled(texts: Arriving, name: keyof Arriving['title']): string {
  return `${texts.title[name]} · ${texts.name}`;
}

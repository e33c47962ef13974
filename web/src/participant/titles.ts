/** What the browser's tab says; nothing that tells a passer-by more than a word. */

import type { Arriving } from './words';

export function titled(words: Arriving, name: keyof Arriving['title']): string {
  return `${words.title[name]} · ${words.name}`;
}

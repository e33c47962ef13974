/** Which language the pages speak: what a person chose on this device, else what their browser asks for. */

import type { Language } from './catalogue';

const KEY = 'relay-language';

export function preferredLanguage(): Language {
  const chosen = remembered();
  if (chosen !== null) return chosen;
  const first = navigator.languages.find((tag) => /^(en|fr)\b/i.test(tag));
  return first?.toLowerCase().startsWith('fr') === true ? 'fr' : 'en';
}

/** Tells browser and screen reader. */
export function speak(language: Language): void {
  document.documentElement.lang = language;
}

/** Keeps what a person chose on this device; never what an address or another page asked for. */
export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Where nothing can be kept, the choice lasts as long as the page.
  }
}

function remembered(): Language | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'en' || kept === 'fr' ? kept : null;
  } catch {
    return null;
  }
}

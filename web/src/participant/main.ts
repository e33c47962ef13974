/**
 * The entry of the participant's pages: chooses the language, loads its first texts, starts the page. The document loads
 * this `async`, so that it need not wait for the style sheet before it requests the texts.
 */

import { preferredLanguage } from '../i18n/language';
import './app';
import { loadArriving } from './i18n/arriving';

const language = preferredLanguage();
const texts = loadArriving(language);

function begin(): void {
  void document.querySelector('relay-participant')?.begin(language, texts);
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin, { once: true });
else begin();

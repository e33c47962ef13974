/**
 * Where the participant's pages begin: a language, its first sentences, and the page. The document loads this `async`, so
 * that it need not wait for the style sheet to find out which sentences to ask for.
 */

import { preferredLanguage } from '../words/language';
import './app';
import { loadArriving } from './words/arriving';

const language = preferredLanguage();
const words = loadArriving(language);

function begin(): void {
  void document.querySelector('relay-participant')?.begin(language, words);
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin, { once: true });
else begin();

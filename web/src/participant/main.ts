/** Where the participant's pages begin: a language, its first sentences, and the page. */

import { preferredLanguage } from '../words/language';
import './app';

void document.querySelector('relay-participant')?.begin(preferredLanguage());

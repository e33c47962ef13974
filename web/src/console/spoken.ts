/** The console's words about one message: a voice message has a transcript where a video has captions. */

import type { Form } from '../client/contract';
import type { Words } from './words';

export function wordsOf(words: Words, form: Form | undefined): Words {
  if (form !== 'voice') return words;
  const { review, captions, choice } = words.voice;
  return {
    ...words,
    review: { ...words.review, ...review },
    captions: { ...words.captions, ...captions },
    choice: { ...words.choice, ...choice },
  };
}

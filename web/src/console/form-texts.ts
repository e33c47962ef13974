/** The console's texts about one message: a voice message has a transcript where a video has captions. */

import type { Form } from '../client/contract';
import type { Texts } from './i18n';

export function textsFor(texts: Texts, form: Form | undefined): Texts {
  if (form !== 'voice') return texts;
  const { review, captions, choice } = texts.voice;
  return {
    ...texts,
    review: { ...texts.review, ...review },
    captions: { ...texts.captions, ...captions },
    choice: { ...texts.choice, ...choice },
  };
}

/** A refusal as a participant reads it. */

import { isRefusal, type Refusal } from '../client/contract';
import type { Arriving } from './words';

export function asRefusal(thrown: unknown): Refusal {
  return isRefusal(thrown) ? thrown : { refusal: 'unexpected' };
}

/** Relay's own sentence where it was relay that said no: it knows why. */
export function refusalText(words: Arriving, refusal: Refusal): string {
  if (refusal.code === 'older-key') return words.olderKey;
  return (refusal.refusal === 'refused' ? refusal.sentence : undefined) ?? words.refusal[refusal.refusal];
}

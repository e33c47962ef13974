/** A refusal as a participant reads it. */

import type { Refusal } from '../client/contract';
import type { Arriving } from './i18n';

/** Relay's own sentence if relay refused: it knows why. */
export function refusalText(texts: Arriving, refusal: Refusal): string {
  if (refusal.code === 'older-key') return texts.olderKey;
  return (refusal.refusal === 'refused' ? refusal.sentence : undefined) ?? texts.refusal[refusal.refusal];
}

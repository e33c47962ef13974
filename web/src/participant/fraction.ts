/** The progress of a video. */

import type { SendingProgress } from '../client/contract';

/** Sealing and sending in one bar. */
export function fractionOf(progress: SendingProgress | null): number {
  if (progress === null || progress.totalBytes === 0) return 0;
  return Math.min(1, (progress.sealedBytes + progress.sentBytes) / (2 * progress.totalBytes));
}

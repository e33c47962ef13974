/** How much of a video's way is done. */

import type { SendingProgress } from '../client/contract';

/** Both halves of the work in one bar. */
export function fractionOf(progress: SendingProgress | null): number {
  if (progress === null || progress.totalBytes === 0) return 0;
  return Math.min(1, (progress.sealedBytes + progress.sentBytes) / (2 * progress.totalBytes));
}

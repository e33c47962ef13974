/** Whether a film stands still for no reason. */

const AHEAD_SECONDS = 0.5;

/**
 * Whether the film should move, has what it needs to, and is where it was at the last look (seconds).
 *
 * WebKitGTK 2.50 may wait for ever after a seek into a heavy film whose every byte is there (webkit.org/b/300041).
 */
export function isStalled(media: HTMLMediaElement, before: number): boolean {
  if (media.paused || media.ended || media.seeking || document.hidden || media.currentTime !== before) return false;
  const { buffered, currentTime } = media;
  return Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)] as const).some(
    ([start, end]) => start <= currentTime && currentTime + AHEAD_SECONDS < end,
  );
}

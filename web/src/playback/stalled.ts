/** Detects a video that stalls for no reason. */

const AHEAD_SECONDS = 0.5;

/**
 * Whether the video should play, has its data, and has not moved since the last check (seconds).
 *
 * WebKitGTK 2.50 may hang after a seek into a large video although every byte is there (webkit.org/b/300041).
 */
export function isStalled(media: HTMLMediaElement, before: number): boolean {
  if (media.paused || media.ended || media.seeking || document.hidden || media.currentTime !== before) return false;
  const { buffered, currentTime } = media;
  return Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)] as const).some(
    ([start, end]) => start <= currentTime && currentTime + AHEAD_SECONDS < end,
  );
}

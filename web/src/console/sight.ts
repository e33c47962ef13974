/**
 * In a frame that is as tall as what is in it, dialogs and messages belong where the mediator looks, and not into the middle
 * or to the end of the frame. The page around tells which part is in sight; until it does, the frame asks the browser.
 */

import type { Embedding } from './embedding';

const ASK_MS = 300;

/** Has the style sheet know which part of the frame is in sight. */
export function followSight(embedding: Embedding): void {
  const root = document.documentElement;
  root.classList.add('framed');
  const place = (top: number, height: number): void => {
    root.style.setProperty('--seen-top', `${String(top)}px`);
    root.style.setProperty('--seen-height', `${String(height)}px`);
  };
  const observer = new IntersectionObserver((entries) => {
    const rect = entries.at(-1)?.intersectionRect;
    if (rect !== undefined && rect.height > 0) place(Math.max(0, rect.top), rect.height);
  });
  const asking = setInterval(() => {
    observer.unobserve(root); // what is observed anew is measured at once
    observer.observe(root);
  }, ASK_MS);
  embedding.watchSight(({ top, height }) => {
    clearInterval(asking);
    observer.disconnect();
    place(top, height);
  });
}

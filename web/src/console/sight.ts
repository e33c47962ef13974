/**
 * In a frame as tall as its content, dialogs and notices belong where the mediator looks, not in the middle or at the
 * end of the frame. The embedding page reports the visible part; until it does, the frame asks the browser.
 */

import type { Embedding } from './embedding';

const ASK_MS = 300;

/** Tells the style sheet which part of the frame is visible. */
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
    observer.unobserve(root); // observing again measures at once
    observer.observe(root);
  }, ASK_MS);
  embedding.watchSight(({ top, height }) => {
    clearInterval(asking);
    observer.disconnect();
    place(top, height);
  });
}

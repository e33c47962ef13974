/**
 * Keeps the focused element visible: a browser does not scroll to what is partly visible, or behind a bar, and not every
 * browser keeps its position when content above it grows.
 */

export function watchFocus(): () => void {
  const root = document.documentElement;
  /** The focused element's position in the document, in pixels from its top; a new layout may change it. */
  let place: { readonly top: number; readonly bottom: number } | null = null;
  let inSight = false;

  const scrolled = (): void => {
    inSight = place !== null && place.bottom > root.scrollTop && place.top < root.scrollTop + root.clientHeight;
  };
  const look = (): void => {
    const { activeElement } = document;
    const box = activeElement === null || activeElement === document.body ? null : activeElement.getBoundingClientRect();
    place = box === null ? null : { top: box.top + root.scrollTop, bottom: box.bottom + root.scrollTop };
    scrolled();
  };
  const focused = ({ target }: FocusEvent): void => {
    bringInSight(target);
    look();
  };
  // Do not scroll somebody back who scrolled away to read.
  const grown = new ResizeObserver(() => {
    if (inSight) bringInSight(document.activeElement);
    look();
  });

  grown.observe(document.body);
  document.addEventListener('focusin', focused);
  document.addEventListener('scroll', scrolled, { passive: true });
  return () => {
    grown.disconnect();
    document.removeEventListener('focusin', focused);
    document.removeEventListener('scroll', scrolled);
  };
}

/** Only for keyboard use and typing: no button moves from under a finger. */
export function bringInSight(target: EventTarget | null): void {
  if (target instanceof HTMLElement && target.matches(':focus-visible')) target.scrollIntoView({ block: 'nearest' });
}

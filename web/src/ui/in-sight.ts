/**
 * Keeps what has the focus in sight: a browser leaves where it is what it shows in part, also behind a bar, and not every
 * browser keeps its place when what is above it grows.
 */

export function watchFocus(): () => void {
  const root = document.documentElement;
  /** Where in the document the focus is, in pixels from its top; laid out anew, that may no longer be so. */
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
  // Who scrolled away from it to read on is left where they are.
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

/** Only for whoever goes by keyboard or types: no button moves from under a finger. */
export function bringInSight(target: EventTarget | null): void {
  if (target instanceof HTMLElement && target.matches(':focus-visible')) target.scrollIntoView({ block: 'nearest' });
}

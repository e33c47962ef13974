/** Keeps what has the focus in sight: a browser leaves where it is what it shows in part, also behind a bar. */

export function watchFocus(): () => void {
  const focused = ({ target }: FocusEvent): void => bringInSight(target);
  document.addEventListener('focusin', focused);
  return () => document.removeEventListener('focusin', focused);
}

/** Only for whoever goes by keyboard or types: no button moves from under a finger. */
export function bringInSight(target: EventTarget | null): void {
  if (target instanceof HTMLElement && target.matches(':focus-visible')) target.scrollIntoView({ block: 'nearest' });
}

/** Quick exit: the page is emptied and replaced by a neutral one, and going back finds it locked. */

const ELSEWHERE = 'https://www.google.com/';
/** Leaving waits no longer than this. */
const LONGEST_MS = 300;
/** Pressing Escape twice within this time leaves; once only closes what is open. */
const TWICE_MS = 900;

/** Empties the page, then calls `forget`, which may take a moment that nobody sees. */
export function leave(forget: () => Promise<void>): void {
  document.title = ELSEWHERE.replace(/^https:\/\/|\/$/g, '');
  document.body.hidden = true;
  const tooLong = new Promise((over) => setTimeout(over, LONGEST_MS));
  void Promise.race([forget(), tooLong]).finally(() => location.replace(ELSEWHERE));
}

/** Leaves on Escape, Escape. Also reloads a page that the browser restores after it was left. */
export function watchForEscape(leaving: () => void): () => void {
  let last = 0;
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.repeat) return;
    if (event.timeStamp - last < TWICE_MS) leaving();
    last = event.timeStamp;
  };
  const shown = (event: PageTransitionEvent): void => {
    if (event.persisted) location.reload();
  };
  window.addEventListener('keydown', pressed, { capture: true });
  window.addEventListener('pageshow', shown);
  return () => {
    window.removeEventListener('keydown', pressed, { capture: true });
    window.removeEventListener('pageshow', shown);
  };
}

/** Detects that nobody has touched the page for a while, with a warning first; also after a laptop was closed and opened. */

const SIGNS = ['pointerdown', 'keydown', 'wheel', 'touchstart', 'input'] as const;
const CHECK_MS = 1_000;

export interface Idle {
  readonly idleMs: number;
  readonly warnMs: number;
  /** True while something runs that must not be interrupted, such as an upload. */
  readonly busy: () => boolean;
  /** Called every second from the warning on; with null once somebody is back. */
  readonly warn: (secondsLeft: number | null) => void;
  readonly idle: () => void;
}

export function watchIdle({ idleMs, warnMs, busy, warn, idle }: Idle): () => void {
  let last = Date.now();
  let warned = false;
  let over = false;
  const check = (): void => {
    if (over) return;
    if (busy()) last = Date.now();
    const left = idleMs - (Date.now() - last);
    if (left <= 0) {
      over = true;
      idle();
    } else if (left <= warnMs) {
      warned = true;
      warn(Math.ceil(left / 1000));
    } else if (warned) {
      warned = false;
      warn(null);
    }
  };
  const touched = (): void => {
    check(); // a touch that comes too late, after the device slept, does not count
    last = Date.now();
    check();
  };
  for (const sign of SIGNS) window.addEventListener(sign, touched, { capture: true, passive: true });
  document.addEventListener('visibilitychange', check);
  const checking = setInterval(check, CHECK_MS);
  return () => {
    over = true;
    for (const sign of SIGNS) window.removeEventListener(sign, touched, { capture: true });
    document.removeEventListener('visibilitychange', check);
    clearInterval(checking);
  };
}

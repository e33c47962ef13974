/** Activity that must not be interrupted, and unsaved data: a page that records or plays does not lock when idle. */

const going = new Set<object>();
let keeping: Promise<unknown> = Promise.resolve();
let fragile = false;

/** Marks the start of something that must not be interrupted; call the result to end it. */
export function begins(): () => void {
  const one = {};
  going.add(one);
  return () => void going.delete(one);
}

/** Runs something that must not be interrupted. */
export async function during<Value>(work: () => Promise<Value>): Promise<Value> {
  const ends = begins();
  try {
    return await work();
  } finally {
    ends();
  }
}

/** Whether something is running or playing. */
export function isActive(): boolean {
  return going.size > 0 || Array.from(document.querySelectorAll<HTMLMediaElement>('video, audio')).some(plays);
}

/** A camera preview (`srcObject`) does not count, nor does media waiting for data. */
function plays(media: HTMLMediaElement): boolean {
  return media.srcObject === null && !media.paused && !media.ended && media.readyState > HTMLMediaElement.HAVE_CURRENT_DATA;
}

/** The last piece of a recording is being stored: lists of recordings wait for it. */
export function keeps(work: Promise<unknown>): void {
  keeping = Promise.allSettled([keeping, work]);
}

export function allStored(): Promise<unknown> {
  return keeping;
}

/** Whether something exists only in this page, and would be lost with it. */
export function isFragile(): boolean {
  return fragile;
}

export function setFragile(is: boolean): void {
  fragile = is;
}

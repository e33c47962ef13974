/** What goes on in a page without a touch, and what would go with it: a page that records or plays is not left alone. */

const going = new Set<object>();
let keeping: Promise<unknown> = Promise.resolve();
let fragile = false;

/** Something begins that must not be cut off; what is returned ends it. */
export function begins(): () => void {
  const one = {};
  going.add(one);
  return () => void going.delete(one);
}

/** Does something that must not be cut off. */
export async function during<Value>(work: () => Promise<Value>): Promise<Value> {
  const ends = begins();
  try {
    return await work();
  } finally {
    ends();
  }
}

/** Whether something is under way, or plays. */
export function isActive(): boolean {
  return going.size > 0 || Array.from(document.querySelectorAll<HTMLMediaElement>('video, audio')).some(plays);
}

/** What a camera shows (`srcObject`) does not play, and what waits for bytes that do not come stands still. */
function plays(media: HTMLMediaElement): boolean {
  return media.srcObject === null && !media.paused && !media.ended && media.readyState > HTMLMediaElement.HAVE_CURRENT_DATA;
}

/** The last of a recording is being kept: whoever lists what is kept waits for it. */
export function keeps(work: Promise<unknown>): void {
  keeping = Promise.allSettled([keeping, work]);
}

export function allKept(): Promise<unknown> {
  return keeping;
}

/** Whether there is something that this page alone has, and that would be lost with it. */
export function isFragile(): boolean {
  return fragile;
}

export function setFragile(is: boolean): void {
  fragile = is;
}

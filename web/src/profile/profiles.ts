/**
 * The profile that this page has: asked for together with the first sentences, and again when somebody comes back to the
 * page. Another one takes the place of the whole; while none could be fetched, the page says nothing in its place.
 */

import { readProfile, type Profile } from './profile';

/** How long the first page waits for it. */
const FIRST_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 30_000] as const;

export class Profiles {
  private found: Profile | null = null;
  private said = '';
  private asking: Promise<void> | null = null;
  private failures = 0;
  private retrying: ReturnType<typeof setTimeout> | undefined;
  private readonly watchers = new Set<() => void>();

  /** `ask` fetches relay's answer as text; it rejects if there is none. */
  constructor(private readonly ask: () => Promise<string>) {}

  get current(): Profile | null {
    return this.found;
  }

  /** The profile for a first page: null if it takes too long or cannot be fetched; then watchers are told once it is there. */
  async first(): Promise<Profile | null> {
    if (this.found === null) await Promise.race([this.refresh(), new Promise((late) => setTimeout(late, FIRST_MS))]);
    return this.found;
  }

  /** Calls back when the profile has become another one. */
  watch(changed: () => void): () => void {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }

  /** Asks whether there is another one; never rejects. A page that has one keeps it if there is no answer. */
  refresh(): Promise<void> {
    clearTimeout(this.retrying);
    this.asking ??= this.fetch().finally(() => (this.asking = null));
    return this.asking;
  }

  private async fetch(): Promise<void> {
    const found = await this.ask().catch(() => null);
    const read = found === null || found === this.said ? null : parse(found);
    if (found !== null && read !== null) {
      this.said = found;
      this.found = read;
      for (const changed of this.watchers) changed();
    }
    if (this.found !== null) return;
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.retrying = setTimeout(() => void this.refresh(), wait);
  }
}

function parse(text: string): Profile | null {
  try {
    return readProfile(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The document preloads exactly this request. */
async function askRelay(): Promise<string> {
  const response = await fetch('/v1/profile');
  if (!response.ok) throw new Error('no profile');
  return response.text();
}

export const profiles = new Profiles(askRelay);

/** Somebody comes back to the page: after another tab, or out of the browser's cache of pages. */
export function refreshOnReturn(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void profiles.refresh();
  });
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) void profiles.refresh();
  });
}

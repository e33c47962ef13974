/** The console's side of the handshake with the page it is embedded in. */

import { HELLO, isRecord, isWelcome, readSettings, readSight, type EmbedSettings, type Sight, type Told } from '../embed/protocol';
import type { Listening } from '../embed/embed';

export interface Embedding {
  readonly settings: EmbedSettings;
  tell(told: Told): void;
  /** Registers a listener for the visible part of the frame. */
  watchSight(seen: (sight: Sight) => void): void;
}

/** What the console needs from the embedding page. */
export interface Parent {
  postMessage(said: unknown, origin: string): void;
}

/** Why the handshake failed; a page says it in a sentence. */
export class NotEmbedded extends Error {
  constructor(readonly why: 'not-allowed' | 'no-answer') {
    super(why);
  }
}

const ANSWER_MS = 15_000;

/** The origins that may embed the console; the list is public. */
export async function allowedOrigins(): Promise<readonly string[]> {
  const answer = await fetch('/v1/embedding', { credentials: 'omit', cache: 'no-store' });
  const said: unknown = answer.ok ? await answer.json() : null;
  const origins = isRecord(said) && Array.isArray(said['origins']) ? (said['origins'] as unknown[]) : [];
  return origins.filter((origin): origin is string => typeof origin === 'string' && isExactOrigin(origin));
}

/**
 * Sends hello to the parent, to each allowed origin only (a browser delivers only to the actual one), and
 * accepts the first welcome from the parent's own window, from an allowed origin, with one port. Anything from
 * elsewhere is ignored; the port carries the settings, once, and then only the visible part.
 */
export function greetParent(
  own: Listening,
  parent: Parent,
  origins: readonly string[],
  patienceMs: number = ANSWER_MS,
): Promise<Embedding> {
  if (origins.length === 0) return Promise.reject(new NotEmbedded('not-allowed'));
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      own.removeEventListener('message', listener);
      reject(new NotEmbedded('no-answer'));
    };
    const patience = setTimeout(fail, patienceMs);
    const listener = (event: MessageEvent): void => {
      const port = event.ports[0];
      if (event.source !== parent || !origins.includes(event.origin) || !isWelcome(event.data)) return;
      if (port === undefined || event.ports.length !== 1) return;
      own.removeEventListener('message', listener);
      port.onmessage = ({ data }: MessageEvent) => {
        clearTimeout(patience);
        const settings = readSettings(data);
        if (settings === null) {
          port.close();
          fail();
          return;
        }
        let last: Sight | null = null;
        let watching: ((sight: Sight) => void) | null = null;
        port.onmessage = ({ data: said }: MessageEvent) => {
          last = readSight(said) ?? last;
          if (last !== null) watching?.(last);
        };
        port.postMessage({ relay: 'ready' } satisfies Told);
        resolve({
          settings,
          tell: (told) => port.postMessage(told),
          watchSight: (seen) => {
            watching = seen;
            if (last !== null) seen(last);
          },
        });
      };
    };
    own.addEventListener('message', listener);
    for (const origin of origins) parent.postMessage(HELLO, origin);
  });
}

function isExactOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

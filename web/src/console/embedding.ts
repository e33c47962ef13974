/** The console's side of the handshake with the page it is embedded in. */

import { HELLO, isRecord, isWelcome, readNames, readSettings, readSight, type EmbedSettings, type NamesMessage, type Sight, type Told } from '../embed/protocol';
import type { Listening } from '../embed/embed';

export interface Embedding {
  readonly settings: EmbedSettings;
  tell(told: Told): void;
  /** Registers a listener for the visible part of the frame. */
  watchSight(seen: (sight: Sight) => void): void;
  /** Registers a listener for the names that the embedding page gives; each time all of them. */
  watchNames(given: (names: NamesMessage) => void): void;
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
 * elsewhere is ignored; the port carries the settings, once, and then only the visible part and names.
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
          port.postMessage({ relay: 'failed', code: 'invalid-settings' } satisfies Told);
          port.close();
          fail();
          return;
        }
        const [sight, names] = [new Latest<Sight>(), new Latest<NamesMessage>()];
        port.onmessage = ({ data: said }: MessageEvent) => {
          sight.take(readSight(said));
          names.take(readNames(said));
        };
        port.postMessage({ relay: 'taken' } satisfies Told);
        resolve({
          settings,
          tell: (told) => port.postMessage(told),
          watchSight: (seen) => { sight.watch(seen); },
          watchNames: (given) => { names.watch(given); },
        });
      };
    };
    own.addEventListener('message', listener);
    for (const origin of origins) parent.postMessage(HELLO, origin);
  });
}

/** The latest valid message of a kind, also for a listener that comes later. */
class Latest<Message> {
  private last: Message | null = null;
  private listener: ((message: Message) => void) | null = null;

  take(message: Message | null): void {
    if (message === null) return;
    this.last = message;
    this.listener?.(message);
  }

  watch(listener: (message: Message) => void): void {
    this.listener = listener;
    if (this.last !== null) listener(this.last);
  }
}

function isExactOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

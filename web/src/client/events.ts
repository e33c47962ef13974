/** Watches what relay streams (server-sent events, read with fetch because EventSource sends no bearer), for ever. */

import type { SignedConnection } from './connection';
import { pause } from './connection';
import type { Refusal, Stop } from './contract';
import { isRefused, refusalOf, Refused } from './refusing';

/** relay says that it is there every 15 s; a stream that is silent for longer is taken for dead. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface Watcher<Answer> {
  /** Told what relay said, at once and after every change. */
  readonly changed: (answer: Answer) => Promise<void> | void;
  /** Told once when the connection is lost, which is then sought for ever; and of anything worse, which ends it. */
  readonly broken: (refusal: Refusal) => void;
}

/** Begins to watch; until it is stopped, or something breaks that trying again does not help. */
export function watch<Answer>(signed: SignedConnection, path: string, watcher: Watcher<Answer>): Stop {
  const stopped = new AbortController();
  void keepWatching(signed, path, watcher, stopped.signal);
  return () => {
    stopped.abort();
    return Promise.resolve();
  };
}

async function keepWatching<Answer>(
  signed: SignedConnection,
  path: string,
  watcher: Watcher<Answer>,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!isOver(signal)) {
    try {
      for await (const data of read(signed, path, signal)) {
        failures = 0;
        // The shape is that of relay's description; whoever believes it verifies it.
        await watcher.changed(JSON.parse(data) as Answer);
      }
      // The stream ended in good order: the session did, so the next one signs in again.
      signed.forgetSession();
      failures += 1;
    } catch (error) {
      if (isOver(signal)) return;
      const mayHelp = isRefused(error, 'offline') || isRefused(error, 'busy');
      failures += 1;
      if (!mayHelp || failures === 1) watcher.broken(refusalOf(error));
      if (!mayHelp) return;
    }
    if (failures > 0) await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), signal);
  }
}

/** Asked anew each time: it changes while something else is awaited. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The data of each event of one stream. */
async function* read(signed: SignedConnection, path: string, signal: AbortSignal): AsyncGenerator<string> {
  const dead = new AbortController();
  const leave = () => { dead.abort(); };
  signal.addEventListener('abort', leave);
  let timer = setTimeout(leave, SILENCE_MS);
  try {
    const response = await signed.open('GET', path, { signal: dead.signal, headers: { Accept: 'text/event-stream' } });
    if (response.body === null) throw new Refused('offline');
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let held = '';
    for (;;) {
      const { done, value } = await reader.read().catch(() => { throw new Refused('offline'); });
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(leave, SILENCE_MS);
      const events = (held + decoder.decode(value, { stream: true })).split('\n\n');
      held = events.pop() ?? '';
      for (const event of events) {
        const data = event.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
        if (data.length > 0) yield data.join('\n');
      }
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    dead.abort();
  }
}

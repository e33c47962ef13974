/** Watches relay's event stream indefinitely (server-sent events, read with fetch because EventSource cannot send a bearer). */

import type { SignedConnection } from './connection';
import { pause } from './connection';
import type { Refusal, Stop } from './contract';
import { isRefused, refusalOf, Refused } from './refusing';

/** relay sends a heartbeat every 15 s; a stream that is silent for longer is considered dead. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface Watcher<Answer> {
  /** Called with relay's data, immediately and after every change. */
  readonly changed: (answer: Answer) => Promise<void> | void;
  /** Called once when the connection is lost, while reconnecting continues; and with any fatal error, which ends it. */
  readonly broken: (refusal: Refusal) => void;
}

/** Starts watching, until stopped or until an error that retrying cannot fix. */
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
        // The type is that of relay's description; callers verify what they trust.
        await watcher.changed(JSON.parse(data) as Answer);
      }
      // The stream ended normally: the session expired, so the next attempt signs in again.
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

/** Evaluated on each call: it changes during other awaits. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The data of each event in a stream. */
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

/** The page's way to the keys: their worker is fetched when it is first asked for something, or when the page is at rest. */

import type { Remote } from 'comlink';
import type { Client, ParticipantClient } from '../client/contract';

type Any = (...given: readonly unknown[]) => Promise<unknown>;

interface Worked {
  readonly participant: Readonly<Record<string, Any>>;
  readonly prepare: (given: unknown) => unknown;
}

let working: Promise<Worked> | null = null;

/** True once there is a worker, so that there may be something to forget. */
export function keysWereAskedFor(): boolean {
  return working !== null;
}

/** Fetches the worker ahead of time. */
export function prepareKeys(): void {
  void worker().catch(() => undefined);
}

/** Every function of the contract; callbacks and ports are handed over as Comlink wants them. */
export const keys = new Proxy({} as ParticipantClient, {
  get: (_, name) => {
    // Whoever awaits this object asks first whether it is a promise, and Lit whether it is a directive: it is neither.
    if (typeof name !== 'string' || name === 'then' || name.startsWith('_')) return undefined;
    return async (...given: readonly unknown[]): Promise<unknown> => {
      const { participant, prepare } = await worker();
      return participant[name]?.(...given.map(prepare));
    };
  },
});

function worker(): Promise<Worked> {
  working ??= fetchWorker().catch(() => {
    working = null;
    // What a missing connection looks like to whoever loads a script.
    throw Object.assign(new Error('offline'), { refusal: 'offline' as const });
  });
  return working;
}

async function fetchWorker(): Promise<Worked> {
  const [{ connectClient }, { proxy, transfer }] = await Promise.all([import('../client/connect'), import('comlink')]);
  const client: Remote<Client> = await connectClient();
  return {
    participant: client.participant as unknown as Worked['participant'],
    prepare: (given) => {
      if (typeof given === 'function') return proxy(given);
      return given instanceof MessagePort ? transfer(given, [given]) : given;
    },
  };
}

/** Access to the keys: their worker is loaded on first use, or when the page is idle. */

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

/** Loads the worker ahead of time. */
export function prepareKeys(): void {
  void worker().catch(() => undefined);
}

/** Every function of the contract; callbacks and ports are passed the way Comlink requires. */
export const keys = new Proxy({} as ParticipantClient, {
  get: (_, name) => {
    // `await` checks whether this object is a promise, and Lit whether it is a directive: it is neither.
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
    // How a missing connection appears when a script is loaded.
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

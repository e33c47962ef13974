/** The worker that holds the keys: exposes the two clients to pages and nothing else. */

import { expose, proxy } from 'comlink';

import type { Client } from './contract';
import { guarded } from './guarding';
import { Mediator } from './mediator';
import { Participant } from './participant';

const surroundings = { url: self.location.origin };

/** A function stays here and is called remotely; everything else is copied. */
function pass(result: unknown): unknown {
  return typeof result === 'function' ? proxy(result) : result;
}

const client: Client = {
  participant: guarded(new Participant(surroundings), pass),
  mediator: guarded(new Mediator(surroundings), pass),
};

expose(client);
self.postMessage('here');

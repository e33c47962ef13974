/** The worker that holds the keys: shows pages the two clients and nothing else. */

import { expose, proxy } from 'comlink';

import type { Client } from './contract';
import { guarded } from './guarding';
import { Mediator } from './mediator';
import { Participant } from './participant';

const surroundings = { url: self.location.origin };

/** A function stays here and is called from there; all else is copied. */
function hand(result: unknown): unknown {
  return typeof result === 'function' ? proxy(result) : result;
}

const client: Client = {
  participant: guarded(new Participant(surroundings), hand),
  mediator: guarded(new Mediator(surroundings), hand),
};

expose(client);
self.postMessage('here');

/**
 * The interface between the pages and the worker that holds the keys.
 *
 * Everything with a key, a passphrase, a bearer or a signature happens in a Web Worker; pages exchange plain data with
 * it. A page therefore cannot leak a key, and sealing never blocks it. All functions verify what relay says up to the
 * root fingerprint before using it, and reject with a `Refusal`.
 */

import type { MediatorClient } from './mediators';
import type { ParticipantClient } from './participants';

export type { Attention } from '../../embed/protocol';
export * from './cases';
export * from './mediators';
export * from './participants';
export * from './refusals';
export * from './review';
export * from './terms';
export * from './videos';

/** What the worker exposes through Comlink. */
export interface Client {
  readonly participant: ParticipantClient;
  readonly mediator: MediatorClient;
}

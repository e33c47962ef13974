/** Who somebody is to the reader: a role, and the number that relay gives where two have the same. */

import type { Arrival, Uuid } from '../client/contract';
import type { Home } from './words';

/** As `nameOf`; in general words where somebody is no correspondent any more. */
export function whoIs(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, words: Home): string {
  return nameOf(arrival, participant, words) ?? words.somebody;
}

export function nameOf(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, words: Home): string | null {
  const person = arrival.correspondents.find((somebody) => somebody.participant === participant);
  if (person === undefined) return null;
  const role = words.role[person.role];
  return person.number === null ? role : words.several(role, person.number);
}

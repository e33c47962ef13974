/** Who somebody is to the reader: a role, and a number where two have the same. */

import type { Arrival, Uuid } from '../client/contract';
import type { Home } from './words';

/** As `nameOf`; in general words where somebody is no correspondent any more. */
export function whoIs(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, words: Home): string {
  return nameOf(arrival, participant, words) ?? words.somebody;
}

export function nameOf(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, words: Home): string | null {
  const person = arrival.correspondents.find((somebody) => somebody.participant === participant);
  if (person === undefined) return null;
  const alike = arrival.correspondents.filter((somebody) => somebody.role === person.role);
  const role = words.role[person.role];
  return alike.length === 1 ? role : words.several(role, alike.indexOf(person) + 1);
}

/**
 * Who somebody is to the reader: a role, and the number that relay gives where two have the same. And how messages are called, so that two of one
 * day are told apart: by their form, their time, and who sent them or is to have them.
 */

import type { Arrival, ReceivedMessage, SentMessage, Uuid } from '../client/contract';
import { beginning, moment } from '../ui/amounts';
import type { Visit } from './visit';
import type { Home } from './i18n';

/** A message by the name that it has without its number. */
interface Called {
  readonly message: Uuid;
  readonly at: number;
  readonly name: string;
}

type Place = Pick<Visit, 'arrival' | 'correspondence' | 'language'> & { readonly texts: Pick<Visit['texts'], 'home'> };

/** As `nameOf`; in general words where somebody is no correspondent any more. */
export function whoIs(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, texts: Home): string {
  return nameOf(arrival, participant, texts) ?? texts.somebody;
}

export function nameOf(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, texts: Home): string | null {
  const person = arrival.correspondents.find((somebody) => somebody.participant === participant);
  if (person === undefined) return null;
  const role = texts.role[person.role];
  return person.number === null ? role : texts.several(role, person.number);
}

/** Form and time; with a number where others of the same minute are called the same. */
export function titleOf(message: SentMessage, place: Place): string {
  const { formOf } = place.texts.home;
  const called = ({ message, form, createdAt }: SentMessage): Called => ({
    message,
    at: Date.parse(createdAt),
    name: formOf[form](moment(createdAt, place.language)),
  });
  return numbered(called(message), place.correspondence?.sent.map(called), place);
}

/** From when on something was offered; null where that does not hold. */
export function offeredSince(message: ReceivedMessage, place: Place): string | null {
  const called = ({ message, offeredAt }: ReceivedMessage): readonly Called[] =>
    offeredAt === null ? [] : [{ message, at: Date.parse(offeredAt), name: place.texts.home.offeredAt(moment(offeredAt, place.language)) }];
  const alike = place.correspondence?.received.filter(({ form, from }) => form === message.form && from === message.from);
  return called(message).map((one) => numbered(one, alike?.flatMap(called), place))[0] ?? null;
}

/** What one sent, in a line; with its first words where they are known. */
export function sentLine(sent: SentMessage, text: string | null, place: Place): string {
  const { home } = place.texts;
  const parts = [titleOf(sent, place), home.to(whoIs(place.arrival, sent.to, home)), home.sent.revision(sent.revision)];
  const first = text === null ? '' : beginning(text);
  return [...parts, ...(first === '' ? [] : [home.sent.begins(first)])].join(' · ');
}

/** What was offered to one, in a line. */
export function receivedLine(message: ReceivedMessage, place: Place): string {
  const { home } = place.texts;
  const since = offeredSince(message, place);
  return [home.kind[message.form], home.from(whoIs(place.arrival, message.from, home)), ...(since === null ? [] : [since])].join(' · ');
}

/**
 * The name of a message, with a number where it is not the first of that name. They are counted by time, not by their place in the list: answering
 * one moves it there, and must rename none.
 */
function numbered({ message, at, name }: Called, list: readonly Called[] = [], { texts }: Place): string {
  const earlier = list.filter((one) => one.name === name && (one.at < at || (one.at === at && one.message < message)));
  return earlier.length === 0 ? name : texts.home.several(name, earlier.length + 1);
}

/**
 * How people are called: by a role, and relay's number if two have the same. And how messages are called, so that two of
 * one day can be told apart: by form, time, and sender or recipient.
 */

import type { Arrival, ReceivedMessage, SentMessage, Uuid } from '../client/contract';
import { beginning, moment } from '../ui/amounts';
import type { Visit } from './visit';
import type { Home } from './i18n';

/** The name of a message without its number. */
interface Called {
  readonly message: Uuid;
  readonly at: number;
  readonly name: string;
}

type Place = Pick<Visit, 'arrival' | 'correspondence' | 'language'> & { readonly texts: Pick<Visit['texts'], 'home'> };

/** Like `nameOf`; a general term if somebody is no longer a correspondent. */
export function whoIs(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, texts: Home): string {
  return nameOf(arrival, participant, texts) ?? texts.somebody;
}

export function nameOf(arrival: Pick<Arrival, 'correspondents'>, participant: Uuid, texts: Home): string | null {
  const person = arrival.correspondents.find((somebody) => somebody.participant === participant);
  if (person === undefined) return null;
  const role = texts.role[person.role];
  return person.number === null ? role : texts.several(role, person.number);
}

/** Form and time; with a number if others of the same minute have the same name. */
export function titleOf(message: SentMessage, place: Place): string {
  const { formOf } = place.texts.home;
  const called = ({ message, form, createdAt }: SentMessage): Called => ({
    message,
    at: Date.parse(createdAt),
    name: formOf[form](moment(createdAt, place.language)),
  });
  return numbered(called(message), place.correspondence?.sent.map(called), place);
}

/** When something was offered; null if the offer is invalid. */
export function offeredSince(message: ReceivedMessage, place: Place): string | null {
  const called = ({ message, offeredAt }: ReceivedMessage): readonly Called[] =>
    offeredAt === null ? [] : [{ message, at: Date.parse(offeredAt), name: place.texts.home.offeredAt(moment(offeredAt, place.language)) }];
  const alike = place.correspondence?.received.filter(({ form, from }) => form === message.form && from === message.from);
  return called(message).map((one) => numbered(one, alike?.flatMap(called), place))[0] ?? null;
}

/** A sent message in one line; with its first words if known. */
export function sentLine(sent: SentMessage, text: string | null, place: Place): string {
  const { home } = place.texts;
  const parts = [titleOf(sent, place), home.to(whoIs(place.arrival, sent.to, home)), home.sent.revision(sent.revision)];
  const first = text === null ? '' : beginning(text);
  return [...parts, ...(first === '' ? [] : [home.sent.begins(first)])].join(' · ');
}

/** An offered message in one line. */
export function receivedLine(message: ReceivedMessage, place: Place): string {
  const { home } = place.texts;
  const since = offeredSince(message, place);
  return [home.kind[message.form], home.from(whoIs(place.arrival, message.from, home)), ...(since === null ? [] : [since])].join(' · ');
}

/**
 * The name of a message, with a number if it is not the first of that name. Numbers follow the time, not the place in the
 * list: answering a message moves it there, and must not rename others.
 */
function numbered({ message, at, name }: Called, list: readonly Called[] = [], { texts }: Place): string {
  const earlier = list.filter((one) => one.name === name && (one.at < at || (one.at === at && one.message < message)));
  return earlier.length === 0 ? name : texts.home.several(name, earlier.length + 1);
}

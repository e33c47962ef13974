/**
 * How people and cases are called: relay knows no names, so a role, and a number if a case has two with the same. A name
 * of the embedding page comes behind, between quotation marks, never alone.
 */

import type { Person, QueueItem, Uuid } from '../client/contract';
import type { Texts } from './i18n';
import { isolated } from './names';
import type { Session } from './session';

/** Four characters are enough to tell apart the few people of a case; a participant's are the mark on their sheets. */
export function shortId(id: Uuid): string {
  return id.slice(-4);
}

/** What people are called with: the language, and the names that were given. */
export type Calling = Pick<Session, 'texts' | 'names'>;

/** Somebody in a case; without a role if relay does not say which. */
export type Somebody = Omit<Person, 'role'> & { readonly role: Person['role'] | null };

/** What relay knows of them, and no name. */
export function roleOf({ people }: Texts, { participant, role, number }: Somebody): string {
  if (role === null) return people.participant(shortId(participant));
  return number === null ? people.role[role] : people.several(people.role[role], number);
}

export function person(calling: Calling, who: Somebody): string {
  return named(calling, roleOf(calling.texts, who), calling.names.participant(who.participant));
}

export function sender(calling: Calling, item: QueueItem): string {
  return person(calling, senderOf(item));
}

export function recipient(calling: Calling, item: QueueItem): string {
  return person(calling, recipientOf(item));
}

export function senderOf({ from, fromRole, fromNumber }: QueueItem): Somebody {
  return { participant: from, role: fromRole, number: fromNumber };
}

export function recipientOf({ to, toRole, toNumber }: QueueItem): Somebody {
  return { participant: to, role: toRole, number: toNumber };
}

/** The reference of a case, which stays what it is, and its name. */
export function caseName(calling: Calling, { case: id, reference }: { readonly case: Uuid; readonly reference: string }): string {
  return named(calling, reference, calling.names.case(id));
}

function named({ texts }: Calling, what: string, name: string | null): string {
  return name === null ? what : texts.people.named(what, isolated(name));
}

export function mediator({ texts, self }: Pick<Session, 'texts' | 'self'>, id: Uuid): string {
  return id === self.credential ? texts.people.you : texts.people.colleague(shortId(id));
}

/** Who did something in the log: `mediator:…`, `participant:…`, `service:…`, `media:…`, `recovery:…`, `link:…` or the clock. */
export function actor(
  session: Pick<Session, 'texts' | 'names' | 'self'>,
  text: string,
  known: ReadonlyMap<Uuid, Person>,
): string {
  const { people } = session.texts;
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const id = text.slice(colon + 1);
  switch (kind) {
    case 'mediator':
      return mediator(session, id);
    case 'participant': {
      return person(session, known.get(id) ?? { participant: id, role: null, number: null });
    }
    case 'service':
      return people.system;
    case 'recovery':
      return people.recovery;
    case 'link':
      return people.link(shortId(id));
    case 'clock':
      return people.clock;
    default:
      return people.worker(shortId(id));
  }
}

/** At the start of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

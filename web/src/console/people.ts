/** How people are called: relay knows no names, so a role, and a number if a case has two with the same. */

import type { Person, QueueItem, Uuid } from '../client/contract';
import type { Session } from './session';
import type { Texts } from './i18n';

/** Four characters are enough to tell apart the few people of a case; a participant's are the mark on their sheets. */
export function shortId(id: Uuid): string {
  return id.slice(-4);
}

export function person({ people }: Texts, { participant, role, number }: Somebody): string {
  if (role === null) return people.participant(shortId(participant));
  return number === null ? people.role[role] : people.several(people.role[role], number);
}

export function sender(texts: Texts, { from, fromRole, fromNumber }: QueueItem): string {
  return person(texts, { participant: from, role: fromRole, number: fromNumber });
}

export function recipient(texts: Texts, { to, toRole, toNumber }: QueueItem): string {
  return person(texts, { participant: to, role: toRole, number: toNumber });
}

/** Somebody in a case; without a role if relay does not say which. */
type Somebody = Omit<Person, 'role'> & { readonly role: Person['role'] | null };

export function mediator({ texts, self }: Pick<Session, 'texts' | 'self'>, id: Uuid): string {
  return id === self.credential ? texts.people.you : texts.people.colleague(shortId(id));
}

/** Who did something in the log: `mediator:…`, `participant:…`, `service:…`, `media:…`, `recovery:…`, `link:…` or the clock. */
export function actor(
  session: Pick<Session, 'texts' | 'self'>,
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
      return person(session.texts, known.get(id) ?? { participant: id, role: null, number: null });
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

/** People in words: relay knows no names, so a role and the end of an opaque reference. */

import type { ParticipantRole, Uuid } from '../client/contract';
import type { Session } from './session';
import type { Words } from './words';

/** Four characters are enough to tell apart the few people of a case. */
export function shortId(id: Uuid): string {
  return id.slice(-4);
}

export function person(words: Words, role: ParticipantRole | null, id: Uuid): string {
  if (role === null) return words.people.participant(shortId(id));
  return words.people.withId(words.people.role[role], shortId(id));
}

export function mediator({ words, self }: Pick<Session, 'words' | 'self'>, id: Uuid): string {
  return id === self.credential ? words.people.you : words.people.colleague(shortId(id));
}

/** Who did something in the log: `mediator:…`, `participant:…`, `service:…`, `media:…`, `recovery:…`, `link:…` or the clock. */
export function actor(
  session: Pick<Session, 'words' | 'self'>,
  text: string,
  roles: ReadonlyMap<Uuid, ParticipantRole>,
): string {
  const { people } = session.words;
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const id = text.slice(colon + 1);
  switch (kind) {
    case 'mediator':
      return mediator(session, id);
    case 'participant': {
      const role = roles.get(id);
      return role === undefined ? people.participant(shortId(id)) : person(session.words, role, id);
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

/** For the beginning of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** How messages are called, so that two of one day are told apart: by their kind, their time, and who sent them or is to have them. */

import type { Kind, ReceivedMessage, SentMessage } from '../client/contract';
import { moment } from '../ui/amounts';
import { beginning } from '../ui/beginning';
import { whoIs } from './people';
import type { Visit } from './visit';

type Place = Pick<Visit, 'arrival' | 'language'> & { readonly words: Pick<Visit['words'], 'home'> };

export function titleOf({ createdAt, kind }: Pick<SentMessage, 'createdAt' | 'kind'>, { language, words }: Place): string {
  const name: Readonly<Record<Kind, (when: string) => string>> = { letter: words.home.letterOf, video: words.home.videoOf };
  return name[kind](moment(createdAt, language));
}

/** What one sent, in a line; with its first words where they are known. */
export function sentLine(sent: SentMessage, text: string | null, place: Place): string {
  const { home } = place.words;
  const parts = [titleOf(sent, place), home.to(whoIs(place.arrival, sent.to, home)), home.sent.revision(sent.revision)];
  const first = text === null ? '' : beginning(text);
  return `${parts.join(' · ')}${first === '' ? '' : ` · ${home.sent.begins(first)}`}`;
}

/** What was offered to one, in a line. */
export function receivedLine(message: ReceivedMessage, place: Place): string {
  const { home } = place.words;
  const { offeredAt } = message;
  const parts = [home.kind[message.kind], home.from(whoIs(place.arrival, message.from, home))];
  return [...parts, ...(offeredAt === null ? [] : [home.offeredAt(moment(offeredAt, place.language))])].join(' · ');
}

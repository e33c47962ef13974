/** What every part of the console receives: the mediator, the language, and the worker with the keys. */

import type { Remote } from 'comlink';
import type { MediatorClient, MediatorSelf } from '../client/contract';
import type { Language } from '../i18n/catalogue';
import type { Reasons } from '../i18n/reasons';
import type { Profile } from '../profile/profile';
import type { Names } from './names';
import type { Screen } from './screens';
import type { Texts } from './i18n';

export type Mediator = Remote<MediatorClient>;

export interface Session {
  readonly client: Mediator;
  readonly self: MediatorSelf;
  /** Whether a case system provided the keys, so that this browser stores none. */
  readonly handed: boolean;
  readonly texts: Texts;
  /** What the embedding page calls people and cases; none if there is no such page. */
  readonly names: Names;
  readonly reasons: Reasons;
  readonly language: Language;
  /** What the programme says of itself; null until it could be fetched. */
  readonly profile: Profile | null;
  readonly go: (screen: Screen) => void;
  /** Shows another screen in place of this one, to which the way back does not lead. */
  readonly replace: (screen: Screen) => void;
  /** Opens the next message waiting for this mediator; says so if there is none. */
  readonly next: () => void;
  /** Names the screen in the title of the tab: a kind and a case's reference, never content. */
  readonly entitle: (place: (texts: Texts) => string) => void;
  /** Locks the keys at once. */
  readonly lock: () => void;
  /** Announced to screen readers, and shown for a while. */
  readonly say: (sentence: string) => void;
}

/** What every part of the console is given: who the mediator is, in which language, and the worker that has the keys. */

import type { Remote } from 'comlink';
import type { MediatorClient, MediatorSelf } from '../client/contract';
import type { Language } from '../i18n/catalogue';
import type { Reasons } from '../i18n/reasons';
import type { Screen } from './screens';
import type { Texts } from './i18n';

export type Mediator = Remote<MediatorClient>;

export interface Session {
  readonly client: Mediator;
  readonly self: MediatorSelf;
  /** Whether a case system handed the keys over, so that this browser keeps none. */
  readonly handed: boolean;
  readonly texts: Texts;
  readonly reasons: Reasons;
  readonly language: Language;
  readonly go: (screen: Screen) => void;
  /** Goes to the message that waits for this mediator next, after the one on the screen; says so where there is none. */
  readonly next: () => void;
  /** Names what is on the screen in the title of the tab: a kind, a case's reference, and never content. */
  readonly entitle: (place: (texts: Texts) => string) => void;
  /** Locks the keys at once. */
  readonly lock: () => void;
  /** Said to screen readers too, and shown for a while. */
  readonly say: (sentence: string) => void;
}

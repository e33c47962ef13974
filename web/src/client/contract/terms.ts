/** The terms of the API, and what participants and mediators are both told. */

import type * as statements from '../../crypto/statements';
import type { components } from '../schema';

type Schemas = components['schemas'];

export type Uuid = string;
export type Language = Schemas['Language'];
export type Kind = Schemas['Kind'];
/** The form of a message as people see it: a video without a picture is a voice message. */
export type Form = Kind | 'voice';
export type Consent = Schemas['Consent'];
export type ParticipantRole = Schemas['ParticipantRole'];
export type AuthorView = Schemas['AuthorView'];
export type RecipientView = Schemas['RecipientView'];
export type State = Schemas['State'];
/** Who has to act next, from the point of view of the mediator who asks. */
export type WaitsFor = Schemas['WaitsFor'];
/** What relay says its caller may do with a message now. Relay may lie: a page offers what its own program would do. */
export type Action = Schemas['Event'];
export type Gate = Schemas['Gate'];
export type ProblemCode = Schemas['ProblemCode'];
/** A recipient's answer to an offer, as signed. */
export type Answer = statements.Response['answer'];
export type Purpose = Schemas['Purpose'];
export type Time = string;

export type Stop = () => Promise<void>;

/** The words that stand for a claim, in both languages. */
export type SpokenWords = Readonly<Record<Language, readonly string[]>>;

/** What is shown before a message is opened. */
export interface OfferNotes {
  readonly contentNote: string | null;
  readonly summary: string | null;
}

/** Where an unsent text is stored. */
export interface SaveResult {
  /** `device`: on this device, and soon at relay if relay stores it too. `relay`: this device stores nothing. */
  readonly where: 'device' | 'relay';
  /** It was changed or sent elsewhere meanwhile, and continues as a separate text. */
  readonly isCopy: boolean;
}

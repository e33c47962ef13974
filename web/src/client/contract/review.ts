/** The queue and messages under review, as a mediator is shown them. */

import type * as chain from '../../crypto/chain';
import type * as statements from '../../crypto/statements';
import type { Action, Form, Gate, Kind, Language, OfferNotes, ParticipantRole, State, Time, Uuid, WaitsFor } from './terms';
import type { VideoFacts } from './videos';
import type { SentMessage } from './participants';
import type { Broken, Fault } from './refusals';

/** Without a state: all states together. */
export interface QueueFilter {
  readonly state?: State;
  readonly waitsFor?: WaitsFor;
  readonly case?: Uuid;
  readonly language?: Language;
  readonly olderThanSeconds?: number;
  readonly after?: string;
}

export interface QueueFigure {
  readonly state: State;
  readonly waitsFor: WaitsFor | null;
  readonly messages: number;
  readonly oldest: Time | null;
}

export interface QueueItem {
  readonly message: Uuid;
  readonly case: Uuid;
  readonly reference: string;
  readonly from: Uuid;
  /** Null if relay does not say which role somebody has in the case. */
  readonly fromRole: ParticipantRole | null;
  readonly fromNumber: number | null;
  readonly to: Uuid;
  readonly toRole: ParticipantRole | null;
  readonly toNumber: number | null;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly state: State;
  readonly revision: number;
  readonly waitingSince: Time;
  readonly stateSince: Time;
  /** Null if it waits for nobody; `mediator` means another mediator, even if this one already approved it. */
  readonly waitsFor: WaitsFor | null;
  readonly approvals: number;
  readonly approvalsNeeded: number;
  readonly lease: Lease | null;
  readonly actions: readonly Action[];
  readonly failure: SentMessage['failure'];
}

export interface Lease {
  readonly holder: Uuid;
  readonly mine: boolean;
  readonly expiresAt: Time;
}

/**
 * How far a message can be attributed to its sender. `unverified`: nobody has checked who made its keys. `ended`: it
 * came through a link after the link had ended, or that somebody else used. Neither can be approved.
 */
export type Standing = chain.Standing;

/** Where the text of a part comes from, once verified; pages describe it. */
export type Origin =
  | {
      readonly by: 'participant';
      readonly participant: Uuid;
      /** The link it came through. */
      readonly link: Uuid;
      readonly claimVerifiedBy: Uuid | null;
      readonly assistant: string | null;
    }
  | { readonly by: 'upload-link'; readonly participant: Uuid; readonly assistant: string | null }
  | { readonly by: 'mediator'; readonly participant: Uuid; readonly mediator: Uuid };

/** One decision, or what is wrong with it. */
export type PastDecision = ReadDecision | { readonly fault: Fault };

export interface ReadDecision {
  readonly at: Time;
  readonly mediator: Uuid;
  /** Whether it was decided by the mediator who is signed in, with any of their keys. */
  readonly mine: boolean;
  readonly decision: string;
  readonly reason: string | null;
  /** Opened with the case's key. */
  readonly words: string | null;
  /** Why the words cannot be read. */
  readonly wordsFault: Fault | null;
  /** Whether it is about exactly what is shown now. */
  readonly current: boolean;
}

/**
 * A message under review, as far as it can be verified; its content is fetched separately. One with faults can be
 * returned, declined or held, but neither approved nor offered.
 */
export interface ReviewItem extends QueueItem {
  readonly createdAt: Time;
  readonly processing: SentMessage['processing'];
  readonly withdrawalAsked: boolean;
  readonly gates: readonly Gate[];
  /** What is invalid in this message; empty if nothing is. */
  readonly faults: readonly Broken[];
  /** Null, like `standing`, if unknown. */
  readonly origin: Origin | null;
  readonly standing: Standing | null;
  /** The media worker that made the rendition; null if there is none. */
  readonly preparedBy: Uuid | null;
  /** Whether it has a text: a letter does, a video may. */
  readonly hasText: boolean;
  readonly video: VideoFacts | null;
  /** The captions that will be released: a mediator's, or else those that came with the video. */
  readonly captions: { readonly by: 'author' | 'mediator'; readonly language: Language; readonly exception: string | null } | null;
  /** `notes`: what the recipient reads before deciding; null if they cannot be read. */
  readonly offered: { readonly at: Time; readonly notBefore: Time | null; readonly notes: OfferNotes | null } | null;
  readonly decisions: readonly PastDecision[];
  /** Whether the author has keys to seal a mediator's words for. */
  readonly authorReady: boolean;
  /** Whether the recipient has keys to write an offer for. */
  readonly recipientReady: boolean;
  /** The recipient has newer keys than those the release was granted to. */
  readonly grantAgain: boolean;
}

/** What came before a message, and how its recipient receives what is offered to them. */
export interface History {
  /** The revisions before the one shown, newest first. */
  readonly revisions: readonly EarlierRevision[];
  /** What else the two people sent each other, newest first. */
  readonly others: readonly PastMessage[];
  /** What the sender had last opened from the recipient when they sent this; null if nothing. */
  readonly answers: Uuid | null;
  readonly access: Access;
}

export interface EarlierRevision {
  readonly revision: number;
  readonly sentAt: Time;
  /** Null if it has no text, or if `fault` says why it cannot be read. */
  readonly text: string | null;
  readonly fault: Broken | null;
}

export interface PastMessage {
  readonly message: Uuid;
  readonly from: Uuid;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly state: State;
  readonly revision: number;
  readonly createdAt: Time;
  /** When its recipient first opened it. */
  readonly openedAt: Time | null;
}

/** How somebody receives what is offered to them, as far as relay knows. */
export interface Access {
  /**
   * `claimed`: they used a link, and nobody has verified that it was they; `made`: there is an unused link;
   * `broken`: their keys are invalid.
   */
  readonly way:
    | { readonly by: 'verified' | 'claimed' | 'made'; readonly since: Time }
    | { readonly by: 'none' | 'broken' };
  readonly hasUploadLink: boolean;
  /** The languages of what they wrote to this person, newest first: relay is not told which languages they read. */
  readonly wroteIn: readonly Language[];
  /** Whether somebody helped with their last message; null if they wrote none. */
  readonly assisted: boolean | null;
}

export type DecisionKind = statements.Decision['decision'];

export interface NewDecision {
  readonly decision: DecisionKind;
  readonly reason?: string;
  /** For the author, in the mediator's own words (return, decline). */
  readonly words?: string;
  /** For the mediators of the case only. */
  readonly note?: string;
}

/** What a mediator is typing, sealed for them alone. */
export interface StoredForm {
  /** Identifies the form, such as `return:` with the identifier of a message. */
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
  readonly changedAt: Time;
}

export interface NewRelayedLetter {
  readonly case: Uuid;
  readonly from: Uuid;
  readonly to: Uuid;
  readonly language: Language;
  readonly text: string;
  /** The mediator read it to them and they confirmed it; refused otherwise. */
  readonly confirmed: true;
}

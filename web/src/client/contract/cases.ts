/** Cases, their people and links, and keys, as a mediator is shown them. */

import type * as statements from '../../crypto/statements';
import type { Consent, ParticipantRole, Purpose, SpokenWords, Time, Uuid, WaitsFor } from './terms';
import type { Person } from './participants';
import type { Fault, Refusal } from './refusals';

/** A mediator's sealed keys, stored in this browser or provided by the case system. */
export interface KnownKeyring {
  readonly id: string;
  /** The mediator's name for it; never sent. */
  readonly label: string;
  readonly keyring: Uint8Array;
  readonly fingerprint: string;
  /** For keys that replace others: the credential they replace, and the request for the administrator. */
  readonly renewal?: { readonly of: Uuid; readonly request: string };
}

export interface MediatorSelf {
  readonly credential: Uuid;
  readonly validUntil: Time;
  /** False if the organization has a case system, which alone registers cases: `newCase` is refused. */
  readonly registersCases: boolean;
}

/** The state of one's own keys and of their renewal. */
export interface OwnKeys {
  readonly credential: Uuid;
  readonly endsAt: Time;
  /** Whether they expire within 60 days. */
  readonly endSoon: boolean;
  /** New keys of the same person, generated in this browser and not yet signed by the root. */
  readonly requested: KnownKeyring | null;
  /** Newer keys of the same person, signed by the root. */
  readonly next: { readonly credential: Uuid; readonly endsAt: Time; readonly here: boolean } | null;
  /** How many open cases these keys can read. */
  readonly cases: number;
}

/** The outcome for one of several cases: null on success. */
export interface CaseOutcome {
  readonly case: Uuid;
  readonly reference: string;
  readonly refusal: Refusal | null;
}

/** Called after each of several cases. */
export type CasesProgress = (done: number, total: number) => void;

export interface CaseSummary {
  readonly case: Uuid;
  readonly reference: string;
  /** 0 until it is opened with its first charter. */
  readonly charterVersion: number;
  readonly approvals: number;
  readonly createdAt: Time;
  /** Since when nothing can be sent, offered or answered in it; null while it is open. */
  readonly closedAt: Time | null;
  /** From when on what was written in it is deleted, unless somebody holds it; null while it is open. */
  readonly disposalDueAt: Time | null;
  /** Since when nothing is left of what was written in it. */
  readonly disposedAt: Time | null;
  /** Whether the case system requests other mediators. */
  readonly changeAsked: boolean;
  readonly people: readonly Person[];
  readonly figures: CaseFigures;
}

/** Why a case is not deleted, though its time has come. */
export interface NewHold {
  /** What the people who run the case know it by, such as the number of an order. */
  readonly name: string;
  readonly reason: string;
}

export interface Hold extends NewHold {
  readonly hold: Uuid;
  /** Placed by the case system, which alone can end it. */
  readonly bySystem: boolean;
  readonly placedAt: Time;
}

/** How many messages of a case wait for whom, and which links need attention. */
export interface CaseFigures extends Readonly<Record<WaitsFor, number>> {
  /** Links that were claimed and not yet verified. */
  readonly claims: number;
  /** Unclaimed links for taking part. */
  readonly unusedLinks: number;
}

/** An open case, whose charter was verified from the root to its latest version. */
export interface CaseDetail extends CaseSummary {
  readonly captionsRequired: boolean;
  readonly serverProcessing: boolean;
  readonly retentionDays: number;
  readonly participants: readonly (Person & {
    readonly consent: Consent | null;
    readonly consentAt: Time | null;
    /**
     * Whether a mediator has verified their keys; `unverified`: a claim is waiting for that; `broken`: their keys are
     * invalid, and a new link is needed.
     */
    readonly keys: 'none' | 'unverified' | 'verified' | 'broken';
  })[];
  readonly pairs: readonly { readonly one: Uuid; readonly other: Uuid; readonly noContact: boolean }[];
  readonly mediators: readonly Uuid[];
  readonly links: readonly CaseLink[];
  /** When the charter in force was signed. */
  readonly charterAt: Time;
  /** Everybody in the charter in force. */
  readonly members: readonly CaseMember[];
  /** Charter versions signed by a recovery key, newest first, and the mediators they added. */
  readonly recoveries: readonly { readonly at: Time; readonly mediators: readonly Uuid[] }[];
  /** The mediators that the case system requests; `signable` if each of them has valid keys. */
  readonly proposal: { readonly mediators: readonly Uuid[]; readonly signable: boolean } | null;
  /** Whether the charter lists media workers or recovery keys other than the valid ones. */
  readonly outdated: boolean;
}

/** `ends-soon`: within 60 days. */
export type KeyStanding = 'valid' | 'ends-soon' | 'ended';

/** Somebody listed in the charter in force. */
export interface CaseMember {
  readonly role: Exclude<statements.Role, 'service'>;
  readonly credential: Uuid;
  readonly person: Uuid;
  readonly standing: KeyStanding;
  /** When the credential expires, or was revoked. */
  readonly endsAt: Time;
  /** A newer valid credential of the mediator: `replaceKeys` restores their access. */
  readonly newer: Uuid | null;
}

export interface CaseLink {
  readonly link: Uuid;
  readonly participant: Uuid;
  readonly purpose: Purpose;
  readonly createdAt: Time;
  readonly expiresAt: Time | null;
  /** `claimed`: somebody used it, and no mediator has verified who. */
  readonly state: 'open' | 'claimed' | 'verified' | 'spent' | 'expired' | 'ended';
  /** Why it ended, as signed; null if it has not ended. */
  readonly endReason: LinkEndReason | null;
  /** What is wrong with a pending claim; null if nothing is. */
  readonly claimFault: ClaimFault | null;
  /** Whether this mediator made it and it is unclaimed: `linkAddress` shows it again. */
  readonly showable: boolean;
  /**
   * A mediator's credential, or `service` for the case system, from the signed statement. Null if that is invalid: then
   * nothing sent through the link can be trusted.
   */
  readonly madeBy: string | null;
}

/** Why a claim cannot be verified. */
export type ClaimFault = Extract<Fault, 'not-from-link' | 'unusable-key' | 'altered'>;

/** A claim that a mediator has yet to verify with the person. */
export interface WaitingClaim {
  readonly link: Uuid;
  readonly participant: Uuid;
  /** The hash of the claim that the words were derived from. */
  readonly claim: string;
  /** Null if `fault` says what is wrong. */
  readonly words: SpokenWords | null;
  readonly fault: ClaimFault | null;
  /** How many other links of this person are in use; they end when this claim is verified. */
  readonly ends: number;
}

export interface GrantedAgain {
  readonly granted: number;
  /** Messages that could not be granted because part of them is invalid. */
  readonly broken: readonly Uuid[];
}

export interface NewCase {
  readonly reference: string;
  readonly roles: readonly ParticipantRole[];
  readonly colleagues: readonly Uuid[];
  readonly approvals: 1 | 2;
  readonly captions: statements.Policy['captions'];
  readonly serverProcessing: boolean;
  readonly retentionDays: number;
}

export interface Colleague {
  readonly credential: Uuid;
  readonly person: Uuid;
  readonly self: boolean;
}

/** One row of a case's log, chained by hash to the row before. */
export interface LogEntry {
  readonly seq: number;
  readonly at: Time;
  readonly kind: string;
  readonly message: Uuid | null;
  readonly actor: string;
}

/** Why a link ended: the person has a new one, or somebody else used it, so that nothing sent through it counts. */
export type LinkEndReason = statements.LinkEnding['reason'];

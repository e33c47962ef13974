/**
 * The interface between the pages and the worker that holds the keys.
 *
 * Everything with a key, a passphrase, a bearer or a signature happens in a Web Worker; pages exchange plain data with
 * it. A page therefore cannot leak a key, and sealing never blocks it. All functions verify what relay says up to the
 * root fingerprint before using it, and reject with a `Refusal`.
 */

import type * as chain from '../crypto/chain';
import type { Weakness } from '../crypto/passphrases';
import type * as statements from '../crypto/statements';
import type { components } from './schema';

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

/** Why something failed. Passed from worker to page as a plain object: check with `isRefusal`. */
export interface Refusal {
  readonly refusal: RefusalKind;
  /** The stable code of relay's problem document, if relay refused. */
  readonly code?: string;
  /** Relay's sentence for people, in the language of the page. */
  readonly sentence?: string;
  readonly gates?: readonly Gate[];
  /** With `weak-passphrase`. */
  readonly weakness?: Weakness;
  /** With `wait`: how long. */
  readonly waitSeconds?: number;
  /** The record that is `broken`. */
  readonly broken?: Broken;
}

/** The kind of record that a failure is about. */
export type RecordName =
  | 'claim' // somebody's keys
  | 'link'
  | 'consent' // consent of both people
  | 'message'
  | 'body'
  | 'original'
  | 'note' // of a message: who assisted its sender
  | 'rendition'
  | 'poster'
  | 'captions'
  | 'decision' // with the mediator's words in it
  | 'approvals'
  | 'offer' // with the mediator's notes in it
  | 'log';

/** Why a record is invalid: a closed list, with a sentence for each in every place that shows it. */
export type Fault =
  | 'not-from-link' // the keys were not made by somebody who had the link
  | 'unusable-key' // nothing can be sealed for these keys
  | 'not-signed' // not signed by somebody entitled to, or about something else
  | 'too-few' // fewer approvals than the case asks for
  | 'no-key' // sealed, but not for one's own key
  | 'wrong-key' // another key than the one that was signed
  | 'altered' // not what was signed, or not there
  | 'not-text'
  | 'not-captions'
  | 'wrong-type'; // a media type that does not belong to its role

/** One record that is invalid; all others are unaffected. */
export interface Broken {
  readonly record: RecordName;
  readonly fault: Fault;
}

export type RefusalKind =
  | 'untrusted' // root, credentials or charter do not verify: stop, send nothing, warn
  | 'broken' // one record is invalid, named by `broken`; all others are valid
  | 'another-root' // the address names another root than the one stored with the link on this device
  | 'no-such-link' // wrong, ended or unknown
  | 'wrong-passphrase'
  | 'weak-passphrase' // too easy to guess: `weakness` says why; nothing was sealed with it
  | 'wait' // several wrong passphrases in a row: relay accepts the next one after `waitSeconds`
  | 'offline' // no answer; retrying may help
  | 'busy' // relay is overloaded; retrying later may help
  | 'signed-out' // locked, or the session cannot be renewed
  | 'refused' // relay refused: `code` and `sentence`
  | 'file-unreadable' // the chosen file cannot be read to its end, or differs from the one before
  | 'storage-full' // this device has no space for the sealed video
  | 'paused' // a video was paused by `pauseVideo` or `lock`: `unfinishedVideos` lists it
  | 'unexpected'; // a bug

/** Progress of sealing and uploading; `fraction` covers both, for a progress bar. */
export interface SendingProgress {
  readonly stage: 'sealing' | 'sending' | 'slow' | 'finishing' | 'waiting-for-connection';
  readonly sealedBytes: number;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Upload rate over the last seconds; null while unknown. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** True once every byte is sealed on this device or stored at relay, so that closing the page loses nothing. */
  readonly safeToClose: boolean;
}

export type Stop = () => Promise<void>;

// ---------------------------------------------------------------------------------------------- participants

/** Somebody in a case: a role, and a number if the case has several with that role. The number is the same for everybody. */
export interface Person {
  readonly participant: Uuid;
  readonly role: ParticipantRole;
  readonly number: number | null;
}

/** The person behind the link, according to its signed statement. Roles, not names: relay knows none. */
export interface Arrival {
  readonly link: Uuid;
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly role: ParticipantRole;
  readonly purpose: Purpose;
  readonly claimed: boolean;
  readonly spent: boolean;
  readonly expiresAt: Time | null;
  readonly correspondents: readonly Person[];
  /** False if the case does not allow processing on a server: then only letters are offered, and no server opens anything. */
  readonly takesVideo: boolean;
  /** Whether the organization has a recovery key that can give the case to another mediator. */
  readonly hasRecovery: boolean;
  /** When a recovery key last gave the case to other mediators; null if never. */
  readonly recoveredAt: Time | null;
}

/** One's own message, as far as its author may know. */
export interface SentMessage {
  readonly message: Uuid;
  readonly to: Uuid;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly revision: number;
  readonly view: AuthorView;
  readonly viewSince: Time;
  readonly actions: readonly Action[];
  readonly createdAt: Time;
  /** Why a video could not be processed, in both languages. */
  readonly failure: { readonly code: string; readonly en: string; readonly fr: string } | null;
  readonly processing: { readonly stage: string; readonly fraction: number } | null;
  /** Whether the mediator returned or ended it with words of their own: ask `guidance`. */
  readonly hasGuidance: boolean;
  /** Only in the response to a message through an upload link. */
  readonly receipt: string | null;
}

/** A message offered to this person. */
export interface ReceivedMessage {
  readonly message: Uuid;
  readonly from: Uuid;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly view: RecipientView;
  readonly actions: readonly Action[];
  /** When it was offered, according to the signed offer; null if the offer is invalid. */
  readonly offeredAt: Time | null;
}

/** What a mediator said about a message that was returned or ended. */
export interface Guidance {
  readonly reason: string | null;
  /** Empty if there are none for its author. */
  readonly words: string;
  /** Whether there are words sealed for an earlier link, whose key is gone. */
  readonly older: boolean;
}

/** One of a participant's two lists. */
export type Side = 'sent' | 'received';

/** Both lists as far as they were fetched, newest first. Messages that need an action are on the first page. */
export interface Correspondence {
  readonly sent: readonly SentMessage[];
  readonly received: readonly ReceivedMessage[];
  /** Whether a list has further pages: ask `more`. */
  readonly more: Readonly<Record<Side, boolean>>;
  /** Their latest statement about taking part. */
  readonly consent: Consent | null;
  /** Whether a mediator has verified the claim; until then only their own messages are shown. */
  readonly verified: boolean;
  /** The words to say to the mediator, who verifies with them who used this link; null once verified. */
  readonly words: SpokenWords | null;
}

export interface NewLetter {
  readonly to: Uuid;
  readonly language: Language;
  readonly text: string;
  /** The returned message that this one revises. */
  readonly revises?: Uuid;
  /** In assisted mode: who helped, as they described themselves; sealed for the mediators. */
  readonly assistant?: string;
}

export interface NewVideo {
  readonly to: Uuid;
  readonly language: Language;
  /** The chosen file; null for a stored recording. */
  readonly file: Blob | null;
  /** A stored recording, deleted once relay has all of it. */
  readonly take?: string;
  /** The file's own type, `video/mp4` if the browser does not know it. */
  readonly mediaType: string;
  readonly revises?: Uuid;
  readonly assistant?: string;
}

/** A video whose upload began on this device and is not complete. */
export interface UnfinishedVideo {
  readonly id: string;
  readonly to: Uuid;
  readonly mediaType: string;
  /** The stored recording that is being sent, if it is one. */
  readonly take: string | null;
  readonly startedAt: Time;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** False if the device has no complete sealed copy: then the same file has to be chosen again. */
  readonly whole: boolean;
}

/** A recording in progress. */
export interface NewTake {
  readonly id: string;
  /** Without parameters, as statements require. */
  readonly mediaType: string;
  readonly startedAt: Time;
  readonly revises: Uuid | null;
}

/** A recording stored in sealed pieces that is not being sent. */
export interface Take extends NewTake {
  readonly seconds: number;
  readonly bytes: number;
  /** False if at least part of it is only in memory and is lost with the page. */
  readonly lasting: boolean;
}

/** A letter in progress, sealed for its author alone. */
export interface LetterDraft {
  readonly id: Uuid;
  readonly to: Uuid;
  readonly language: Language;
  readonly text: string;
  readonly revises: Uuid | null;
  readonly changedAt: Time;
}

/** Where an unsent text is stored. */
export interface SaveResult {
  /** `device`: on this device, and soon at relay if relay stores it too. `relay`: this device stores nothing. */
  readonly where: 'device' | 'relay';
  /** It was changed or sent elsewhere meanwhile, and continues as a separate text. */
  readonly isCopy: boolean;
}

/** What is shown before a message is opened. */
export interface OfferNotes {
  readonly contentNote: string | null;
  readonly summary: string | null;
}

/** A released message, opened after every signature and approval was verified. */
export interface OpenedMessage {
  readonly message: Uuid;
  readonly from: Uuid;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly writtenAt: Time;
  /** A mediator wrote it down for its sender. */
  readonly relayed: boolean;
  readonly text: string | null;
  readonly video: VideoFacts | null;
  /** WebVTT. */
  readonly captions: string | null;
  /** Parts that could not be opened; the others could. */
  readonly faults: readonly Broken[];
}

export interface VideoFacts {
  /** Identifies the sealed part to the player. */
  readonly part: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  /** False for sound alone. */
  readonly hasPicture: boolean;
  /** JPEG, already opened. */
  readonly poster: Blob | null;
}

/** Serves the decrypted bytes of one video by ranges; the port speaks `playback/protocol.ts`. */
export interface Playback {
  /** Serves ranges of this part on the port until it is closed. */
  serve(part: string, port: MessagePort): Promise<void>;
  /** The whole video, verified to its end, for browsers without a service worker. */
  blob(part: string): Promise<Blob>;
}

export interface ParticipantClient extends Playback {
  /**
   * Looks up a link and verifies it up to the fingerprint in its fragment. Without a fragment the one stored on this
   * device is used; `no-such-link` if there is none, `another-root` if the stored one has a different fingerprint.
   * `keep: false` (assisted mode) leaves nothing on the device.
   */
  arrive(link: Uuid, fragment: string | null, options: { readonly keep: boolean; readonly language: Language }): Promise<Arrival>;
  /** Sets the language of relay's sentences. */
  speak(language: Language): Promise<void>;
  /** Whether the device could store the link's secret, so that it can leave the address bar. */
  kept(): Promise<boolean>;
  /** First visit: generates keys, claims the link, consents to taking part, and signs in. */
  claim(passphrase: string): Promise<Arrival>;
  /** Later visits: opens the keyring. */
  unlock(passphrase: string): Promise<Arrival>;
  /** Through an upload link: no passphrase, one message. */
  enter(): Promise<Arrival>;
  /** Forgets every key; what is stored on the device stays sealed. */
  lock(): Promise<void>;
  /** Also removes everything stored on this device for this link. */
  leaveNothing(): Promise<void>;
  /** Removes everything stored on this device for a link, including its root; for people told to trust another root. */
  forgetLink(link: Uuid): Promise<void>;

  consent(status: Consent): Promise<void>;
  /** Refetches every page that was read. */
  correspondence(): Promise<Correspondence>;
  /** With the next page of one list. */
  more(side: Side): Promise<Correspondence>;
  /** With this message included, if it still exists. */
  include(message: Uuid): Promise<Correspondence>;
  /**
   * Calls back with the correspondence immediately and after every change, until stopped (use `Comlink.proxy`). `broken`
   * is called once when the connection is lost (`offline`, `busy`), and reconnecting continues; other errors end it.
   */
  watch(changed: (correspondence: Correspondence) => void, broken: (refusal: Refusal) => void): Promise<Stop>;

  sendLetter(letter: NewLetter): Promise<SentMessage>;
  sendVideo(video: NewVideo, progress: (progress: SendingProgress) => void): Promise<SentMessage>;
  unfinishedVideos(): Promise<readonly UnfinishedVideo[]>;
  /** Resumes an upload; `file` only if `whole` is false. */
  resumeVideo(id: string, file: Blob | null, progress: (progress: SendingProgress) => void): Promise<SentMessage>;
  /** Pauses the upload; `unfinishedVideos` lists it. */
  pauseVideo(): Promise<void>;
  discardVideo(id: string): Promise<void>;
  /**
   * Stores the next piece of a recording, now `seconds` long; the first piece starts it. Resolves with whether all of it
   * would survive closing the page. After a rejection no further pieces of this recording are stored.
   */
  storePiece(take: NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean>;
  takes(): Promise<readonly Take[]>;
  /** The stored recording, for playback. */
  takeBlob(id: string): Promise<Blob>;
  discardTake(id: string): Promise<void>;
  /** Through an upload link it stays on this device; otherwise it is available on all of its author's devices. */
  saveDraft(draft: LetterDraft): Promise<SaveResult>;
  /** Newest first. */
  drafts(): Promise<readonly LetterDraft[]>;
  discardDraft(id: Uuid): Promise<void>;

  /**
   * The text of one's own letter, to read again or to revise; `broken` if it is invalid. Refused, with
   * nothing wrong, as `older-key`: sealed for an earlier link; `upload-link`: sent through one, which cannot read
   * anything; `no-key-then`: written down by a mediator before its author had keys; `unchecked-link`: sent through another
   * of their links, whose claim nobody has verified.
   */
  ownText(message: Uuid): Promise<string>;
  guidance(message: Uuid): Promise<Guidance>;
  withdraw(message: Uuid): Promise<void>;

  offerNotes(message: Uuid): Promise<OfferNotes>;
  respond(message: Uuid, answer: Answer, tellAuthor: boolean): Promise<ReceivedMessage>;
  open(message: Uuid): Promise<OpenedMessage>;

  /** The state of a receipt's message, and why it was returned or ended; needs no link, and none of it is verified. */
  receipt(code: string): Promise<{ readonly view: AuthorView; readonly since: Time; readonly failure: SentMessage['failure']; readonly reason: string | null }>;
}

// ------------------------------------------------------------------------------------------------- mediators

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
  /** Whether the case system requests other mediators. */
  readonly changeAsked: boolean;
  readonly people: readonly Person[];
  readonly figures: CaseFigures;
}

/** How many messages of a case wait for whom, and which links need attention. */
export interface CaseFigures extends Readonly<Record<WaitsFor, number>> {
  /** Links that were claimed and not yet verified. */
  readonly claims: number;
  /** Unclaimed links for taking part. */
  readonly unusedLinks: number;
}

/** A case whose charter was verified from the root to its latest version. */
export interface CaseDetail extends CaseSummary {
  readonly captionsRequired: boolean;
  readonly serverProcessing: boolean;
  readonly retentionDays: number | null;
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
  /** When the charter in force was signed; for a case that is not open, when it was registered. */
  readonly charterAt: Time;
  /** Everybody in the charter in force; empty before there is one. */
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

/** The words that stand for a claim, in both languages. */
export type SpokenWords = Readonly<Record<Language, readonly string[]>>;

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

/** Why a link ended: the person has a new one, or somebody else used it, so that nothing sent through it counts. */
export type LinkEndReason = statements.LinkEnding['reason'];

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

export interface MediatorClient extends Playback {
  /** Keyrings stored in this browser, sealed. */
  keyrings(): Promise<readonly KnownKeyring[]>;
  storeKeyring(keyring: KnownKeyring): Promise<void>;
  forgetKeyring(id: string): Promise<void>;
  /** New keys, sealed with a passphrase; `request` is JSON text for an administrator to have signed by the root. */
  makeKeys(passphrase: string, label: string, fingerprint: string): Promise<{ readonly keyring: KnownKeyring; readonly request: string }>;
  unlock(keyring: KnownKeyring, passphrase: string, language: Language): Promise<MediatorSelf>;
  ownKeys(): Promise<OwnKeys>;
  /** New keys for the mediator who is signed in, with a request that names the same person; `keep`: store in this browser. */
  renewKeys(passphrase: string, label: string, keep: boolean): Promise<{ readonly keyring: KnownKeyring; readonly request: string }>;
  /**
   * Replaces the credential that is signed in with by the same person's newer one, in every case. Once all are done, this
   * browser stores only the new keys, if it has them.
   */
  bringOver(progress: CasesProgress): Promise<readonly CaseOutcome[]>;
  /** Sets the language of relay's sentences. */
  speak(language: Language): Promise<void>;
  lock(): Promise<void>;

  colleagues(): Promise<readonly Colleague[]>;
  cases(): Promise<readonly CaseSummary[]>;
  case(id: Uuid): Promise<CaseDetail>;
  /** Registers a new case and signs its first charter. */
  newCase(given: NewCase): Promise<CaseDetail>;
  /** Signs the first charter of a case that the case system registered. */
  openCase(id: Uuid, given: Omit<NewCase, 'reference' | 'roles'>): Promise<CaseDetail>;
  /** The address is shown once: relay stores its secret only sealed. */
  makeLink(id: Uuid, participant: Uuid, purpose: Purpose): Promise<{ readonly link: Uuid; readonly url: string }>;
  /** The address of a link that one made oneself, until it is claimed; `no-such-link` for any other. */
  linkAddress(id: Uuid, link: Uuid): Promise<string>;
  endLink(id: Uuid, link: Uuid, reason: LinkEndReason): Promise<void>;
  /** Checks the claim of a link with its claim key; `no-such-link` if none is pending. */
  checkClaim(id: Uuid, link: Uuid): Promise<WaitingClaim>;
  /** Signs that this claim is its participant's, who said its words; their other links in use end. */
  verifyClaim(id: Uuid, link: Uuid, claim: string): Promise<void>;
  /** Signs the charter that follows `version`, with these mediators; who leaves cannot read what is sealed afterwards. */
  changeMediators(id: Uuid, version: number, mediators: readonly Uuid[]): Promise<void>;
  /** Replaces a mediator's older credential with their newer one. */
  replaceKeys(id: Uuid, version: number, old: Uuid, newer: Uuid): Promise<void>;
  /** Open cases whose charter lists media workers or recovery keys other than the valid ones. */
  outdatedCases(): Promise<readonly CaseSummary[]>;
  /** Signs the next charter of each of these cases, with the same mediators. */
  bringUpToDate(cases: readonly Uuid[], progress: CasesProgress): Promise<readonly CaseOutcome[]>;
  /** After a new link was claimed: grants everything that was released again. */
  grantAgain(id: Uuid, participant: Uuid): Promise<GrantedAgain>;
  recordConsent(id: Uuid, participant: Uuid, status: Consent): Promise<void>;
  /** All rows, each verified against the one before; `broken` if one does not follow. */
  log(id: Uuid): Promise<readonly LogEntry[]>;
  /** Every message of the case that was ever sent, newest first. */
  messages(id: Uuid): Promise<readonly QueueItem[]>;

  saveForm(form: StoredForm): Promise<SaveResult>;
  /** What was typed into a form and neither sent nor discarded, on any device. */
  storedForm(place: string): Promise<StoredForm | null>;
  dropForm(place: string): Promise<void>;

  queue(filter: QueueFilter): Promise<{ readonly items: readonly QueueItem[]; readonly next: string | null }>;
  /** The next message waiting for this mediator after a given one, oldest first, then from the start; null if there is none. */
  nextWaiting(after: Uuid | null): Promise<Uuid | null>;
  /** Counts by state and by whom messages wait for, immediately and after every change; with the affected cases, null for all. */
  watchQueue(
    changed: (figures: readonly QueueFigure[], cases: readonly Uuid[] | null) => void,
    broken: (refusal: Refusal) => void,
  ): Promise<Stop>;
  review(message: Uuid): Promise<ReviewItem>;
  /** What came before a message as it was last shown, verified and opened. */
  history(message: Uuid): Promise<History>;
  lease(message: Uuid): Promise<ReviewItem>;
  letGo(message: Uuid): Promise<void>;
  /** The text of a letter, or the one sent with a video; null if there is none. */
  text(message: Uuid): Promise<string | null>;
  /** WebVTT; null if there is none. */
  captionsText(message: Uuid): Promise<string | null>;
  decide(message: Uuid, decision: NewDecision): Promise<ReviewItem>;
  caption(message: Uuid, given: { readonly text: string; readonly language: Language } | { readonly exception: string }): Promise<ReviewItem>;
  offer(
    message: Uuid,
    given: { readonly contentNote: string; readonly summary: string | null; readonly notBefore: Time | null },
  ): Promise<ReviewItem>;
  recordWithdrawal(message: Uuid): Promise<void>;
  relayLetter(letter: NewRelayedLetter): Promise<Uuid>;
}

/** What the worker exposes through Comlink. */
export interface Client {
  readonly participant: ParticipantClient;
  readonly mediator: MediatorClient;
}

export function isRefusal(thrown: unknown): thrown is Refusal {
  return typeof thrown === 'object' && thrown !== null && 'refusal' in thrown;
}

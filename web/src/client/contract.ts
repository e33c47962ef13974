/**
 * What the pages may ask of the worker that holds the keys.
 *
 * Everything with a key, a passphrase, a bearer or a signature happens in a Web Worker; pages get plain data and give
 * plain data. A page therefore cannot leak a key, and sealing never makes it stall. All functions verify what relay says
 * up to the root fingerprint before they believe it, and reject with a `Refusal`.
 */

import type * as chain from '../crypto/chain';
import type { Weakness } from '../crypto/passphrases';
import type * as statements from '../crypto/statements';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Uuid = string;
export type Language = Schemas['Language'];
export type Kind = Schemas['Kind'];
/** What a message is to a person: a video without a picture is a voice message. */
export type Form = Kind | 'voice';
export type Consent = Schemas['Consent'];
export type ParticipantRole = Schemas['ParticipantRole'];
export type AuthorView = Schemas['AuthorView'];
export type RecipientView = Schemas['RecipientView'];
export type State = Schemas['State'];
/** Who has to do something before a message goes on, as the mediator sees it who asks. */
export type WaitsFor = Schemas['WaitsFor'];
/** What relay allows its caller to do with a message now. It may lie: a page offers what its own program would do. */
export type Action = Schemas['Event'];
export type Gate = Schemas['Gate'];
export type ProblemCode = Schemas['ProblemCode'];
/** What a recipient says to an offer, as they sign it. */
export type Answer = statements.Response['answer'];
export type Purpose = Schemas['Purpose'];
export type Time = string;

/** Why something did not happen. Crosses from worker to page as a plain object: check with `isRefusal`. */
export interface Refusal {
  readonly refusal: RefusalKind;
  /** The stable code of relay's problem document, where it was relay that refused. */
  readonly code?: string;
  /** Relay's sentence for a person, in the language of the page. */
  readonly sentence?: string;
  readonly gates?: readonly Gate[];
  /** With `weak-passphrase`. */
  readonly weakness?: Weakness;
  /** With `wait`: how long. */
  readonly waitSeconds?: number;
  /** Which record it is about, where one is `broken`. */
  readonly broken?: Broken;
}

/** What a failure is about. */
export type RecordName =
  | 'claim' // somebody's keys
  | 'link'
  | 'consent' // what the two said about taking part
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

/** Why a record does not hold: a closed list, with a sentence for each in every place that shows it. */
export type Fault =
  | 'not-from-link' // the keys were not made by somebody who had the link
  | 'unusable-key' // nothing can be sealed for these keys
  | 'not-signed' // not signed by somebody who may, or about something else
  | 'too-few' // fewer approvals than the case asks for
  | 'no-key' // sealed so that one's own key does not open it
  | 'wrong-key' // another key than the one that was signed
  | 'altered' // not what was signed, or not there
  | 'not-text'
  | 'not-captions'
  | 'wrong-type'; // a media type that does not belong to its role

/** One record that does not hold; every other one is as it was. */
export interface Broken {
  readonly record: RecordName;
  readonly fault: Fault;
}

export type RefusalKind =
  | 'untrusted' // root, credentials or charter are not what the root vouched for: stop, send nothing, warn
  | 'broken' // one record does not hold, named by `broken`; all others do
  | 'another-root' // the address names another root than the one that this device keeps with the link
  | 'no-such-link' // wrong, ended or unknown
  | 'wrong-passphrase'
  | 'weak-passphrase' // too easy to guess: `weakness` says why; nothing was sealed with it
  | 'wait' // several passphrases in a row did not fit: relay looks at the next one after `waitSeconds`
  | 'offline' // no answer; trying again may help
  | 'busy' // relay cannot work now; trying again later may help
  | 'signed-out' // locked, or the session cannot be renewed
  | 'refused' // relay said no: `code` and `sentence`
  | 'file-unreadable' // the file that was picked cannot be read to its end, or is another one than before
  | 'storage-full' // this device has no room to keep the sealed video
  | 'paused' // a video was set aside by `pauseVideo` or `lock`: `unfinishedVideos` lists it
  | 'unexpected'; // a mistake of ours

/** Sealed and uploaded; `fraction` of both together, for a bar. */
export interface SendingProgress {
  readonly stage: 'sealing' | 'sending' | 'slow' | 'finishing' | 'waiting-for-connection';
  readonly sealedBytes: number;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Of sending, over the last seconds; null before it can be told. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** True once every byte is sealed on this device or at relay, so that closing the page loses nothing. */
  readonly safeToClose: boolean;
}

export type Stop = () => Promise<void>;

// ---------------------------------------------------------------------------------------------- participants

/** Somebody of a case: a role, and a number where the reader knows of two with that role. It is the same for everybody. */
export interface Person {
  readonly participant: Uuid;
  readonly role: ParticipantRole;
  readonly number: number | null;
}

/** Who came, as the signed link says. Roles, not names: relay knows none. */
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
  /** False where the case lets no server process video: then only letters are offered, and no server opens anything. */
  readonly takesVideo: boolean;
  /** Whether the organization keeps a key with which the case can be given to another mediator. */
  readonly hasRecovery: boolean;
  /** When such a key last gave the case to other mediators; null if it never did. */
  readonly recoveredAt: Time | null;
}

/** One's own message, as far as its author is to know. */
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
  /** Why a video could not be prepared, in both languages. */
  readonly failure: { readonly code: string; readonly en: string; readonly fr: string } | null;
  readonly processing: { readonly stage: string; readonly fraction: number } | null;
  /** Whether it came back or was closed with words of the mediator: ask `guidance`. */
  readonly hasGuidance: boolean;
  /** Only in the answer to a message through an upload link. */
  readonly receipt: string | null;
}

/** A message that was offered to this person. */
export interface ReceivedMessage {
  readonly message: Uuid;
  readonly from: Uuid;
  readonly kind: Kind;
  readonly form: Form;
  readonly language: Language;
  readonly view: RecipientView;
  readonly actions: readonly Action[];
  /** From when on it was offered, as its offer is signed; null where that does not hold. */
  readonly offeredAt: Time | null;
}

/** What a mediator said of a message that came back or was closed. */
export interface Guidance {
  readonly reason: string | null;
  /** Empty where there are none for its author. */
  readonly words: string;
  /** Whether there are words that were sealed for an earlier link, whose key is gone. */
  readonly older: boolean;
}

/** One of the two lists of a participant. */
export type Side = 'sent' | 'received';

/** Each list as far as it was read, the newest first. Whatever asks for something is among what is read first. */
export interface Correspondence {
  readonly sent: readonly SentMessage[];
  readonly received: readonly ReceivedMessage[];
  /** Whether there is more of a list: ask `more`. */
  readonly more: Readonly<Record<Side, boolean>>;
  /** What they said last about taking part. */
  readonly consent: Consent | null;
  /** Whether a mediator has verified who came; until then only what they wrote themselves is shown. */
  readonly verified: boolean;
  /** What they say to their mediator, who hears from it that this link was used by them; null once that is verified. */
  readonly words: SpokenWords | null;
}

export interface NewLetter {
  readonly to: Uuid;
  readonly language: Language;
  readonly text: string;
  /** The message that came back, where this is its next revision. */
  readonly revises?: Uuid;
  /** In assisted mode: who helped, in their own words; sealed for the mediators. */
  readonly assistant?: string;
}

export interface NewVideo {
  readonly to: Uuid;
  readonly language: Language;
  /** What was picked; null where it is a recording that is kept. */
  readonly file: Blob | null;
  /** Such a recording, which is kept until relay has all of it. */
  readonly take?: string;
  /** The file's own type, `video/mp4` where the browser does not know. */
  readonly mediaType: string;
  readonly revises?: Uuid;
  readonly assistant?: string;
}

/** A video that was begun on this device and has not been sent whole. */
export interface UnfinishedVideo {
  readonly id: string;
  readonly to: Uuid;
  readonly mediaType: string;
  /** The recording that it is, if it is one that is kept here. */
  readonly take: string | null;
  readonly startedAt: Time;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** False where the device kept no sealed copy of all of it: then the same file has to be picked again. */
  readonly whole: boolean;
}

/** A recording that is being made. */
export interface NewTake {
  readonly id: string;
  /** Without parameters, as a statement names it. */
  readonly mediaType: string;
  readonly startedAt: Time;
  readonly revises: Uuid | null;
}

/** A recording that is kept, piece by piece and sealed, and is not on its way to anybody. */
export interface Take extends NewTake {
  readonly seconds: number;
  readonly bytes: number;
  /** False where it lies in memory, in part or whole, and goes with the page. */
  readonly lasting: boolean;
}

/** A letter that is being written, sealed for its writer alone. */
export interface LetterDraft {
  readonly id: Uuid;
  readonly to: Uuid;
  readonly language: Language;
  readonly text: string;
  readonly revises: Uuid | null;
  readonly changedAt: Time;
}

/** Where a text is kept that was not sent. */
export interface KeptSafe {
  /** `device`: on this device now, and where relay keeps it too, soon there. `relay`: this device keeps nothing. */
  readonly where: 'device' | 'relay';
  /** It was changed or sent elsewhere meanwhile, and goes on as a text of its own. */
  readonly isCopy: boolean;
}

/** What is shown before anything is opened. */
export interface OfferNotes {
  readonly contentNote: string | null;
  readonly summary: string | null;
}

/** A released message, opened: every signature and approval has verified. */
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
  /** Parts that do not open; the others do. */
  readonly faults: readonly Broken[];
}

export interface VideoFacts {
  /** Names the sealed part; what a player asks for. */
  readonly part: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  /** False where it is sound alone. */
  readonly hasPicture: boolean;
  /** JPEG, already opened. */
  readonly poster: Blob | null;
}

/** Gives the plain bytes of one video range by range; the port speaks `playback/protocol.ts`. */
export interface Playback {
  /** Answers ranges of this part on the port until it is closed. */
  serve(part: string, port: MessagePort): Promise<void>;
  /** All of it, verified to its end, where there is no service worker. */
  blob(part: string): Promise<Blob>;
}

export interface ParticipantClient extends Playback {
  /**
   * Looks up a link and verifies it up to the fingerprint in its fragment. Without a fragment the one that this device
   * kept is taken; `no-such-link` where there is none, `another-root` where the device keeps one with another fingerprint.
   * `keep: false` (assisted mode) leaves nothing on the device.
   */
  arrive(link: Uuid, fragment: string | null, options: { readonly keep: boolean; readonly language: Language }): Promise<Arrival>;
  /** From now on relay's sentences are asked for in this language. */
  speak(language: Language): Promise<void>;
  /** Whether the device could keep the link's secret, so that the address bar need not. */
  kept(): Promise<boolean>;
  /** The first time: makes keys, claims the link, says yes to taking part, and is signed in. */
  claim(passphrase: string): Promise<Arrival>;
  /** Later: opens the keyring. */
  unlock(passphrase: string): Promise<Arrival>;
  /** Through an upload link: no passphrase, one message. */
  enter(): Promise<Arrival>;
  /** Forgets every key; what is kept on the device stays sealed. */
  lock(): Promise<void>;
  /** Also removes all that relay kept on this device for this link. */
  leaveNothing(): Promise<void>;
  /** Removes all that this device keeps for a link, its root with it; for whoever was told to trust another. */
  forgetLink(link: Uuid): Promise<void>;

  consent(status: Consent): Promise<void>;
  /** All that was read of it, anew. */
  correspondence(): Promise<Correspondence>;
  /** With the next page of one list. */
  more(side: Side): Promise<Correspondence>;
  /** With this message, wherever in a list it stands; without it where it is not there. */
  include(message: Uuid): Promise<Correspondence>;
  /**
   * Calls back with the correspondence at once and after every change, until stopped (use `Comlink.proxy`). `broken`
   * is told once when the connection is lost (`offline`, `busy`), which is then sought for ever; anything else ends it.
   */
  watch(changed: (correspondence: Correspondence) => void, broken: (refusal: Refusal) => void): Promise<Stop>;

  sendLetter(letter: NewLetter): Promise<SentMessage>;
  sendVideo(video: NewVideo, progress: (progress: SendingProgress) => void): Promise<SentMessage>;
  unfinishedVideos(): Promise<readonly UnfinishedVideo[]>;
  /** Goes on where it stopped; `file` only where `whole` is false. */
  resumeVideo(id: string, file: Blob | null, progress: (progress: SendingProgress) => void): Promise<SentMessage>;
  /** Stops sending for now; `unfinishedVideos` lists it. */
  pauseVideo(): Promise<void>;
  discardVideo(id: string): Promise<void>;
  /**
   * Keeps the next piece of a recording, which is `seconds` long by then; the first one begins it. Tells whether all of it is
   * still there after the page was closed. After one that is refused no more is kept of this recording.
   */
  keepPiece(take: NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean>;
  takes(): Promise<readonly Take[]>;
  /** All that was kept of a recording, to watch it. */
  takeBlob(id: string): Promise<Blob>;
  discardTake(id: string): Promise<void>;
  /** Through an upload link it stays on this device; else it follows its writer to every device. */
  saveDraft(draft: LetterDraft): Promise<KeptSafe>;
  /** The latest first. */
  drafts(): Promise<readonly LetterDraft[]>;
  discardDraft(id: Uuid): Promise<void>;

  /**
   * The text of one's own letter, to read again or to begin a revision from; `broken` where it does not hold. Refused, with
   * nothing wrong, as `older-key`: it was sealed for an earlier link; `upload-link`: it came through one, with which nothing
   * is read; `no-key-then`: a mediator wrote it down before its author had keys; `unchecked-link`: it came through another
   * link of theirs, and nobody has verified by whom.
   */
  ownText(message: Uuid): Promise<string>;
  guidance(message: Uuid): Promise<Guidance>;
  withdraw(message: Uuid): Promise<void>;

  offerNotes(message: Uuid): Promise<OfferNotes>;
  respond(message: Uuid, answer: Answer, tellAuthor: boolean): Promise<ReceivedMessage>;
  open(message: Uuid): Promise<OpenedMessage>;

  /** How the message of a receipt stands, and why it came back or was closed; needs no link, and nothing of it is verified. */
  receipt(code: string): Promise<{ readonly view: AuthorView; readonly since: Time; readonly failure: SentMessage['failure']; readonly reason: string | null }>;
}

// ------------------------------------------------------------------------------------------------- mediators

/** Sealed keys of a mediator that this browser knows, or that the case system handed over. */
export interface KnownKeyring {
  readonly id: string;
  /** What the mediator calls it; never sent. */
  readonly label: string;
  readonly keyring: Uint8Array;
  readonly fingerprint: string;
  /** Where these keys are to take the place of others: of which credential, and the request for the administrator. */
  readonly renewal?: { readonly of: Uuid; readonly request: string };
}

export interface MediatorSelf {
  readonly credential: Uuid;
  readonly validUntil: Time;
  /** False where the organization vouches for a case system, which alone registers cases: `newCase` is refused. */
  readonly registersCases: boolean;
}

/** How one's own keys stand, and how far their renewal is. */
export interface OwnKeys {
  readonly credential: Uuid;
  readonly endsAt: Time;
  /** Whether they end within 60 days. */
  readonly endSoon: boolean;
  /** New keys of the same person, made in this browser, for which nobody vouches yet. */
  readonly requested: KnownKeyring | null;
  /** Newer keys of the same person for which the organization vouches. */
  readonly next: { readonly credential: Uuid; readonly endsAt: Time; readonly here: boolean } | null;
  /** How many open cases these keys read. */
  readonly cases: number;
}

/** What came of an act on one of several cases: null where it was done. */
export interface CaseOutcome {
  readonly case: Uuid;
  readonly reference: string;
  readonly refusal: Refusal | null;
}

/** Told after each of several cases. */
export type CasesProgress = (done: number, total: number) => void;

export interface CaseSummary {
  readonly case: Uuid;
  readonly reference: string;
  /** 0 until it is opened with its first charter. */
  readonly charterVersion: number;
  readonly approvals: number;
  readonly createdAt: Time;
  /** Whether the case system asks for other mediators. */
  readonly changeAsked: boolean;
  readonly people: readonly Person[];
  readonly figures: CaseFigures;
}

/** How many messages of a case wait for whom, and what there is to do about its links. */
export interface CaseFigures extends Readonly<Record<WaitsFor, number>> {
  /** Links that somebody used; nobody has checked who. */
  readonly claims: number;
  /** Links to take part that nobody has used. */
  readonly unusedLinks: number;
}

/** A case whose charter verified from the root to its latest version. */
export interface CaseDetail extends CaseSummary {
  readonly captionsRequired: boolean;
  readonly serverProcessing: boolean;
  readonly retentionDays: number | null;
  readonly participants: readonly (Person & {
    readonly consent: Consent | null;
    readonly consentAt: Time | null;
    /**
     * Whether a mediator has heard from them that their keys are theirs; `unverified`: a claim of theirs waits for that;
     * `broken`: their keys do not hold, and a new link helps.
     */
    readonly keys: 'none' | 'unverified' | 'verified' | 'broken';
  })[];
  readonly pairs: readonly { readonly one: Uuid; readonly other: Uuid; readonly noContact: boolean }[];
  readonly mediators: readonly Uuid[];
  readonly links: readonly CaseLink[];
  /** When the charter in force was signed; of a case that is not open, when that was registered. */
  readonly charterAt: Time;
  /** Everybody whom the charter in force lists; nobody before there is one. */
  readonly members: readonly CaseMember[];
  /** The versions that a recovery key put in force, the latest first, and who came with them. */
  readonly recoveries: readonly { readonly at: Time; readonly mediators: readonly Uuid[] }[];
  /** The mediators that the case system asks for; `signable` where each of them has valid keys. */
  readonly proposal: { readonly mediators: readonly Uuid[]; readonly signable: boolean } | null;
  /** Whether the charter lists other media workers or recovery keys than those that are valid now. */
  readonly outdated: boolean;
}

/** `ends-soon`: within 60 days. */
export type KeyStanding = 'valid' | 'ends-soon' | 'ended';

/** Somebody whom the charter in force lists. */
export interface CaseMember {
  readonly role: Exclude<statements.Role, 'service'>;
  readonly credential: Uuid;
  readonly person: Uuid;
  readonly standing: KeyStanding;
  /** When the credential ends, or was revoked. */
  readonly endsAt: Time;
  /** A mediator's newer credential that is valid: `replaceKeys` lets them back in. */
  readonly newer: Uuid | null;
}

export interface CaseLink {
  readonly link: Uuid;
  readonly participant: Uuid;
  readonly purpose: Purpose;
  readonly createdAt: Time;
  readonly expiresAt: Time | null;
  /** `claimed`: somebody used it, and no mediator has verified yet who. */
  readonly state: 'open' | 'claimed' | 'verified' | 'spent' | 'expired' | 'ended';
  /** Why it ended, as it was signed; null where it has not ended. */
  readonly endReason: LinkEndReason | null;
  /** What is wrong with a claim that waits; null where nothing is. */
  readonly claimFault: ClaimFault | null;
  /** Whether this mediator made it and nobody has claimed it: `linkAddress` shows it again. */
  readonly showable: boolean;
  /**
   * A mediator's credential, or `service` for the case system; from the signed statement. Null where that does not hold: then
   * nothing that comes through the link can be relied on.
   */
  readonly madeBy: string | null;
}

/** Why a claim cannot be verified. */
export type ClaimFault = Extract<Fault, 'not-from-link' | 'unusable-key' | 'altered'>;

/** The words that stand for a claim, in both languages. */
export type SpokenWords = Readonly<Record<Language, readonly string[]>>;

/** A claim that waits for a mediator to hear from its maker. */
export interface WaitingClaim {
  readonly link: Uuid;
  readonly participant: Uuid;
  /** Names the claim that the words stand for. */
  readonly claim: string;
  /** Null where `fault` says what is wrong. */
  readonly words: SpokenWords | null;
  readonly fault: ClaimFault | null;
  /** How many other links of this person are in use, which end when this claim is verified. */
  readonly ends: number;
}

export interface GrantedAgain {
  readonly granted: number;
  /** Messages that could not be granted, because something of them does not hold. */
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

/** One row of a case's log, whose hash follows from the row before. */
export interface LogEntry {
  readonly seq: number;
  readonly at: Time;
  readonly kind: string;
  readonly message: Uuid | null;
  readonly actor: string;
}

/** Without a state the states are taken together. */
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
  /** Null where relay does not say which part somebody has in the case. */
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
  /** Null where it waits for nobody any more; `mediator` is another one, also where this one approved it first. */
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

/** Why a link ended: the person has another one, or somebody else used it, so that nothing counts that came through it. */
export type LinkEndReason = statements.LinkEnding['reason'];

/**
 * How far a message may be believed to be its sender's. `unverified`: nobody has checked yet who made its keys. `ended`: it
 * came through a link after that had ended, or that somebody else used. Neither can be approved.
 */
export type Standing = chain.Standing;

/** Where the words of a part come from, once verified; pages put it in words. */
export type Origin =
  | {
      readonly by: 'participant';
      readonly participant: Uuid;
      /** Through which they came. */
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
  /** Whether the mediator who is signed in decided it, with whichever of their keys. */
  readonly mine: boolean;
  readonly decision: string;
  readonly reason: string | null;
  /** Opened with the case's key. */
  readonly words: string | null;
  /** Why the words cannot be read. */
  readonly wordsFault: Fault | null;
  /** Whether it is of exactly what is shown now. */
  readonly current: boolean;
}

/**
 * A message under review, as far as it verifies; without its content, which is asked for apart. One with faults can be sent
 * back, declined and held, and is neither approved nor offered.
 */
export interface ReviewItem extends QueueItem {
  readonly createdAt: Time;
  readonly processing: SentMessage['processing'];
  readonly withdrawalAsked: boolean;
  readonly gates: readonly Gate[];
  /** What of this message does not hold; empty where all of it does. */
  readonly faults: readonly Broken[];
  /** Null, as `standing`, where it cannot be told. */
  readonly origin: Origin | null;
  readonly standing: Standing | null;
  /** The media worker that made the rendition; null where there is none. */
  readonly preparedBy: Uuid | null;
  /** Whether it has words of its own: a letter has, a video may. */
  readonly hasText: boolean;
  readonly video: VideoFacts | null;
  /** Those that are released: a mediator's, or else those that came with the video. */
  readonly captions: { readonly by: 'author' | 'mediator'; readonly language: Language; readonly exception: string | null } | null;
  /** `notes`: what its recipient reads before they decide; null where it cannot be read. */
  readonly offered: { readonly at: Time; readonly notBefore: Time | null; readonly notes: OfferNotes | null } | null;
  readonly decisions: readonly PastDecision[];
  /** Whether the author has keys that a mediator's words can be sealed for. */
  readonly authorReady: boolean;
  /** Whether the recipient has keys that an offer can be written for. */
  readonly recipientReady: boolean;
  /** The recipient has newer keys than those that the release was granted to. */
  readonly grantAgain: boolean;
}

/** What came before a message, and how its recipient comes to what is offered to them. */
export interface History {
  /** The revisions before the one that is shown, the latest first. */
  readonly revisions: readonly EarlierRevision[];
  /** What else the two people sent each other, the newest first. */
  readonly others: readonly PastMessage[];
  /** Of what the recipient sent, what the sender had opened last when they sent this; null where they had opened nothing. */
  readonly answers: Uuid | null;
  readonly access: Access;
}

export interface EarlierRevision {
  readonly revision: number;
  readonly sentAt: Time;
  /** Null where it has no words, or `fault` says why they cannot be read. */
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

/** How somebody comes to what is offered to them, as far as relay can know. */
export interface Access {
  /**
   * `claimed`: they used a link, and nobody has verified that it was they; `made`: there is a link that nobody has used;
   * `broken`: their keys do not hold.
   */
  readonly way:
    | { readonly by: 'verified' | 'claimed' | 'made'; readonly since: Time }
    | { readonly by: 'none' | 'broken' };
  readonly hasUploadLink: boolean;
  /** The languages of what they wrote to this person, the latest first: which one they read nobody tells relay. */
  readonly wroteIn: readonly Language[];
  /** Whether somebody helped with the last message that they wrote; null where they wrote none. */
  readonly assisted: boolean | null;
}

export type DecisionKind = statements.Decision['decision'];

export interface NewDecision {
  readonly decision: DecisionKind;
  readonly reason?: string;
  /** For the author, in the mediator's own words (return, decline). */
  readonly words?: string;
  /** For the mediators of the case alone. */
  readonly note?: string;
}

/** What a mediator is typing, sealed for themself alone. */
export interface KeptForm {
  /** Where it is typed, such as `return:` and the identifier of a message. */
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
  /** The mediator read it to them and they confirmed these words; it is refused without. */
  readonly confirmed: true;
}

export interface MediatorClient extends Playback {
  /** Keyrings kept in this browser, sealed. */
  keyrings(): Promise<readonly KnownKeyring[]>;
  keepKeyring(keyring: KnownKeyring): Promise<void>;
  forgetKeyring(id: string): Promise<void>;
  /** New keys, sealed with a passphrase; `request` is the JSON text that an administrator has the root sign. */
  makeKeys(passphrase: string, label: string, fingerprint: string): Promise<{ readonly keyring: KnownKeyring; readonly request: string }>;
  unlock(keyring: KnownKeyring, passphrase: string, language: Language): Promise<MediatorSelf>;
  ownKeys(): Promise<OwnKeys>;
  /** New keys of the mediator who is signed in, with a request that names the same person; `keep`: in this browser. */
  renewKeys(passphrase: string, label: string, keep: boolean): Promise<{ readonly keyring: KnownKeyring; readonly request: string }>;
  /**
   * Puts one's newer credential in the place of the one that is signed in with, in every case. Once all are done, this
   * browser keeps the new keys alone, if it has them.
   */
  bringOver(progress: CasesProgress): Promise<readonly CaseOutcome[]>;
  /** From now on relay's sentences are asked for in this language. */
  speak(language: Language): Promise<void>;
  lock(): Promise<void>;

  colleagues(): Promise<readonly Colleague[]>;
  cases(): Promise<readonly CaseSummary[]>;
  case(id: Uuid): Promise<CaseDetail>;
  /** Registers a case of one's own and signs its first charter. */
  newCase(given: NewCase): Promise<CaseDetail>;
  /** Signs the first charter of a case that the case system registered. */
  openCase(id: Uuid, given: Omit<NewCase, 'reference' | 'roles'>): Promise<CaseDetail>;
  /** The address is shown once: relay has its secret only sealed. */
  makeLink(id: Uuid, participant: Uuid, purpose: Purpose): Promise<{ readonly link: Uuid; readonly url: string }>;
  /** The address of a link that one made oneself, until it is claimed; `no-such-link` for any other. */
  linkAddress(id: Uuid, link: Uuid): Promise<string>;
  endLink(id: Uuid, link: Uuid, reason: LinkEndReason): Promise<void>;
  /** Checks the claim of a link with its claim key; `no-such-link` where none waits. */
  checkClaim(id: Uuid, link: Uuid): Promise<WaitingClaim>;
  /** Signs that this very claim is its participant's, who said its words; their other links in use end. */
  verifyClaim(id: Uuid, link: Uuid, claim: string): Promise<void>;
  /** Signs the charter that follows `version`, with these mediators; who leaves reads nothing that is sealed from then on. */
  changeMediators(id: Uuid, version: number, mediators: readonly Uuid[]): Promise<void>;
  /** Puts a mediator's newer credential in the place of an older one. */
  replaceKeys(id: Uuid, version: number, old: Uuid, newer: Uuid): Promise<void>;
  /** The opened cases whose charter lists other media workers or recovery keys than those that are valid now. */
  outdatedCases(): Promise<readonly CaseSummary[]>;
  /** Signs the next charter of each of these cases, with the same mediators. */
  bringUpToDate(cases: readonly Uuid[], progress: CasesProgress): Promise<readonly CaseOutcome[]>;
  /** After a new link was claimed: grants everything that was released again. */
  grantAgain(id: Uuid, participant: Uuid): Promise<GrantedAgain>;
  recordConsent(id: Uuid, participant: Uuid, status: Consent): Promise<void>;
  /** All rows, each verified against the one before; `broken` where one does not follow. */
  log(id: Uuid): Promise<readonly LogEntry[]>;
  /** Every message of the case that was ever sent, whatever became of it, newest first. */
  messages(id: Uuid): Promise<readonly QueueItem[]>;

  keepForm(form: KeptForm): Promise<KeptSafe>;
  /** What was typed in a place and neither sent nor thrown away, on whatever device. */
  keptForm(place: string): Promise<KeptForm | null>;
  dropForm(place: string): Promise<void>;

  queue(filter: QueueFilter): Promise<{ readonly items: readonly QueueItem[]; readonly next: string | null }>;
  /** What waits for this mediator next after a message, oldest first, then from the beginning again; null where nothing else does. */
  nextWaiting(after: Uuid | null): Promise<Uuid | null>;
  /** Figures by state and by whom it waits for, at once and after every change; with the cases it was in, null for all of them. */
  watchQueue(
    changed: (figures: readonly QueueFigure[], cases: readonly Uuid[] | null) => void,
    broken: (refusal: Refusal) => void,
  ): Promise<Stop>;
  review(message: Uuid): Promise<ReviewItem>;
  /** What came before a message as it was shown last, verified and opened. */
  history(message: Uuid): Promise<History>;
  lease(message: Uuid): Promise<ReviewItem>;
  letGo(message: Uuid): Promise<void>;
  /** The words of a letter, or those that came with a video; null where there are none. */
  text(message: Uuid): Promise<string | null>;
  /** WebVTT; null where there is none. */
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

/** A participant's client. */

import type {
  Action,
  Answer,
  AuthorView,
  Consent,
  Form,
  Kind,
  Language,
  OfferNotes,
  ParticipantRole,
  Purpose,
  RecipientView,
  SaveResult,
  SpokenWords,
  Stop,
  Time,
  Uuid,
} from './terms';
import type { Playback, VideoFacts } from './videos';
import type { Broken, Refusal } from './refusals';

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
  /** Whether the case is closed: nothing can be sent, and nothing new is passed on. */
  readonly closed: boolean;
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

/** A mediator's client. */

import type { Attention } from '../../embed/protocol';
import type {
  CaseDetail,
  CaseOutcome,
  CaseSummary,
  CasesProgress,
  Colleague,
  GrantedAgain,
  Hold,
  KnownKeyring,
  LinkEndReason,
  LogEntry,
  MediatorSelf,
  NewCase,
  NewHold,
  OwnKeys,
  WaitingClaim,
} from './cases';
import type { Consent, Language, Purpose, SaveResult, Stop, Time, Uuid } from './terms';
import type { Playback } from './videos';
import type { Refusal } from './refusals';
import type { History, NewDecision, NewRelayedLetter, QueueFigure, QueueFilter, QueueItem, ReviewItem, StoredForm } from './review';

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
  /** `not-opened` until its first charter is signed. */
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
  /** Closes a case, or opens it again: while it is closed nothing is sent, offered or answered in it. */
  setClosed(id: Uuid, closed: boolean): Promise<void>;
  /** What keeps a case from being deleted, the oldest first. */
  holds(id: Uuid): Promise<readonly Hold[]>;
  placeHold(id: Uuid, hold: NewHold): Promise<void>;
  /** Ends a hold that a mediator placed. */
  liftHold(id: Uuid, hold: Uuid): Promise<void>;
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
  /** How much asks for this mediator, in all cases. */
  attention(): Promise<Attention>;
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

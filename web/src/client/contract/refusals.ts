/** Why something failed, as a page is told. */

import type { Weakness } from '../../crypto/passphrases';
import type { Gate } from './terms';

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
  | 'not-opened' // nobody has signed a charter of the case yet: it has to be opened first
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

export function isRefusal(thrown: unknown): thrown is Refusal {
  return typeof thrown === 'object' && thrown !== null && 'refusal' in thrown;
}

/** A thrown value as a refusal: anything else is a bug. */
export function asRefusal(thrown: unknown): Refusal {
  return isRefusal(thrown) ? thrown : { refusal: 'unexpected' };
}

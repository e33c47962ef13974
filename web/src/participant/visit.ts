/** What every screen behind the passphrase receives, and what it may ask of the page around it. */

import type {
  Arrival,
  Consent,
  Correspondence,
  Form,
  Language,
  ParticipantClient,
  Refusal,
  SendingProgress,
  SentMessage,
  Side,
  Uuid,
} from '../client/contract';
import type { Arriving, Inside } from './i18n';

export type Screen =
  | { readonly name: 'home' }
  | { readonly name: 'choose' }
  | { readonly name: 'write'; readonly draft: string | null; readonly to: Uuid | null; readonly revises: Uuid | null }
  | { readonly name: 'video'; readonly to: Uuid | null; readonly revises: Uuid | null; readonly resume: string | null; readonly take?: string }
  | { readonly name: 'sent'; readonly kind: Form; readonly receipt: string | null }
  | { readonly name: 'message'; readonly message: Uuid }
  | { readonly name: 'waiting'; readonly message: Uuid }
  | { readonly name: 'taking-part' };

/** An upload in progress; it continues whatever screen is shown. */
export interface Transfer {
  readonly progress: SendingProgress | null;
  readonly state: 'running' | 'paused' | 'failed';
  readonly refusal: Refusal | null;
  /** The chosen file, for as long as this page is open. */
  readonly file: Blob | null;
}

export type Sending = (progress: (progress: SendingProgress) => void) => Promise<SentMessage>;

export interface Visit {
  readonly client: ParticipantClient;
  readonly language: Language;
  readonly arriving: Arriving;
  readonly texts: Inside;
  readonly arrival: Arrival;
  /** Null before the first read. */
  readonly correspondence: Correspondence | null;
  /** The data may be outdated. */
  readonly broken: boolean;
  /** In assisted mode, who helps. */
  readonly assistant: string | null;
  readonly transfer: Transfer | null;

  go(screen: Screen): void;
  replace(screen: Screen): void;
  back(): void;
  /** Announces a text to screen readers. */
  say(text: string): void;
  send(file: Blob | null, sending: Sending): void;
  endTransfer(): void;
  consented(status: Consent): void;
  /** Fetches the next page of one of the lists. */
  more(side: Side): Promise<void>;
  /** Refetches after something was sent, withdrawn or answered. */
  renew(): Promise<void>;
  refused(refusal: Refusal): void;
}

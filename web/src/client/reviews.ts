/** What a mediator is shown of a message, record by record as far as each verifies; and what they have seen. */

import { CryptoError } from '../crypto/errors';
import type { VerifiedParticipant } from '../crypto/chain';
import * as release from '../crypto/release';
import { Decision, type Offer } from '../crypto/statements';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { download } from './downloading';
import { examine, type Examined, partOf } from './examining';
import type { Failures } from './failures';
import { formOf } from './forms';
import { keysFrom, type OpenCase, type OpenCases } from './opencases';
import { brokenOf, orBroken, reading, readingNow } from './records';
import type { components } from './schema';
import { openText, viewIn } from './sealing';
import type { OpenedVideos } from './openedvideos';
import { factsOf } from './openedvideos';

type Schemas = components['schemas'];
type Message = Schemas['ReviewMessage'];

const RELEASED: ReadonlySet<contract.State> = new Set(['released', 'viewed']);

export class Reviews {
  private readonly shown = new Map<Uuid, Message>();

  constructor(
    private readonly cases: OpenCases,
    private readonly openedVideos: OpenedVideos,
    private readonly failures: Failures,
  ) {}

  read(id: Uuid): Promise<Message> {
    return this.cases.office.signed.call('GET', `/v1/messages/${id}`);
  }

  async review(id: Uuid): Promise<contract.ReviewItem> {
    return this.show(await this.read(id));
  }

  /** The message as this mediator was last shown it: what they decide on. */
  async inFront(id: Uuid): Promise<Message> {
    const known = this.shown.get(id);
    if (known !== undefined) return known;
    const message = await this.read(id);
    this.shown.set(id, message);
    return message;
  }

  isReleased({ state }: Message): boolean {
    return RELEASED.has(state);
  }

  async queueItem(item: Schemas['QueueItem']): Promise<contract.QueueItem> {
    const { case: id, from, to } = item;
    const { reference } = await this.cases.view(id);
    const [sender, recipient] = [await this.cases.person(id, from), await this.cases.person(id, to)];
    return {
      message: item.message,
      case: id,
      reference,
      from,
      fromRole: sender?.role ?? null,
      fromNumber: sender?.number ?? null,
      to,
      toRole: recipient?.role ?? null,
      toNumber: recipient?.number ?? null,
      kind: item.kind,
      form: formOf(item),
      language: item.language,
      state: item.state,
      revision: item.revision,
      waitingSince: item.waiting_since,
      stateSince: item.state_since,
      waitsFor: item.waits_for,
      approvals: item.approvals,
      approvalsNeeded: item.approvals_needed,
      lease: this.lease(item.lease),
      actions: item.allowed_actions,
      failure: await this.failures.find(item.failure),
    };
  }

  /** Verifies and opens everything that came with a message, as far as it is valid. */
  examine(message: Message): Promise<Examined> {
    return this.cases.under(message.case, (opened) => examine(message, opened), ({ faults }) => faults.length === 0);
  }

  /** A message with its faults, which are a state of this message only. */
  async show(message: Message): Promise<contract.ReviewItem> {
    const { case: id } = message;
    const common = await this.queueItem({ ...message, waiting_since: message.waiting_since ?? message.state_since });
    const examined = await this.examine(message);
    const { offer } = examined;
    const faults = [...examined.faults];
    const found = async <Value>(work: () => Promise<Value>): Promise<Value | null> =>
      orBroken(work, (broken) => {
        faults.push(broken);
        return null;
      });
    const video = await this.video(examined, found);
    const recipient = await orBroken(() => this.recipient(message), () => null);
    const author = await this.cases.claimedIfSound(id, message.from);
    const decisions = await this.cases.under(id, (opened) => message.decisions.map((decision) => this.decision(decision, examined, message, opened)), areSound);
    this.shown.set(message.message, message);
    return {
      ...common,
      form: formOf(message, video),
      createdAt: message.created_at,
      processing: message.processing,
      withdrawalAsked: message.withdrawal_asked,
      gates: message.gates,
      faults,
      origin: originOf(examined),
      standing: examined.item?.standing ?? null,
      preparedBy: examined.preparedBy,
      hasText: partOf(examined, 'body') !== null,
      video,
      captions: captionsOf(examined),
      offered: offer === null ? null : { at: offer.at, notBefore: offer.not_before, notes: await this.notes(message, offer) },
      decisions,
      recipientReady: recipient !== null,
      authorReady: author !== null,
      grantAgain: RELEASED.has(message.state) && offer !== null && recipient !== null && offer.claim !== recipient.claimHash,
    };
  }

  /** The keys that an offer would be for; null if nobody has verified any, `broken` if they are invalid. */
  private recipient(message: Message): Promise<VerifiedParticipant | null> {
    return this.cases.under(message.case, (opened) => recipientOf(message, opened));
  }

  /** What the recipient of an offer reads before deciding; null if it cannot be read. */
  private notes(message: Message, { notes }: Offer): Promise<contract.OfferNotes | null> {
    const read = (): Promise<contract.OfferNotes> =>
      this.cases.under(message.case, ({ identities }) =>
        readingNow('offer', () => {
          const [contentNote = null, summary = null] = notes.map((note) => openText(message.case, note, viewIn(message.parts, note), identities));
          return { contentNote, summary };
        }),
      );
    return orBroken(read, () => null);
  }

  private decision(compact: string, { item }: Examined, message: Message, { charter, identities }: OpenCase): contract.PastDecision {
    try {
      const { statement, by } = readingNow('decision', () => {
        const signed = charter.verifyByMediator(compact, Decision);
        if (signed.statement.message !== message.message || signed.statement.case !== message.case) throw new CryptoError('chain', 'a decision on another message');
        return signed;
      });
      return {
        at: statement.at,
        mediator: by.credential,
        mine: by.person === charter.trust.authorities.get(this.cases.office.credential)?.person,
        decision: statement.decision,
        reason: statement.reason,
        ...wordsOf(statement, message, identities),
        current: item !== null && release.isOf(statement, item),
      };
    } catch (error) {
      const broken = brokenOf(error);
      if (broken === null) throw error;
      return { fault: broken.fault };
    }
  }

  private async video(
    examined: Examined,
    found: <Value>(work: () => Promise<Value>) => Promise<Value | null>,
  ): Promise<contract.VideoFacts | null> {
    const video = partOf(examined, 'rendition');
    const rendition = examined.item?.rendition ?? null;
    const fileKey = video === null ? undefined : examined.keys.get(video.commit);
    if (rendition === null || video === null || fileKey === undefined) return null;
    this.openedVideos.admit(video, fileKey);
    const facts = { ...factsOf(rendition, video), poster: null };
    const poster = partOf(examined, 'poster');
    const posterKey = poster === null ? undefined : examined.keys.get(poster.commit);
    if (poster === null || posterKey === undefined) return facts;
    const { signed } = this.cases.office;
    return { ...facts, poster: await found(() => reading('poster', () => download(signed, poster, posterKey, poster.type))) };
  }

  private lease(lease: Schemas['Lease'] | null): contract.Lease | null {
    if (lease === null) return null;
    return { holder: lease.holder, mine: lease.holder === this.cases.office.credential, expiresAt: lease.expires_at };
  }
}

/** The keys that an offer would be for, verified; null if nobody has verified any, `broken` if they are invalid. */
export function recipientOf({ recipient_origin: origin, to }: Message, { charter }: OpenCase): VerifiedParticipant | null {
  return origin.length === 0 ? null : keysFrom(origin, to, charter);
}

/** The mediator's words in a decision, opened with the case's keys; or why they cannot be read. */
function wordsOf(
  { notes }: Decision,
  message: Message,
  identities: OpenCase['identities'],
): Pick<contract.ReadDecision, 'words' | 'wordsFault'> {
  try {
    const words = readingNow('decision', () => notes.map((note) => openText(message.case, note, viewIn(message.parts, note), identities)));
    return { words: words.length === 0 ? null : words.join('\n\n'), wordsFault: null };
  } catch (error) {
    const broken = brokenOf(error);
    if (broken === null) throw error;
    return { words: null, wordsFault: broken.fault };
  }
}

function areSound(decisions: readonly contract.PastDecision[]): boolean {
  return decisions.every((decision) => !('fault' in decision) && decision.wordsFault === null);
}

/** Whose captions these are: a mediator's, or else those that came with the video. */
function captionsOf({ item }: Examined): contract.ReviewItem['captions'] {
  if (item === null) return null;
  if (item.captions !== null) return { by: 'mediator', language: item.captions.language, exception: item.captions.exception };
  const came = item.message.parts.some(({ role }) => role === 'captions');
  return came ? { by: 'author', language: item.message.language, exception: null } : null;
}

function originOf(examined: Examined): contract.Origin | null {
  const { item, provenance } = examined;
  if (item === null || provenance === null) return null;
  const participant = item.message.from;
  const note = partOf(examined, 'note');
  const assistant = note === null ? null : (examined.texts.get(note.commit) ?? null);
  switch (provenance.by) {
    case 'participant':
      return { by: 'participant', participant, link: provenance.link, claimVerifiedBy: provenance.claimVerifiedBy, assistant };
    case 'upload-link':
      return { by: 'upload-link', participant, assistant };
    case 'mediator':
      return { by: 'mediator', participant, mediator: provenance.mediator };
  }
}

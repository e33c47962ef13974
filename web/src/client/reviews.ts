/** What a mediator is shown of a message, with every signature on it verified; and what they had in front of them. */

import * as chain from '../crypto/chain';
import * as release from '../crypto/release';
import { Decision, Offer } from '../crypto/statements';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { download } from './downloading';
import type { Failures } from './failures';
import { now } from './moments';
import type { OpenCase, OpenCases } from './opencases';
import { Refused } from './refusing';
import type { components } from './schema';
import { openText, unwrap, viewIn, viewOf } from './sealing';
import type { Theatre } from './theatre';
import { factsOf } from './theatre';
import type { VerifiedItem } from './verifying';
import { verifyItem } from './verifying';

type Schemas = components['schemas'];
type Message = Schemas['ReviewMessage'];

const RELEASED: ReadonlySet<contract.State> = new Set(['released', 'viewed']);
const WAS_OFFERED: ReadonlySet<contract.State> = new Set(['offered', 'released', 'viewed', 'refused', 'recalled', 'closed']);

export class Reviews {
  private readonly shown = new Map<Uuid, Message>();

  constructor(
    private readonly cases: OpenCases,
    private readonly theatre: Theatre,
    private readonly failures: Failures,
  ) {}

  read(id: Uuid): Promise<Message> {
    return this.cases.office.signed.call('GET', `/v1/messages/${id}`);
  }

  async review(id: Uuid): Promise<contract.ReviewItem> {
    return this.show(await this.read(id));
  }

  /** The message as this mediator was last shown it: what they decide on, and no other. */
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
    return {
      message: item.message,
      case: id,
      reference,
      from,
      fromRole: (await this.cases.participant(id, from)).role,
      to,
      toRole: (await this.cases.participant(id, to)).role,
      kind: item.kind,
      language: item.language,
      state: item.state,
      revision: item.revision,
      waitingSince: item.waiting_since,
      stateSince: item.state_since,
      approvals: item.approvals,
      approvalsNeeded: item.approvals_needed,
      lease: this.lease(item.lease),
      failure: await this.failures.find(item.failure),
    };
  }

  async show(message: Message): Promise<contract.ReviewItem> {
    const { statement } = message;
    // A draft is its author's alone.
    if (statement === null) throw new Refused('refused');
    const common = await this.queueItem({ ...message, waiting_since: message.waiting_since ?? message.state_since });
    const item = await this.cases.under(message.case, async (opened): Promise<contract.ReviewItem> => {
      const compacts = [statement, message.rendition, message.captions].filter((compact) => compact !== null);
      const verified = verifyItem(compacts, message.origin, opened.charter);
      expectSame(verified.item, message);
      const recipient = recipientOf(message, opened);
      const offer = message.offer === null ? null : opened.charter.verifyByMediator(message.offer, Offer).statement;
      const { captions } = verified.item;
      return {
        ...common,
        createdAt: message.created_at,
        processing: message.processing,
        withdrawalAsked: message.withdrawal_asked,
        gates: message.gates,
        origin: originOf(verified, message, opened),
        standing: verified.item.standing,
        preparedBy: verified.preparedBy,
        video: await this.video(verified.item, message, opened),
        captions: captions === null ? null : { language: captions.language, exception: captions.exception },
        offered: offer !== null && WAS_OFFERED.has(message.state) ? { at: offer.at, notBefore: offer.not_before } : null,
        decisions: message.decisions.map((decision) => this.decision(decision, verified.item, message, opened)),
        recipientReady: recipient !== null,
        grantAgain: RELEASED.has(message.state) && offer !== null && recipient !== null && offer.claim !== recipient.claimHash,
      };
    });
    this.shown.set(message.message, message);
    return item;
  }

  private decision(compact: string, item: release.Item, message: Message, { charter, identities }: OpenCase): contract.PastDecision {
    const { statement, by } = charter.verifyByMediator(compact, Decision);
    if (statement.message !== message.message || statement.case !== message.case) throw new Refused('untrusted');
    const words = statement.notes.map((note) => openText(message.case, note, viewIn(message.parts, note), identities));
    return {
      at: statement.at,
      mediator: by.credential,
      mine: by.credential === this.cases.office.credential,
      decision: statement.decision,
      reason: statement.reason,
      words: words.length === 0 ? null : words.join('\n\n'),
      current: release.isOf(statement, item),
    };
  }

  private async video({ rendition }: release.Item, message: Message, { identities }: OpenCase): Promise<contract.VideoFacts | null> {
    const video = rendition?.parts.find(({ role }) => role === 'rendition');
    if (rendition === null || video === undefined) return null;
    this.theatre.admit(video, unwrap(message.case, video, viewIn(message.parts, video), identities));
    const poster = rendition.parts.find(({ role }) => role === 'poster');
    const view = poster === undefined ? null : viewOf(message.parts, poster);
    if (poster === undefined || view === null) return { ...factsOf(rendition, video), poster: null };
    const fileKey = unwrap(message.case, poster, view, identities);
    return { ...factsOf(rendition, video), poster: await download(this.cases.office.signed, poster, fileKey, poster.type) };
  }

  private lease(lease: Schemas['Lease'] | null): contract.Lease | null {
    if (lease === null) return null;
    return { holder: lease.holder, mine: lease.holder === this.cases.office.credential, expiresAt: lease.expires_at };
  }
}

/** The keys that an offer would be for, verified; null where nobody has verified any. */
export function recipientOf({ recipient_origin: origin, to }: Message, { charter }: OpenCase): chain.VerifiedParticipant | null {
  if (origin.length === 0) return null;
  const recipient = chain.verifyParticipant(origin, charter, now());
  if (recipient.participant !== to) throw new Refused('untrusted');
  return recipient;
}

/** Refuses a statement of another message than relay says it is of. */
function expectSame({ message: said }: release.Item, message: Message): void {
  const members = ['message', 'revision', 'from', 'to', 'kind', 'language'] as const;
  if (members.some((member) => said[member] !== message[member])) throw new Refused('untrusted');
}

function originOf({ item, provenance }: VerifiedItem, message: Message, { identities }: OpenCase): contract.Origin {
  const participant = item.message.from;
  const note = item.message.parts.find(({ role }) => role === 'note');
  const assistant = note === undefined ? null : openText(message.case, note, viewIn(message.parts, note), identities);
  switch (provenance.by) {
    case 'participant':
      return { by: 'participant', participant, link: provenance.link, claimVerifiedBy: provenance.claimVerifiedBy, assistant };
    case 'upload-link':
      return { by: 'upload-link', participant, assistant };
    case 'mediator':
      return { by: 'mediator', participant, mediator: provenance.mediator };
  }
}

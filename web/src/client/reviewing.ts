/** A mediator's work on messages: the queue, reading what waits, deciding, captioning, offering. */

import { b64uEncode } from '../crypto/encoding';
import * as release from '../crypto/release';
import { statementHash } from '../crypto/signing';
import { sha256 } from '../crypto/sodium';
import * as statements from '../crypto/statements';
import { ActSigner } from './acting';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { watch } from './events';
import { newId, now } from './moments';
import type { Claimed, OpenCase, OpenCases } from './opencases';
import { participantReader } from './opencases';
import { Refused } from './refusing';
import type { Reviews } from './reviews';
import type { components } from './schema';
import type { Reader, SealedText } from './sealing';
import { bodyOf, grant, openText, partWith, sealText, unwrap, viewIn, viewOf } from './sealing';
import { verifyItem } from './verifying';
import { fromBase64 } from './wire';
import { caseReader, mediaReaders, signMessage } from './writing';

type Schemas = components['schemas'];
type Message = Schemas['ReviewMessage'];

const ITEMS_A_PAGE = 50;
const IN_QUEUE: readonly Schemas['QueueState'][] = [
  'processing',
  'failed',
  'queued',
  'claimed',
  'held',
  'returned',
  'approved',
  'offered',
  'released',
];
/** Words to the author about these would tell them of the offer. */
const SECRET = new Set<contract.DecisionKind>(['retract', 'recall']);

export class Reviewing {
  private readonly stops = new Set<contract.Stop>();
  private readonly acts = new ActSigner();

  constructor(
    private readonly cases: OpenCases,
    private readonly reviews: Reviews,
  ) {}

  async leave(): Promise<void> {
    await Promise.all(Array.from(this.stops, (stop) => stop()));
  }

  // The queue.

  async queue(filter: contract.QueueFilter): Promise<{ readonly items: readonly contract.QueueItem[]; readonly next: string | null }> {
    const query = new URLSearchParams({ state: filter.state, limit: String(ITEMS_A_PAGE) });
    if (filter.case !== undefined) query.set('case', filter.case);
    if (filter.language !== undefined) query.set('language', filter.language);
    if (filter.olderThanSeconds !== undefined) query.set('older_than_seconds', String(Math.floor(filter.olderThanSeconds)));
    if (filter.after !== undefined) query.set('after', filter.after);
    const page = await this.signed.call<Schemas['QueuePage']>('GET', `/v1/queue?${query.toString()}`);
    return { items: await Promise.all(page.items.map((item) => this.reviews.queueItem(item))), next: page.next };
  }

  watchQueue(changed: Parameters<contract.MediatorClient['watchQueue']>[0], broken: (refusal: contract.Refusal) => void): contract.Stop {
    const stop = watch<Schemas['QueueFigures']>(this.signed, '/v1/queue/events', {
      changed: ({ figures }) => { changed(figures); },
      broken,
    });
    this.stops.add(stop);
    return stop;
  }

  /** Every message of a case that waits for somebody, newest first. */
  async ofCase(id: Uuid): Promise<readonly contract.QueueItem[]> {
    const states = await Promise.all(IN_QUEUE.map((state) => this.wholeQueue(id, state)));
    return states.flat().sort((one, other) => Date.parse(other.stateSince) - Date.parse(one.stateSince));
  }

  // Reading.

  async lease(message: Uuid): Promise<contract.ReviewItem> {
    return this.reviews.show(await this.signed.call('PUT', `/v1/messages/${message}/lease`));
  }

  async letGo(message: Uuid): Promise<void> {
    await this.signed.call('DELETE', `/v1/messages/${message}/lease`);
  }

  async text(id: Uuid): Promise<string> {
    const message = await this.reviews.inFront(id);
    return this.cases.under(message.case, ({ charter, identity }) => {
      const body = partWith(verified(message, { charter, identity }).message.parts, 'body');
      return openText(message.case, body, viewIn(message.parts, body), [identity]);
    });
  }

  /** The captions of a mediator, or else those that came with the video. */
  async captionsText(id: Uuid): Promise<string | null> {
    const message = await this.reviews.inFront(id);
    return this.cases.under(message.case, (opened) => {
      const item = verified(message, opened);
      const part = item.captions === null ? item.message.parts.find(({ role }) => role === 'captions') : item.captions.part;
      return part == null ? null : openText(message.case, part, viewIn(message.parts, part), [opened.identity]);
    });
  }

  // Acting: always on exactly what this mediator was shown, however relay has it by now.

  async decide(id: Uuid, { decision, reason, words, note }: contract.NewDecision): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    const opened = await this.cases.find(message.case);
    const toCase = caseReader(opened.charter);
    const author = words === undefined || SECRET.has(decision) ? null : await this.cases.claimed(message.case, message.from);
    const notes: Note[] = [];
    const toAuthor = author === null ? [] : [participantReader('author', message.from, author)];
    if (words !== undefined) notes.push(noteFor(message, words, [toCase, ...toAuthor]));
    if (note !== undefined) notes.push(noteFor(message, note, [toCase]));
    const grants = decision === 'retry' ? await this.mediaGrants(message) : notes.flatMap((each) => each.grants);
    const said = {
      case: message.case,
      message: id,
      revision: message.revision,
      ...about(message),
      decision,
      reason: reason ?? null,
      notes: notes.map(({ sealed }) => sealed.part),
    };
    const statement = await this.acts.sign((at) => statements.sign(this.signer, statements.Decision, { at, ...said }));
    return this.act(id, 'decisions', { statement, grants, bodies: notes.map(({ sealed }) => bodyOf(sealed)) });
  }

  async caption(
    id: Uuid,
    given: { readonly text: string; readonly language: contract.Language } | { readonly exception: string },
  ): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    const { charter } = await this.cases.find(message.case);
    const sealed = 'text' in given ? sealText(message.case, 'captions', given.text, 'text/vtt') : null;
    const { source, rendition } = about(message);
    const said = {
      case: message.case,
      message: id,
      revision: message.revision,
      source,
      rendition,
      language: 'text' in given ? given.language : message.language,
      part: sealed?.part ?? null,
      exception: 'text' in given ? null : given.exception,
    };
    const statement = await this.acts.sign((at) => statements.sign(this.signer, statements.Captions, { at, ...said }));
    const grants = sealed === null ? [] : [grant(sealed, caseReader(charter))];
    const body: Schemas['SignedAct'] = { statement, grants, bodies: sealed === null ? [] : [bodyOf(sealed)] };
    return this.reviews.show(await this.signed.call('PUT', `/v1/messages/${id}/captions`, { body }));
  }

  /** Writes the recipient's grants and offers the message: the act that makes a release possible. */
  async offer(
    id: Uuid,
    { contentNote, summary, notBefore }: Parameters<contract.MediatorClient['offer']>[1],
  ): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    const claimed = await this.cases.claimed(message.case, message.to);
    if (claimed === null) throw new Refused('refused', { gates: ['recipient-key'] });
    return this.offerTo(message, claimed, summary === null ? [contentNote] : [contentNote, summary], notBefore);
  }

  /** Offers again, to their new keys, what was released to somebody; with the words that went with it. */
  async grantAgain(id: Uuid, participant: Uuid, everything: readonly Uuid[]): Promise<number> {
    const claimed = await this.cases.claimed(id, participant);
    if (claimed === null) throw new Refused('refused', { gates: ['recipient-key'] });
    let granted = 0;
    for (const each of everything) {
      const message = await this.reviews.read(each);
      if (message.to !== participant || !this.reviews.isReleased(message) || message.offer === null) continue;
      const { offer } = message;
      const notes = await this.cases.under(id, ({ charter, identity }) => {
        const said = charter.verifyByMediator(offer, statements.Offer).statement;
        if (said.claim === claimed.claimHash) return null;
        return said.notes.map((note) => openText(id, note, viewIn(message.parts, note), [identity]));
      });
      if (notes === null) continue;
      await this.offerTo(message, claimed, notes, null);
      granted += 1;
    }
    return granted;
  }

  async recordWithdrawal(id: Uuid): Promise<void> {
    const message = await this.reviews.inFront(id);
    const said = { at: now(), case: message.case, message: id, participant: message.from };
    const statement = statements.sign(this.signer, statements.Withdrawal, said);
    await this.signed.call('PUT', `/v1/messages/${id}/withdrawal`, { body: { statement } });
  }

  /** Writes down what a participant said and confirmed; the mediator signs for it. */
  async relayLetter({ case: caseId, from, to, language, text, confirmed }: contract.NewRelayedLetter): Promise<Uuid> {
    // A page can say anything; without their word there is no letter.
    if (!(confirmed as boolean)) throw new Refused('refused');
    const { charter } = await this.cases.find(caseId);
    const author = await this.cases.claimed(caseId, from);
    const body = sealText(caseId, 'body', text);
    const readers = [caseReader(charter), ...(author === null ? [] : [participantReader('author', from, author)])];
    const message = newId();
    const address = { message, revision: 1, supersedes: null, to, language };
    const submission: Schemas['Submission'] = {
      statement: signMessage(this.signer, caseId, from, address, 'letter', [body]),
      grants: readers.map((reader) => grant(body, reader)),
      bodies: [bodyOf(body)],
    };
    await this.signed.call('PUT', `/v1/messages/${message}/revisions/1`, { body: submission });
    return message;
  }

  private get signed() {
    return this.cases.office.signed;
  }

  private get signer() {
    return this.cases.office.keyring.signer;
  }

  private async act(id: Uuid, what: 'decisions' | 'offers', body: Schemas['SignedAct']): Promise<contract.ReviewItem> {
    return this.reviews.show(await this.signed.call('POST', `/v1/messages/${id}/${what}`, { body }));
  }

  private async offerTo(
    message: Message,
    claimed: Claimed,
    words: readonly string[],
    notBefore: contract.Time | null,
  ): Promise<contract.ReviewItem> {
    const recipient = participantReader('recipient', message.to, claimed);
    const { charter } = await this.cases.find(message.case);
    const notes = words.map((text) => noteFor(message, text, [caseReader(charter), recipient]));
    const { item, released } = await this.cases.under(message.case, (opened) => {
      const reviewed = verified(message, opened);
      // Never an original, never the note that says who assisted: `releasableParts` knows neither.
      const parts = release.releasableParts(reviewed).filter((part) => viewOf(message.parts, part) !== null);
      const unwrapped = parts.map((part) => ({ part, fileKey: unwrap(message.case, part, viewIn(message.parts, part), [opened.identity]) }));
      return { item: reviewed, released: unwrapped.map((sealed) => grant(sealed, recipient)) };
    });
    const grants = [...released, ...notes.flatMap((note) => note.grants)];
    const statement = statements.sign(this.signer, statements.Offer, {
      at: now(),
      case: message.case,
      message: message.message,
      revision: message.revision,
      source: item.source,
      rendition: item.renditionHash,
      captions: item.captionsHash,
      recipient: claimed.recipient,
      claim: claimed.claimHash,
      grants: grants
        .filter(({ audience }) => audience === 'recipient')
        .map(({ commitment, header }) => ({ commit: commitment, header: b64uEncode(sha256(fromBase64(header))) })),
      notes: notes.map(({ sealed }) => sealed.part),
      not_before: notBefore === null ? null : `${new Date(notBefore).toISOString().slice(0, 19)}Z`,
    });
    return this.act(message.message, 'offers', { statement, grants, bodies: notes.map(({ sealed }) => bodyOf(sealed)) });
  }

  /** The original, opened with the case's identity and sealed for the media workers once more. */
  private mediaGrants(message: Message): Promise<Schemas['Grant'][]> {
    return this.cases.under(message.case, (opened) => {
      const original = partWith(verified(message, opened).message.parts, 'original');
      const fileKey = unwrap(message.case, original, viewIn(message.parts, original), [opened.identity]);
      return mediaReaders(opened.charter).map((worker) => grant({ part: original, fileKey }, worker));
    });
  }

  private async wholeQueue(id: Uuid, state: Schemas['QueueState']): Promise<contract.QueueItem[]> {
    const found: contract.QueueItem[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page: Awaited<ReturnType<Reviewing['queue']>> = await this.queue({ state, case: id, ...(after === undefined ? {} : { after }) });
      found.push(...page.items);
      after = page.next;
    }
    return found;
  }
}

interface Note {
  readonly sealed: SealedText;
  readonly grants: readonly Schemas['Grant'][];
}

function noteFor(message: Message, text: string, readers: readonly Reader[]): Note {
  const sealed = sealText(message.case, 'note', text);
  return { sealed, grants: readers.map((reader) => grant(sealed, reader)) };
}

/** What exactly was in front of the mediator, by hash. */
function about({ statement, rendition, captions }: Message): Pick<statements.Decision, 'source' | 'rendition' | 'captions'> {
  if (statement === null) throw new Refused('refused');
  const hashOf = (compact: string | null) => (compact === null ? null : statementHash(compact));
  return { source: statementHash(statement), rendition: hashOf(rendition), captions: hashOf(captions) };
}

function verified({ statement, rendition, captions, origin }: Message, { charter }: OpenCase): release.Item {
  const compacts = [statement, rendition, captions].filter((compact) => compact !== null);
  return verifyItem(compacts, origin, charter).item;
}


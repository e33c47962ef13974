/** A mediator's work on messages: the queue, reading, deciding, captioning, offering. */

import { b64uEncode } from '../crypto/encoding';
import * as release from '../crypto/release';
import { statementHash } from '../crypto/signing';
import { sha256 } from '../crypto/sodium';
import * as statements from '../crypto/statements';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { watch } from './events';
import { type Examined, expectWhole, keyOf, textOf } from './examining';
import { newId, now } from './stamps';
import type { OpenCase, OpenCases } from './opencases';
import { participantReader } from './opencases';
import { orBroken, readingNow } from './records';
import { isRefused, Refused } from './refusing';
import type { Reviews } from './reviews';
import { recipientOf } from './reviews';
import type { components } from './schema';
import type { Reader, SealedText } from './sealing';
import { bodyOf, grant, openText, partWith, sealText, viewIn } from './sealing';
import { verifyConsents } from './verifying';
import { fromBase64 } from './wire';
import { caseReader, mediaReaders, signMessage } from './writing';

type Schemas = components['schemas'];
type Message = Schemas['ReviewMessage'];

const ITEMS_A_PAGE = 50;
const UNDER_REVIEW = ['queued', 'claimed'] as const satisfies readonly contract.State[];
/** Relay's answers if one message cannot be offered as it is, regardless of the others. */
const KEEPS_ONE = ['not-verifiable', 'gate-closed'];
/** Words to the author about these would reveal the offer. */
const SECRET = new Set<contract.DecisionKind>(['retract', 'recall']);

export class Reviewing {
  private readonly stops = new Set<contract.Stop>();

  constructor(
    private readonly cases: OpenCases,
    private readonly reviews: Reviews,
  ) {}

  async leave(): Promise<void> {
    await Promise.all(Array.from(this.stops, (stop) => stop()));
  }

  // The queue.

  async queue(filter: contract.QueueFilter): Promise<{ readonly items: readonly contract.QueueItem[]; readonly next: string | null }> {
    const query = new URLSearchParams({ limit: String(ITEMS_A_PAGE) });
    if (filter.state !== undefined) query.set('state', filter.state);
    if (filter.waitsFor !== undefined) query.set('waits_for', filter.waitsFor);
    if (filter.case !== undefined) query.set('case', filter.case);
    if (filter.language !== undefined) query.set('language', filter.language);
    if (filter.olderThanSeconds !== undefined) query.set('older_than_seconds', String(Math.floor(filter.olderThanSeconds)));
    if (filter.after !== undefined) query.set('after', filter.after);
    const page = await this.page('/v1/queue', query);
    return { items: await Promise.all(page.items.map((item) => this.reviews.queueItem(item))), next: page.next };
  }

  async nextWaiting(after: Uuid | null): Promise<Uuid | null> {
    const before = after === null ? null : await this.reviews.inFront(after);
    let first: Uuid | null = null;
    for await (const item of this.all('/v1/queue', { waits_for: 'you' })) {
      if (item.message === after) continue;
      if (before === null || comesAfter(item, before)) return item.message;
      first ??= item.message;
    }
    return first;
  }

  watchQueue(changed: Parameters<contract.MediatorClient['watchQueue']>[0], broken: (refusal: contract.Refusal) => void): contract.Stop {
    const stop = watch<Schemas['QueueChanged']>(this.signed, '/v1/queue/events', {
      changed: async ({ cases, everything }) => {
        changed(await this.figures(), everything ? null : cases);
      },
      broken,
    });
    this.stops.add(stop);
    return stop;
  }

  /** How much waits, by state and by whom it waits for. */
  async figures(): Promise<readonly contract.QueueFigure[]> {
    const { figures } = await this.signed.call<Schemas['QueueFigures']>('GET', '/v1/queue/figures');
    return figures.map(({ waits_for: waitsFor, ...figure }) => ({ ...figure, waitsFor }));
  }

  /** How many of the messages under review that wait for this mediator have an approval already; `own` are their figures. */
  async countSecondApprovals(own: readonly contract.QueueFigure[]): Promise<number> {
    let count = 0;
    for (const state of UNDER_REVIEW) {
      if (!own.some((figure) => figure.state === state && figure.messages > 0)) continue;
      for await (const { approvals } of this.all('/v1/queue', { waits_for: 'you', state })) if (approvals > 0) count += 1;
    }
    return count;
  }

  /** Every message of a case that was ever sent, newest first. */
  async ofCase(id: Uuid): Promise<readonly contract.QueueItem[]> {
    const found: contract.QueueItem[] = [];
    for await (const item of this.all(`/v1/cases/${id}/messages`)) found.push(await this.reviews.queueItem(item));
    return found;
  }

  // Reading.

  async lease(message: Uuid): Promise<contract.ReviewItem> {
    return this.reviews.show(await this.signed.call('PUT', `/v1/messages/${message}/lease`));
  }

  async letGo(message: Uuid): Promise<void> {
    await this.signed.call('DELETE', `/v1/messages/${message}/lease`);
  }

  /** The text of a letter, or the one sent with a video; null if there is none. */
  async text(id: Uuid): Promise<string | null> {
    return textOf(await this.reviews.examine(await this.reviews.inFront(id)), 'body');
  }

  /** The mediator's captions, or else those that came with the video. */
  async captionsText(id: Uuid): Promise<string | null> {
    return textOf(await this.reviews.examine(await this.reviews.inFront(id)), 'captions');
  }

  // Acting: always on exactly what this mediator was shown, even if relay has something else by now.

  async decide(id: Uuid, { decision, reason, words, note }: contract.NewDecision): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    if (decision === 'approve') requireKnownSender(expectWhole(await this.reviews.examine(message)));
    const opened = await this.cases.find(message.case);
    const toCase = caseReader(opened.charter);
    // Nothing is sealed for invalid keys: the words stay with the case, and the author reads the reason.
    const author = words === undefined || SECRET.has(decision) ? null : await this.cases.claimedIfSound(message.case, message.from);
    const notes: Note[] = [];
    const toAuthor = author === null ? [] : [participantReader('author', author)];
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
    const statement = statements.sign(this.signer, statements.Decision, { at: now(), ...said });
    return this.act(id, 'decisions', { statement, grants, bodies: notes.map(({ sealed }) => bodyOf(sealed)) });
  }

  async caption(
    id: Uuid,
    given: { readonly text: string; readonly language: contract.Language } | { readonly exception: string },
  ): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    const { charter } = await this.cases.find(message.case);
    const sealed = 'text' in given ? sealText(message.case, 'captions', given.text) : null;
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
    const statement = statements.sign(this.signer, statements.Captions, { at: now(), ...said });
    const grants = sealed === null ? [] : [grant(sealed, caseReader(charter))];
    const body: Schemas['ReviewRequest'] = { statement, grants, bodies: sealed === null ? [] : [bodyOf(sealed)] };
    return this.reviews.show(await this.signed.call('PUT', `/v1/messages/${id}/captions`, { body }));
  }

  /** Writes the recipient's grants and offers the message: the act that makes a release possible. */
  async offer(
    id: Uuid,
    { contentNote, summary, notBefore }: Parameters<contract.MediatorClient['offer']>[1],
  ): Promise<contract.ReviewItem> {
    const message = await this.reviews.inFront(id);
    return this.offerTo(message, await this.reviews.read(id), summary === null ? [contentNote] : [contentNote, summary], notBefore);
  }

  /**
   * Grants what was released to somebody again, to their new keys and with the notes that went with it. Invalid messages
   * are skipped and listed.
   */
  async grantAgain(id: Uuid, participant: Uuid, everything: readonly Uuid[]): Promise<contract.GrantedAgain> {
    const claimed = await this.cases.claimed(id, participant);
    if (claimed === null) throw new Refused('refused', { code: 'gate-closed', gates: ['recipient-key'] });
    let granted = 0;
    const broken: Uuid[] = [];
    for (const each of everything) {
      const message = await this.reviews.read(each);
      if (message.to !== participant || !this.reviews.isReleased(message) || message.offer === null) continue;
      const { offer } = message;
      const done = await this.grantedOne(message, offer, claimed.claimHash);
      if (done === null) broken.push(each);
      else if (done) granted += 1;
    }
    return { granted, broken };
  }

  /** Whether it was granted; null if it cannot be, which does not stop the others. */
  private async grantedOne(message: Message, offer: string, claimHash: string): Promise<boolean | null> {
    try {
      return await orBroken(() => this.grantOne(message, offer, claimHash), () => null);
    } catch (error) {
      if (KEEPS_ONE.some((code) => isRefused(error, 'refused', code))) return null;
      throw error;
    }
  }

  private async grantOne(message: Message, offer: string, claimHash: string): Promise<boolean> {
    const { case: id } = message;
    const notes = await this.cases.under(id, ({ charter, identities }) =>
      readingNow('offer', () => {
        const said = charter.verifyByMediator(offer, statements.Offer).statement;
        if (said.claim === claimHash) return null;
        return said.notes.map((note) => openText(id, note, viewIn(message.parts, note), identities));
      }),
    );
    if (notes === null) return false;
    await this.offerTo(message, message, notes, null);
    return true;
  }

  async recordWithdrawal(id: Uuid): Promise<void> {
    const message = await this.reviews.inFront(id);
    const said = { at: now(), case: message.case, message: id, participant: message.from };
    const statement = statements.sign(this.signer, statements.Withdrawal, said);
    await this.signed.call('PUT', `/v1/messages/${id}/withdrawal`, { body: { statement } });
  }

  /** Writes down what a participant said and confirmed; the mediator signs it. */
  async relayLetter({ case: caseId, from, to, language, text, confirmed }: contract.NewRelayedLetter): Promise<Uuid> {
    // A page can say anything: without the participant's confirmation there is no letter.
    if (!(confirmed as boolean)) throw new Refused('refused');
    const author = await this.cases.claimedIfSound(caseId, from);
    const sealed = sealText(caseId, 'body', text);
    const toAuthor = author === null ? [] : [participantReader('author', author)];
    const message = newId();
    const address = { message, revision: 1, supersedes: null, to, language };
    await this.cases.sending(caseId, async ({ charter }) => {
      const body: Schemas['Submission'] = {
        statement: signMessage(this.signer, charter, from, address, 'letter', [sealed]),
        grants: [caseReader(charter), ...toAuthor].map((reader) => grant(sealed, reader)),
        bodies: [bodyOf(sealed)],
      };
      await this.signed.call('PUT', `/v1/messages/${message}/revisions/1`, { body });
    });
    return message;
  }

  private get signed() {
    return this.cases.office.signed;
  }

  private get signer() {
    return this.cases.office.keyring.signer;
  }

  private async act(id: Uuid, what: 'decisions' | 'offers', body: Schemas['ReviewRequest']): Promise<contract.ReviewItem> {
    return this.reviews.show(await this.signed.call('POST', `/v1/messages/${id}/${what}`, { body }));
  }

  /**
   * Offers what was reviewed under the charter in force, to the current keys and consents from relay (`current`),
   * all of them verified.
   */
  private offerTo(
    reviewed: Message,
    current: Message,
    words: readonly string[],
    notBefore: contract.Time | null,
  ): Promise<contract.ReviewItem> {
    const notes = words.map((text) => sealText(reviewed.case, 'note', text));
    return this.cases.sending(reviewed.case, async () => {
      const examined = await this.reviews.examine(reviewed);
      const body = await this.cases.under(reviewed.case, (opened) => this.signedOffer({ reviewed, examined, current, notes, notBefore }, opened));
      return this.act(reviewed.message, 'offers', body);
    });
  }

  private signedOffer({ reviewed, examined, current, notes, notBefore }: Offering, opened: OpenCase): Schemas['ReviewRequest'] {
    const item = expectWhole(examined);
    requireKnownSender(item);
    const to = recipientOf(current, opened);
    if (to === null) throw new Refused('refused', { code: 'gate-closed', gates: ['recipient-key'] });
    const recipient = participantReader('recipient', to);
    // Never an original, never the assistant's note: `releasableParts` includes neither.
    const released = release.releasableParts(item).map((part) => grant({ part, fileKey: keyOf(examined, part) }, recipient));
    const readers = [caseReader(opened.charter), recipient];
    const grants = [...released, ...notes.flatMap((note) => readers.map((reader) => grant(note, reader)))];
    const statement = statements.sign(this.signer, statements.Offer, {
      at: now(),
      case: reviewed.case,
      charter: opened.charter.statementHash,
      message: reviewed.message,
      revision: reviewed.revision,
      source: item.source,
      rendition: item.renditionHash,
      captions: item.captionsHash,
      recipient: to.recipient,
      claim: to.claimHash,
      consents: readingNow('consent', () => verifyConsents(current, opened.charter)),
      grants: grants
        .filter(({ audience }) => audience === 'recipient')
        .map(({ commitment, header }) => ({ commit: commitment, header: b64uEncode(sha256(fromBase64(header))) })),
      notes: notes.map(({ part }) => part),
      not_before: notBefore === null ? null : `${new Date(notBefore).toISOString().slice(0, 19)}Z`,
    });
    return { statement, grants, bodies: notes.map(bodyOf) };
  }

  /** The original, opened with the case's identity and sealed for the media workers again. */
  private async mediaGrants(message: Message): Promise<Schemas['Grant'][]> {
    const { charter } = await this.cases.find(message.case);
    const examined = await this.reviews.examine(message);
    const original = readingNow('original', () => partWith(expectWhole(examined).message.parts, 'original'));
    const sealed = { part: original, fileKey: keyOf(examined, original) };
    return mediaReaders(charter).map((worker) => grant(sealed, worker));
  }

  private page(path: string, query: URLSearchParams): Promise<Schemas['QueuePage']> {
    return this.signed.call('GET', `${path}?${query.toString()}`);
  }

  /** All entries of a list, page by page. */
  private async *all(path: string, filter: Readonly<Record<string, string>> = {}): AsyncGenerator<Schemas['QueueItem']> {
    const query = new URLSearchParams({ ...filter, limit: String(ITEMS_A_PAGE) });
    for (;;) {
      const { items, next } = await this.page(path, query);
      yield* items;
      if (next === null) return;
      query.set('after', next);
    }
  }
}

/** Whether an item comes after a message in queue order. */
function comesAfter({ waiting_since: since, message }: Schemas['QueueItem'], before: Message): boolean {
  const apart = Date.parse(since) - Date.parse(before.waiting_since ?? since);
  return apart > 0 || (apart === 0 && message > before.message);
}

/** What an offer consists of. */
interface Offering {
  readonly reviewed: Message;
  readonly examined: Examined;
  readonly current: Message;
  readonly notes: readonly SealedText[];
  readonly notBefore: contract.Time | null;
}

interface Note {
  readonly sealed: SealedText;
  readonly grants: readonly Schemas['Grant'][];
}

function noteFor(message: Message, text: string, readers: readonly Reader[]): Note {
  const sealed = sealText(message.case, 'note', text);
  return { sealed, grants: readers.map((reader) => grant(sealed, reader)) };
}

/** What the mediator was shown, by hash. */
function about({ statement, rendition, captions }: Message): Pick<statements.Decision, 'source' | 'rendition' | 'captions'> {
  if (statement === null) throw new Refused('refused');
  const hashOf = (compact: string | null) => (compact === null ? null : statementHash(compact));
  return { source: statementHash(statement), rendition: hashOf(rendition), captions: hashOf(captions) };
}

/** Words that may be somebody else's are neither approved nor offered, whatever relay says of them. */
function requireKnownSender({ standing }: release.Item): void {
  if (standing !== 'verified') throw new Refused('refused', { code: 'sender-unverified', gates: ['sender-key'] });
}

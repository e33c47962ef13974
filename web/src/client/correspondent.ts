/** A signed-in participant: what they write, what is returned, what they are offered and open. */

import type * as age from '../crypto/age';
import { claimWords } from '../crypto/claimwords';
import { CryptoError } from '../crypto/errors';
import type { Part } from '../crypto/fields';
import * as release from '../crypto/release';
import { readUnverified } from '../crypto/signing';
import * as statements from '../crypto/statements';
import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { download } from './downloading';
import { Drafts } from './drafts';
import type { Admitted } from './entrance';
import { watch } from './events';
import type { Failures } from './failures';
import { formOf } from './forms';
import { Lists } from './lists';
import { newId, now } from './stamps';
import { Faulty, orBroken, reading } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { openText, partWith, unwrap, viewIn, viewOf } from './sealing';
import { factsOf, OpenedVideos } from './openedvideos';
import type { VerifiedItem } from './verifying';
import { verifyItem } from './verifying';
import { Takes } from './takes';
import { Videos } from './videos';
import { fromBase64 } from './wire';
import { address, type Address, pathOf } from './writing';

type Schemas = components['schemas'];

/** One's own message, and whose key signed it; only the first and the last kind can be read. */
interface Own {
  readonly said: statements.Message;
  readonly with: 'own' | 'older-key' | 'upload-link' | 'unchecked-link' | 'mediator';
}

export class Correspondent {
  readonly drafts: Drafts;
  readonly takes: Takes;
  readonly videos: Videos;
  readonly openedVideos: OpenedVideos;
  private readonly lists: Lists;
  private readonly stops = new Set<contract.Stop>();
  private spoken: Promise<contract.SpokenWords> | null = null;

  constructor(
    private readonly admitted: Admitted,
    private readonly failures: Failures,
  ) {
    const { device, link, ownSeal, reader, signed } = admitted;
    this.drafts = new Drafts({ device, owner: link, seal: ownSeal, signed: reader === null ? null : signed });
    this.takes = new Takes(admitted);
    this.videos = new Videos(admitted, this.takes);
    this.openedVideos = new OpenedVideos(admitted.signed);
    this.lists = new Lists(admitted.signed);
  }

  /** Ends everything in progress, and the session. */
  async leave(): Promise<void> {
    await Promise.all([this.videos.pause(), this.drafts.leave()]);
    await Promise.all(Array.from(this.stops, (stop) => stop()));
    this.openedVideos.close();
    await this.admitted.signed.end();
  }

  async consent(status: contract.Consent): Promise<void> {
    const { writer, signed, signer } = this.admitted;
    const statement = statements.sign(signer, statements.Consent, { at: now(), case: writer.caseId, participant: writer.participant, status });
    await signed.call('PUT', `/v1/cases/${writer.caseId}/participants/${writer.participant}/consent`, { body: { statement } });
  }

  async correspondence(): Promise<contract.Correspondence> {
    return this.show(await this.lists.refresh());
  }

  async more(side: contract.Side): Promise<contract.Correspondence> {
    return this.show(await this.lists.more(side));
  }

  async include(message: Uuid): Promise<contract.Correspondence> {
    return this.show(await this.lists.include(message));
  }

  watch(changed: (correspondence: contract.Correspondence) => void, broken: (refusal: contract.Refusal) => void): contract.Stop {
    const stop = watch<Schemas['MessagesChanged']>(this.admitted.signed, '/v1/messages/events', {
      changed: async ({ messages, everything }) => {
        changed(await this.show(everything ? await this.lists.refresh() : await this.lists.look(messages)));
      },
      broken,
    });
    const stopHere = async () => {
      this.stops.delete(stopHere);
      await stop();
    };
    this.stops.add(stopHere);
    return stopHere;
  }

  // Writing.

  async sendLetter(letter: contract.NewLetter): Promise<contract.SentMessage> {
    const { charter, writer, signed } = this.admitted;
    const to = await this.address(letter);
    const texts = writer.letterTexts(letter.text, letter.assistant ?? null);
    const sent = await charter.sending((current) =>
      signed.call<Schemas['AuthorMessage']>('PUT', pathOf(to), { body: writer.letter(current, to, texts) }),
    );
    await this.storeCopy(sent, letter).catch(() => undefined);
    return this.shown(sent);
  }

  async sendVideo(video: contract.NewVideo, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.shown(await this.videos.send(() => this.address(video), video, progress));
  }

  async resumeVideo(id: string, file: Blob | null, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.shown(await this.videos.resume(id, file, progress));
  }

  /** One's own text, verified against one's own signature from any link, or the mediator's who wrote it down. */
  async ownText(message: Uuid): Promise<string> {
    if (this.admitted.reader === null) return this.copyOf(message);
    const own = await this.authorMessage(message);
    return this.opening('body', (charter, identities) => {
      const { said, with: key } = this.verifyOwn(own, charter);
      if (said.message !== message) throw new CryptoError('chain', 'another message');
      const body = partWith(said.parts, 'body');
      const view = viewIn(own.parts, body);
      const read = (): string => openText(said.case, body, view, identities);
      if (key === 'own') return read();
      if (key !== 'mediator') throw new Refused('refused', { code: key });
      // Before its author had keys, a mediator could seal it only for the case.
      if (view.header === null) throw new Refused('refused', { code: 'no-key-then' });
      return openedOr(read, () => {
        throw new Refused('refused', { code: 'older-key' });
      });
    });
  }

  async guidance(message: Uuid): Promise<contract.Guidance> {
    const { guidance, parts } = await this.authorMessage(message);
    if (guidance === null) throw new Refused('refused');
    return this.opening('decision', (charter, identities) => {
      const { statement: decision } = charter.verifyByMediator(guidance, statements.Decision);
      if (decision.message !== message) throw new CryptoError('chain', 'a decision on another message');
      if (this.admitted.reader === null) return { reason: decision.reason, words: '', older: false };
      // A note for the mediators only has no grant.
      const own = decision.notes.filter((note) => viewOf(parts, note)?.header != null);
      const words = own.map((note) => openedOr(() => openText(decision.case, note, viewIn(parts, note), identities), () => null));
      const read = words.filter((text) => text !== null);
      return { reason: decision.reason, words: read.join('\n\n'), older: read.length < words.length };
    });
  }

  async withdraw(message: Uuid): Promise<void> {
    const { writer, signed } = this.admitted;
    await signed.call('PUT', `/v1/messages/${message}/withdrawal`, { body: writer.withdrawal(message) });
  }

  // Receiving.

  async offerNotes(message: Uuid): Promise<contract.OfferNotes> {
    const { offer, parts } = await this.recipientMessage(message);
    return this.opening('offer', (charter, identities) => {
      const said = this.offerOf(message, offer, charter);
      const texts = said.notes.map((note) => openText(said.case, note, viewIn(parts, note), identities));
      return { contentNote: texts[0] ?? null, summary: texts[1] ?? null };
    });
  }

  async respond(message: Uuid, answer: contract.Answer, tellAuthor: boolean): Promise<contract.ReceivedMessage> {
    const { writer, signed } = this.admitted;
    const body = writer.response(await this.recipientMessage(message), answer, tellAuthor);
    const answered = await signed.call<Schemas['RecipientMessage']>('POST', `/v1/messages/${message}/responses`, { body });
    return this.received(answered, answered.offer);
  }

  /**
   * Opens a released message after verifying every signature, approval and offer. A part that cannot be opened is a fault
   * of that part only.
   */
  async open(message: Uuid): Promise<contract.OpenedMessage> {
    const { writer, reader, signed } = this.admitted;
    if (reader === null) throw new Refused('refused');
    const { offer, from } = await this.recipientMessage(message);
    // Do not trust anybody who was revoked since.
    await this.admitted.charter.renew();
    // Requested first: relay records the opening when it hands out the headers.
    const offered = await this.opening('offer', (charter) => this.offerOf(message, offer, charter));
    const opening = await signed.call<Schemas['Opening']>('POST', `/v1/messages/${message}/openings`);
    const verified = await this.opening('message', (charter) => {
      const found = verifyItem(opening.statements, opening.origin, charter);
      const { message: said } = found.item;
      if (said.message !== message || said.from !== from || said.to !== writer.participant) throw new CryptoError('chain', 'another message');
      return found;
    });
    await this.opening('approvals', (charter) => {
      const { approvals } = charter.requireVersion(offered.charter, offered.at).policy;
      return release.verifyApprovals(opening.approvals, charter, verified.item, approvals);
    });
    const said = await this.opening('offer', (charter) =>
      release.verifyOffer(offer, charter, verified.item, { ...reader, participant: writer.participant }, {
        decisions: opening.approvals,
        consents: opening.consents.map(({ statement, origin }) => ({ compact: statement, origin })),
      }),
    );
    return this.opened(verified, said, opening.parts, [reader.identity]);
  }

  private async opened(
    { item, provenance }: VerifiedItem,
    offer: statements.Offer,
    views: readonly Schemas['PartView'][],
    identities: readonly age.Identity[],
  ): Promise<contract.OpenedMessage> {
    const { message, rendition } = item;
    const faults: contract.Broken[] = [];
    const parts = release.releasableParts(item);
    /** The result of `work` on the part with this role; null if there is none, or it is broken. */
    const part = async <Value>(role: Part['role'], work: (found: Part, view: Schemas['PartView'], fileKey: age.FileKey) => Value | Promise<Value>) => {
      const found = parts.find((each) => each.role === role);
      if (found === undefined) return null;
      const read = (): Promise<Value> =>
        reading(role, () => {
          const view = viewIn(views, found);
          if (view.header === null) throw new Faulty('no-key');
          release.checkGrant(offer, found, fromBase64(view.header));
          return work(found, view, unwrap(message.case, found, view, identities));
        });
      return orBroken(read, (broken) => {
        faults.push(broken);
        return null;
      });
    };
    const text = (role: Part['role']) => part(role, (found, view) => openText(message.case, found, view, identities));
    const { signed } = this.admitted;
    return {
      message: message.message,
      from: message.from,
      kind: message.kind,
      form: formOf({ kind: message.kind, voice: rendition?.profile === 'audio' }),
      language: message.language,
      writtenAt: message.at,
      relayed: provenance.by === 'mediator',
      text: await text('body'),
      video: await this.videoFacts(rendition, await part('rendition', (found, _view, fileKey) => ({ part: found, fileKey })), () =>
        part('poster', (found, _view, fileKey) => download(signed, found, fileKey, found.type)),
      ),
      captions: await text('captions'),
      faults,
    };
  }

  private async videoFacts(
    rendition: release.Item['rendition'],
    video: { readonly part: Part; readonly fileKey: age.FileKey } | null,
    poster: () => Promise<Blob | null>,
  ): Promise<contract.VideoFacts | null> {
    if (rendition === null || video === null) return null;
    this.openedVideos.admit(video.part, video.fileKey);
    return { ...factsOf(rendition, video.part), poster: await poster() };
  }

  /** What is said to be one's own, and which key signed it; `broken` if any other did. */
  private verifyOwn({ statement, origin: older }: Schemas['AuthorMessage'], charter: VerifiedCharter): Own {
    const { writer, origin, signer } = this.admitted;
    if (statement === null) throw new Refused('refused');
    if (readUnverified(statement).kid === signer.kid) {
      return { said: chain.verifyMessage(statement, charter, chain.verifyOrigin(origin, charter)), with: 'own' };
    }
    if (older.length === 0) {
      return { said: chain.verifyRelayedMessage(statement, charter, writer.participant).statement, with: 'mediator' };
    }
    const way = chain.verifyOrigin(older, charter);
    if (way.participant !== writer.participant) throw new CryptoError('chain', 'the link of somebody else');
    const said = chain.verifyMessage(statement, charter, way);
    const standing = way.standingAt(said.at);
    if (standing === 'ended') throw new CryptoError('chain', 'signed through a link that was ended');
    if (way.claim === null) return { said, with: 'upload-link' };
    return { said, with: standing === 'verified' ? 'older-key' : 'unchecked-link' };
  }

  /** A mediator's offer of this message to these keys; `older-key` if it was for those of an earlier link. */
  private offerOf(message: Uuid, compact: string, charter: VerifiedCharter): statements.Offer {
    const { statement: said } = charter.verifyByMediator(compact, statements.Offer);
    if (said.message !== message) throw new CryptoError('chain', 'an offer of another message');
    if (said.claim !== this.admitted.reader?.claimHash) throw new Refused('refused', { code: 'older-key' });
    return said;
  }

  /** Opens one record with one's own keys; an invalid one is `broken`. */
  private opening<Value>(
    record: contract.RecordName,
    work: (charter: VerifiedCharter, identities: readonly age.Identity[]) => Value | Promise<Value>,
  ): Promise<Value> {
    const { charter, reader } = this.admitted;
    // Nothing can be opened through an upload link, but signatures can be verified.
    return charter.under((current) => reading(record, () => work(current, reader === null ? [] : [reader.identity])));
  }

  /**
   * Nobody can read through an upload link, including its sender: their text stays on the device that sent it, in case
   * it is returned.
   */
  private async storeCopy({ message }: Schemas['AuthorMessage'], { to, language, text }: contract.NewLetter): Promise<void> {
    const { device, reader } = this.admitted;
    if (reader !== null || !device.lasting) return;
    const before = (await this.drafts.all()).find(({ revises }) => revises === message);
    await this.drafts.save({ id: before?.id ?? newId(), to, language, text, revises: message, changedAt: now() });
  }

  private async copyOf(message: Uuid): Promise<string> {
    const copy = (await this.drafts.all()).find(({ revises }) => revises === message);
    if (copy === undefined) throw new Refused('refused', { code: 'upload-link' });
    return copy.text;
  }

  private async address({ to, language, revises }: contract.NewLetter | contract.NewVideo): Promise<Address> {
    return address(to, language, revises === undefined ? null : await this.authorMessage(revises));
  }

  private authorMessage(message: Uuid): Promise<Schemas['AuthorMessage']> {
    return this.admitted.signed.call('GET', `/v1/messages/${message}`);
  }

  private recipientMessage(message: Uuid): Promise<Schemas['RecipientMessage']> {
    return this.admitted.signed.call('GET', `/v1/messages/${message}`);
  }

  private async show({ sent, received, consent, verified, closed }: Awaited<ReturnType<Lists['refresh']>>): Promise<contract.Correspondence> {
    const [written, offered] = await Promise.all([
      Promise.all(Array.from(sent.items.values(), (message) => this.listed(message, message.has_guidance))),
      Promise.all(Array.from(received.items.values(), (message) => this.received(message, this.lists.offerOf(message)))),
    ]);
    return {
      sent: written.sort((one, other) => newestFirst(one.createdAt, other.createdAt)),
      received: offered.sort((one, other) => newestFirst(one.offeredAt, other.offeredAt)),
      more: { sent: sent.next !== null, received: received.next !== null },
      consent,
      verified,
      closed,
      words: verified ? null : await this.words(),
    };
  }

  /**
   * The words of one's own claim; null for an upload link, which is never claimed. Deriving them takes as long as checking
   * a passphrase, so they are cached.
   */
  async words(): Promise<contract.SpokenWords | null> {
    const { reader } = this.admitted;
    if (reader === null) return null;
    this.spoken ??= claimWords(reader.claimHash);
    return this.spoken;
  }

  private async received(view: Omit<Schemas['ReceivedSummary'], 'offer' | 'offer_hash'>, offer: string | null): Promise<contract.ReceivedMessage> {
    const { message, from, kind, language } = view;
    const read = (): Promise<contract.Time> =>
      this.opening('offer', (charter) => {
        if (offer === null) throw new CryptoError('chain', 'another offer than relay names');
        const { statement: said } = charter.verifyByMediator(offer, statements.Offer);
        if (said.message !== message) throw new CryptoError('chain', 'an offer of another message');
        return said.not_before !== null && said.not_before > said.at ? said.not_before : said.at;
      });
    return { message, from, kind, form: formOf(view), language, view: view.view, actions: view.allowed_actions, offeredAt: await orBroken(read, () => null) };
  }

  private async shown(message: Schemas['AuthorMessage']): Promise<contract.SentMessage> {
    return { ...(await this.listed(message, message.guidance !== null)), receipt: message.receipt };
  }

  private async listed(message: Omit<Schemas['SentSummary'], 'has_guidance'>, hasGuidance: boolean): Promise<contract.SentMessage> {
    return {
      message: message.message,
      to: message.to,
      kind: message.kind,
      form: formOf(message),
      language: message.language,
      revision: message.revision,
      view: message.view,
      viewSince: message.view_since,
      actions: message.allowed_actions,
      createdAt: message.created_at,
      failure: await this.failures.find(message.failure),
      processing: message.processing,
      hasGuidance,
      receipt: null,
    };
  }
}

function newestFirst(one: contract.Time | null, other: contract.Time | null): number {
  return (other === null ? 0 : Date.parse(other)) - (one === null ? 0 : Date.parse(one));
}

/** The result of `open`; `instead` if it is sealed for other keys. */
function openedOr<Value, Other>(open: () => Value, instead: () => Other): Value | Other {
  try {
    return open();
  } catch (error) {
    if (error instanceof CryptoError && error.failure === 'no-match') return instead();
    throw error;
  }
}

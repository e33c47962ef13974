/** A participant who is signed in: what they write, what comes back, what they are offered and open. */

import type * as age from '../crypto/age';
import { CryptoError } from '../crypto/errors';
import type { Part } from '../crypto/fields';
import * as release from '../crypto/release';
import { fingerprint, readUnverified } from '../crypto/signing';
import * as statements from '../crypto/statements';
import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import { ActSigner } from './acting';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { download } from './downloading';
import { Drafts } from './drafts';
import type { Admitted } from './entrance';
import { watch } from './events';
import type { Failures } from './failures';
import { Refused } from './refusing';
import type { components } from './schema';
import { openText, partWith, unwrap, viewIn, viewOf } from './sealing';
import { spokenWords } from './spoken';
import { factsOf, Theatre } from './theatre';
import type { VerifiedItem } from './verifying';
import { verifyItem } from './verifying';
import { Videos } from './videos';
import { fromBase64 } from './wire';
import { address, type Address, pathOf } from './writing';

type Schemas = components['schemas'];

export class Correspondent {
  readonly drafts: Drafts;
  readonly videos: Videos;
  readonly theatre: Theatre;
  private readonly stops = new Set<contract.Stop>();
  private readonly acts = new ActSigner();
  private spoken: Promise<contract.SpokenWords> | null = null;

  constructor(
    private readonly admitted: Admitted,
    private readonly failures: Failures,
  ) {
    this.drafts = new Drafts(admitted);
    this.videos = new Videos(admitted);
    this.theatre = new Theatre(admitted.signed);
  }

  /** Ends everything that is under way, and the session. */
  async leave(): Promise<void> {
    await this.videos.pause();
    await Promise.all(Array.from(this.stops, (stop) => stop()));
    this.theatre.close();
    await this.admitted.signed.end();
  }

  async consent(status: contract.Consent): Promise<void> {
    const { hand, signed, signer } = this.admitted;
    const statement = await this.acts.sign((at) =>
      statements.sign(signer, statements.Consent, { at, case: hand.caseId, participant: hand.participant, status }),
    );
    await signed.call('PUT', `/v1/cases/${hand.caseId}/participants/${hand.participant}/consent`, { body: { statement } });
  }

  async correspondence(): Promise<contract.Correspondence> {
    return this.show(await this.admitted.signed.call<Schemas['Correspondence']>('GET', '/v1/messages'));
  }

  watch(changed: (correspondence: contract.Correspondence) => void, broken: (refusal: contract.Refusal) => void): contract.Stop {
    const stop = watch<Schemas['Correspondence']>(this.admitted.signed, '/v1/messages/events', {
      changed: async (correspondence) => { changed(await this.show(correspondence)); },
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
    const { charter, hand, signed } = this.admitted;
    const to = await this.address(letter);
    const texts = hand.letterTexts(letter.text, letter.assistant ?? null);
    const sent = await charter.sending((current) =>
      signed.call<Schemas['AuthorMessage']>('PUT', pathOf(to), { body: hand.letter(current, to, texts) }),
    );
    return this.shown(sent);
  }

  async sendVideo(video: contract.NewVideo, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.shown(await this.videos.send(await this.address(video), video, progress));
  }

  async resumeVideo(id: string, file: Blob | null, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.shown(await this.videos.resume(id, file, progress));
  }

  /** One's own words, held against one's own signature; or a mediator's, who wrote them down. */
  async ownText(message: Uuid): Promise<string> {
    const own = await this.authorMessage(message);
    const { statement } = own;
    if (statement === null) throw new Refused('refused');
    return this.opening((charter, identities) => {
      const said = this.verifyOwn(statement, charter);
      const body = partWith(said.parts, 'body');
      return openText(said.case, body, viewIn(own.parts, body), identities);
    });
  }

  async guidance(message: Uuid): Promise<{ readonly reason: string | null; readonly words: string }> {
    const { guidance, parts } = await this.authorMessage(message);
    if (guidance === null) throw new Refused('refused');
    return this.opening((charter, identities) => {
      const { statement: decision } = charter.verifyByMediator(guidance, statements.Decision);
      if (decision.message !== message) throw new Refused('untrusted');
      // A note that is for the mediators alone comes without a grant.
      const own = decision.notes.filter((note) => viewOf(parts, note)?.header != null);
      const words = own.map((note) => openText(decision.case, note, viewIn(parts, note), identities));
      return { reason: decision.reason, words: words.join('\n\n') };
    });
  }

  async withdraw(message: Uuid): Promise<void> {
    const { hand, signed } = this.admitted;
    await signed.call('PUT', `/v1/messages/${message}/withdrawal`, { body: hand.withdrawal(message) });
  }

  // Receiving.

  async offerNotes(message: Uuid): Promise<contract.OfferNotes> {
    const { offer, parts } = await this.recipientMessage(message);
    return this.opening((charter, identities) => {
      const said = this.offerOf(message, offer, charter);
      const texts = said.notes.map((note) => openText(said.case, note, viewIn(parts, note), identities));
      return { contentNote: texts[0] ?? null, summary: texts[1] ?? null };
    });
  }

  async respond(message: Uuid, answer: statements.Response['answer'], tellAuthor: boolean): Promise<contract.ReceivedMessage> {
    const { hand, signed } = this.admitted;
    const body = hand.response(await this.recipientMessage(message), answer, tellAuthor);
    return showReceived(await signed.call('POST', `/v1/messages/${message}/responses`, { body }));
  }

  /** Opens a released message: every signature, approval, offer and commitment is verified first. */
  async open(message: Uuid): Promise<contract.OpenedMessage> {
    const { hand, reader, signed } = this.admitted;
    if (reader === null) throw new Refused('refused');
    const { offer } = await this.recipientMessage(message);
    // Whoever was revoked since is believed no more.
    await this.admitted.charter.renew();
    // Asked first: relay writes down that it was opened as soon as it hands it out.
    await this.opening((charter) => this.offerOf(message, offer, charter));
    const opening = await signed.call<Schemas['Opening']>('POST', `/v1/messages/${message}/openings`);
    return this.opening((charter, identities) => {
      const verified = verifyItem(opening.statements, opening.origin, charter);
      const { item } = verified;
      if (item.message.message !== message || item.message.to !== hand.participant) throw new Refused('untrusted');
      const said = release.verifyOffer(offer, charter, item, { ...reader, participant: hand.participant }, {
        decisions: opening.approvals,
        consents: opening.consents.map(({ statement, origin }) => ({ compact: statement, origin })),
      });
      const parts = new Map<Part['role'], OpenedPart>();
      for (const view of opening.parts) {
        const part = release.partOf(item, view.commitment);
        if (part === undefined) throw new Refused('untrusted');
        const fileKey = unwrap(hand.caseId, part, view, identities);
        release.checkGrant(said, part, fromBase64(view.header ?? ''));
        parts.set(part.role, { part, view, fileKey });
      }
      return this.opened(verified, parts, identities);
    });
  }

  private async opened(
    { item, provenance }: VerifiedItem,
    parts: ReadonlyMap<Part['role'], OpenedPart>,
    identities: readonly age.Identity[],
  ): Promise<contract.OpenedMessage> {
    const { message } = item;
    const text = (role: Part['role']) => {
      const found = parts.get(role);
      return found === undefined ? null : openText(message.case, found.part, found.view, identities);
    };
    return {
      message: message.message,
      from: message.from,
      kind: message.kind,
      language: message.language,
      writtenAt: message.at,
      relayed: provenance.by === 'mediator',
      text: text('body'),
      video: await this.videoFacts(item, parts),
      captions: text('captions'),
    };
  }

  private async videoFacts({ rendition }: release.Item, parts: ReadonlyMap<Part['role'], OpenedPart>): Promise<contract.VideoFacts | null> {
    const video = parts.get('rendition');
    if (rendition === null || video === undefined) return null;
    this.theatre.admit(video.part, video.fileKey);
    const poster = parts.get('poster');
    return {
      ...factsOf(rendition, video.part),
      poster: poster === undefined ? null : await download(this.admitted.signed, poster.part, poster.fileKey, poster.part.type),
    };
  }

  private verifyOwn(statement: string, charter: VerifiedCharter): statements.Message {
    const { hand, origin, signer } = this.admitted;
    const { kid } = readUnverified(statement);
    if (kid === signer.kid) return chain.verifyMessage(statement, charter, chain.verifyOrigin(origin, charter));
    const isRelayed = charter.terms.some(({ mediators }) => mediators.some((mediator) => fingerprint(mediator.signer) === kid));
    // One's own from an earlier link: its key is gone, and so is what could be read with it.
    if (!isRelayed) throw new Refused('refused', { code: 'older-key' });
    return chain.verifyRelayedMessage(statement, charter, hand.participant).statement;
  }

  /** A mediator's offer of this message to these keys; `older-key` where it went to those of an earlier link. */
  private offerOf(message: Uuid, compact: string, charter: VerifiedCharter): statements.Offer {
    const { statement: said } = charter.verifyByMediator(compact, statements.Offer);
    if (said.message !== message) throw new Refused('untrusted');
    if (said.claim !== this.admitted.reader?.claimHash) throw new Refused('refused', { code: 'older-key' });
    return said;
  }

  /** Runs what opens with one's own keys: what does not verify is `untrusted`, what was sealed for an older key is not. */
  private opening<Value>(work: (charter: VerifiedCharter, identities: readonly age.Identity[]) => Value | Promise<Value>): Promise<Value> {
    const { charter, reader } = this.admitted;
    if (reader === null) return Promise.reject(new Refused('refused'));
    return charter.under(async (current) => {
      try {
        return await work(current, [reader.identity]);
      } catch (error) {
        if (error instanceof CryptoError && error.failure === 'no-match') throw new Refused('refused', { code: 'older-key' });
        throw error;
      }
    });
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

  private async show({ sent, received, consent, verified }: Schemas['Correspondence']): Promise<contract.Correspondence> {
    return {
      sent: await Promise.all(sent.map((message) => this.shown(message))),
      received: received.map(showReceived),
      consent,
      verified,
      words: verified ? null : await this.words(),
    };
  }

  /** The words of one's own claim; null for an upload link, which nobody claims. */
  private words(): Promise<contract.SpokenWords> | null {
    const { reader } = this.admitted;
    if (reader === null) return null;
    this.spoken ??= spokenWords(reader.claimHash);
    return this.spoken;
  }

  private async shown(message: Schemas['AuthorMessage']): Promise<contract.SentMessage> {
    return {
      message: message.message,
      to: message.to,
      kind: message.kind,
      language: message.language,
      revision: message.revision,
      view: message.view,
      viewSince: message.view_since,
      createdAt: message.created_at,
      failure: await this.failures.find(message.failure),
      processing: message.processing,
      hasGuidance: message.guidance !== null,
      receipt: message.receipt,
    };
  }
}

function showReceived({ message, from, kind, language, view }: Schemas['RecipientMessage']): contract.ReceivedMessage {
  return { message, from, kind, language, view };
}

interface OpenedPart {
  readonly part: Part;
  readonly view: Schemas['PartView'];
  readonly fileKey: age.FileKey;
}

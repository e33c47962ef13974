/** A participant: enters through a link, writes and sends, answers an offer, opens what was released. */

import { sodiumReady } from '../crypto/sodium';
import { Connection } from './connection';
import type { Fetch } from './connection';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { Correspondent } from './correspondent';
import { Device } from './device';
import { Entrance } from './entrance';
import { Failures } from './failures';
import { isRefused, Refused } from './refusing';
import type { components } from './schema';

type Schemas = components['schemas'];

/** The environment of a client: tests use another one than the page. */
export interface Surroundings {
  /** The origin of relay; sessions are signed for it. */
  readonly url: string;
  readonly fetch?: Fetch;
  readonly device?: () => Promise<Device>;
  /** The cost of stretching a passphrase: tests use a lower one than the protocol requires. */
  readonly workFactorLog2?: number;
}

/** The worker's implementation of `ParticipantClient`: one person at a time. */
export class Participant implements contract.ParticipantClient {
  private readonly connection: Connection;
  private readonly failures: Failures;
  private entrance: Entrance | null = null;
  private inside: Correspondent | null = null;

  constructor(private readonly surroundings: Surroundings) {
    this.connection = new Connection(surroundings.url, surroundings.fetch);
    this.failures = new Failures(this.connection);
  }

  // Coming and going.

  async arrive(
    link: Uuid,
    fragment: string | null,
    { keep, language }: { readonly keep: boolean; readonly language: contract.Language },
  ): Promise<contract.Arrival> {
    await sodiumReady();
    await this.lock();
    this.entrance = null;
    this.connection.language = language;
    const device = keep ? await this.#device() : await Device.inMemory();
    this.entrance = await Entrance.find(this.connection, device, link, fragment, this.surroundings.workFactorLog2);
    return this.entrance.arrival();
  }

  speak(language: contract.Language): Promise<void> {
    this.connection.language = language;
    return Promise.resolve();
  }

  async kept(): Promise<boolean> {
    return (await this.entrance?.isStored()) ?? false;
  }

  async claim(passphrase: string): Promise<contract.Arrival> {
    const entrance = this.#arrived();
    this.inside = new Correspondent(await entrance.claim(passphrase), this.failures);
    // Until consent is stored too, the same claim may be repeated.
    try {
      await this.consent('active');
    } catch (error) {
      // For a person with a new link: their earlier consent stands until a mediator has verified that it is they.
      if (!isRefused(error, 'refused', 'claim-unverified')) throw error;
    }
    entrance.settle();
    // Derived before the first page is shown: otherwise its buttons would move down when the words appear above them.
    await this.inside.words();
    return entrance.arrival();
  }

  async unlock(passphrase: string): Promise<contract.Arrival> {
    const entrance = this.#arrived();
    this.inside = new Correspondent(await entrance.unlock(passphrase), this.failures);
    return entrance.arrival();
  }

  async enter(): Promise<contract.Arrival> {
    const entrance = this.#arrived();
    this.inside = new Correspondent(await entrance.enter(), this.failures);
    return entrance.arrival();
  }

  async lock(): Promise<void> {
    const { inside } = this;
    this.inside = null;
    this.entrance?.settle();
    await inside?.leave();
  }

  async leaveNothing(): Promise<void> {
    await this.lock();
    await this.entrance?.forget();
    this.entrance = null;
  }

  async forgetLink(link: Uuid): Promise<void> {
    await this.lock();
    this.entrance = null;
    await (await this.#device()).forgetLink(link);
  }

  async consent(status: contract.Consent): Promise<void> {
    await this.#signedIn().consent(status);
  }

  // Writing.

  async correspondence(): Promise<contract.Correspondence> {
    return this.#signedIn().correspondence();
  }

  async more(side: contract.Side): Promise<contract.Correspondence> {
    return this.#signedIn().more(side);
  }

  async include(message: Uuid): Promise<contract.Correspondence> {
    return this.#signedIn().include(message);
  }

  watch(changed: (correspondence: contract.Correspondence) => void, broken: (refusal: contract.Refusal) => void): Promise<contract.Stop> {
    return Promise.resolve(this.#signedIn().watch(changed, broken));
  }

  async sendLetter(letter: contract.NewLetter): Promise<contract.SentMessage> {
    return this.#signedIn().sendLetter(letter);
  }

  async sendVideo(video: contract.NewVideo, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.#signedIn().sendVideo(video, progress);
  }

  async unfinishedVideos(): Promise<readonly contract.UnfinishedVideo[]> {
    return this.#signedIn().videos.unfinished();
  }

  async resumeVideo(id: string, file: Blob | null, progress: (progress: contract.SendingProgress) => void): Promise<contract.SentMessage> {
    return this.#signedIn().resumeVideo(id, file, progress);
  }

  async pauseVideo(): Promise<void> {
    await this.#signedIn().videos.pause();
  }

  async discardVideo(id: string): Promise<void> {
    await this.#signedIn().videos.discard(id);
  }

  async storePiece(take: contract.NewTake, piece: ArrayBuffer, seconds: number): Promise<boolean> {
    return this.#signedIn().takes.keep(take, piece, seconds);
  }

  async takes(): Promise<readonly contract.Take[]> {
    return this.#signedIn().videos.takes();
  }

  async takeBlob(id: string): Promise<Blob> {
    return this.#signedIn().takes.blob(id);
  }

  async discardTake(id: string): Promise<void> {
    await this.#signedIn().takes.discard(id);
  }

  async saveDraft(draft: contract.LetterDraft): Promise<contract.SaveResult> {
    return this.#signedIn().drafts.save(draft);
  }

  async drafts(): Promise<readonly contract.LetterDraft[]> {
    return this.#signedIn().drafts.all();
  }

  async discardDraft(id: Uuid): Promise<void> {
    await this.#signedIn().drafts.discard(id);
  }

  async ownText(message: Uuid): Promise<string> {
    return this.#signedIn().ownText(message);
  }

  async guidance(message: Uuid): Promise<contract.Guidance> {
    return this.#signedIn().guidance(message);
  }

  async withdraw(message: Uuid): Promise<void> {
    await this.#signedIn().withdraw(message);
  }

  // Receiving.

  async offerNotes(message: Uuid): Promise<contract.OfferNotes> {
    return this.#signedIn().offerNotes(message);
  }

  async respond(message: Uuid, answer: contract.Answer, tellAuthor: boolean): Promise<contract.ReceivedMessage> {
    return this.#signedIn().respond(message, answer, tellAuthor);
  }

  async open(message: Uuid): Promise<contract.OpenedMessage> {
    return this.#signedIn().open(message);
  }

  async serve(part: string, port: MessagePort): Promise<void> {
    this.#signedIn().openedVideos.serve(part, port);
    return Promise.resolve();
  }

  async blob(part: string): Promise<Blob> {
    return this.#signedIn().openedVideos.blob(part);
  }

  async receipt(code: string): ReturnType<contract.ParticipantClient['receipt']> {
    const status = await this.connection.call<Schemas['ReceiptStatus']>('POST', '/v1/receipts', { body: { receipt: code } });
    return { view: status.view, since: status.view_since, failure: await this.failures.find(status.failure), reason: status.reason };
  }

  #device(): Promise<Device> {
    return this.surroundings.device?.() ?? Device.open();
  }

  #arrived(): Entrance {
    if (this.entrance === null) throw new Refused('no-such-link');
    return this.entrance;
  }

  #signedIn(): Correspondent {
    if (this.inside === null) throw new Refused('signed-out');
    return this.inside;
  }
}


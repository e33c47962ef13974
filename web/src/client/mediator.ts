/** A mediator: unlocks their keys, opens cases, makes and verifies links, reviews, decides, offers. */

import { isForService } from '../crypto/chain';
import { CryptoError } from '../crypto/errors';
import { generateKeyring, type Keyring, MEDIATOR_WORK_FACTOR_LOG2, openKeyring, sealKeyring } from '../crypto/keyrings';
import { sodiumReady } from '../crypto/sodium';
import { isValidAt, ofRole } from '../crypto/trust';
import { attention } from './attention';
import { Casework } from './casework';
import { authority } from './charters';
import { Charterwork } from './charterwork';
import { Connection, SignedConnection } from './connection';
import type * as contract from './contract';
import type { Uuid } from './contract';
import { Device } from './device';
import { Failures } from './failures';
import { StoredForms } from './storedforms';
import { Histories } from './histories';
import { endOf, newerOf, standingOf } from './members';
import { newId, now } from './stamps';
import { OpenCases } from './opencases';
import { ownSealOf } from './ownseal';
import type { Surroundings } from './participant';
import { Refused } from './refusing';
import { Reviewing } from './reviewing';
import { Reviews } from './reviews';
import type { components } from './schema';
import { signingIn } from './sessions';
import { OpenedVideos } from './openedvideos';
import { trusting, trustOf } from './verifying';
import { toBase64 } from './wire';

type Schemas = components['schemas'];

/** Everything that a signed-in mediator works with. */
interface Inside {
  readonly signed: SignedConnection;
  /** The opened keyring, as this browser stores it. */
  readonly known: contract.KnownKeyring;
  readonly cases: OpenCases;
  readonly casework: Casework;
  readonly charterwork: Charterwork;
  readonly reviews: Reviews;
  readonly reviewing: Reviewing;
  readonly histories: Histories;
  readonly openedVideos: OpenedVideos;
  readonly forms: StoredForms;
}

/** The worker's implementation of `MediatorClient`: one mediator at a time. */
export class Mediator implements contract.MediatorClient {
  private readonly connection: Connection;
  private readonly failures: Failures;
  private device: Promise<Device> | null = null;
  private inside: Inside | null = null;

  constructor(private readonly surroundings: Surroundings) {
    this.connection = new Connection(surroundings.url, surroundings.fetch);
    this.failures = new Failures(this.connection);
  }

  // Keys.

  async keyrings(): Promise<readonly contract.KnownKeyring[]> {
    return (await this.#device()).keyrings();
  }

  async storeKeyring(keyring: contract.KnownKeyring): Promise<void> {
    await (await this.#device()).storeKeyring(keyring);
  }

  async forgetKeyring(id: string): Promise<void> {
    await (await this.#device()).forgetKeyring(id);
  }

  async makeKeys(
    passphrase: string,
    label: string,
    fingerprint: string,
  ): Promise<{ readonly keyring: contract.KnownKeyring; readonly request: string }> {
    return newKeys(passphrase, label, fingerprint, newId());
  }

  async renewKeys(
    passphrase: string,
    label: string,
    keep: boolean,
  ): Promise<{ readonly keyring: contract.KnownKeyring; readonly request: string }> {
    const { cases } = this.#inside();
    const { credential, rootFingerprint } = cases.office;
    const own = authority(await cases.trust(), credential);
    const { keyring, request } = await newKeys(passphrase, label, rootFingerprint, own.person);
    const renewal = { ...keyring, renewal: { of: credential, request } };
    if (keep) await this.storeKeyring(renewal);
    return { keyring: renewal, request };
  }

  async ownKeys(): Promise<contract.OwnKeys> {
    const { cases, casework } = this.#inside();
    const trust = await cases.trust();
    const own = authority(trust, cases.office.credential);
    const next = newerOf(trust, own);
    const kept = await this.keyrings();
    const requested = kept.find(({ id, renewal }) => renewal?.of === own.credential && !trust.authorities.has(id));
    return {
      credential: own.credential,
      endsAt: endOf(own),
      endSoon: standingOf(own) !== 'valid',
      requested: requested ?? null,
      next: next === null ? null : { credential: next.credential, endsAt: endOf(next), here: kept.some(({ id }) => id === next.credential) },
      cases: (await casework.all()).filter(({ charterVersion }) => charterVersion > 0).length,
    };
  }

  async bringOver(progress: contract.CasesProgress): Promise<readonly contract.CaseOutcome[]> {
    const { cases, charterwork, known } = this.#inside();
    const { next } = await this.ownKeys();
    if (next === null) throw new Refused('refused', { code: 'unknown-signer' });
    const outcomes = await charterwork.bringOver(cases.office.credential, next.credential, progress);
    if (next.here && outcomes.every(({ refusal }) => refusal === null)) await this.forgetKeyring(known.id);
    return outcomes;
  }

  speak(language: contract.Language): Promise<void> {
    this.connection.language = language;
    return Promise.resolve();
  }

  async unlock(known: contract.KnownKeyring, passphrase: string, language: contract.Language): Promise<contract.MediatorSelf> {
    const { keyring: sealed, fingerprint } = known;
    await sodiumReady();
    await this.lock();
    this.connection.language = language;
    const keyring = await trusting(() => openedWith(sealed, passphrase));
    const signed = new SignedConnection(this.connection, signingIn(keyring.signer, this.connection.url));
    const found = await signed.call<Schemas['Credentials']>('GET', '/v1/credentials');
    const self = await trusting(() => ownCredential(found, fingerprint, keyring));
    const openedVideos = new OpenedVideos(signed);
    const device = await this.#device();
    const cases = new OpenCases({ signed, keyring, credential: self.credential, rootFingerprint: fingerprint, device });
    const reviews = new Reviews(cases, openedVideos, this.failures);
    const casework = new Casework(cases);
    const charterwork = new Charterwork(cases, casework);
    const [reviewing, histories] = [new Reviewing(cases, reviews), new Histories(cases, reviews)];
    const forms = new StoredForms({ device, owner: self.credential, seal: ownSealOf(keyring.identity), signed });
    this.inside = { known, signed, cases, openedVideos, reviews, casework, charterwork, reviewing, histories, forms };
    // Opaque to relay: losing a laptop does not lose the key, and the case system can pass it to its console.
    await signed.call('PUT', '/v1/keyring', { body: { keyring: toBase64(sealed) } }).catch(() => null);
    return self;
  }

  async lock(): Promise<void> {
    const { inside } = this;
    this.inside = null;
    if (inside === null) return;
    await Promise.all([inside.reviewing.leave(), inside.forms.leave()]);
    inside.openedVideos.close();
    await inside.signed.end();
  }

  // Cases.

  async colleagues(): Promise<readonly contract.Colleague[]> {
    return this.#inside().casework.colleagues();
  }

  async cases(): Promise<readonly contract.CaseSummary[]> {
    return this.#inside().casework.all();
  }

  async case(id: Uuid): Promise<contract.CaseDetail> {
    return this.#inside().casework.detail(id);
  }

  async newCase(given: contract.NewCase): Promise<contract.CaseDetail> {
    return this.#inside().casework.begin(given);
  }

  async openCase(id: Uuid, given: Omit<contract.NewCase, 'reference' | 'roles'>): Promise<contract.CaseDetail> {
    return this.#inside().casework.open(id, given);
  }

  async makeLink(id: Uuid, participant: Uuid, purpose: contract.Purpose): Promise<{ readonly link: Uuid; readonly url: string }> {
    return this.#inside().casework.makeLink(id, participant, purpose);
  }

  async linkAddress(id: Uuid, link: Uuid): Promise<string> {
    return this.#inside().casework.linkAddress(id, link);
  }

  async endLink(id: Uuid, link: Uuid, reason: contract.LinkEndReason): Promise<void> {
    await this.#inside().casework.endLink(id, link, reason);
  }

  async checkClaim(id: Uuid, link: Uuid): Promise<contract.WaitingClaim> {
    return this.#inside().casework.checkClaim(id, link);
  }

  async verifyClaim(id: Uuid, link: Uuid, claim: string): Promise<void> {
    await this.#inside().casework.verifyClaim(id, link, claim);
  }

  async changeMediators(id: Uuid, version: number, mediators: readonly Uuid[]): Promise<void> {
    await this.#inside().charterwork.changeMediators(id, version, mediators);
  }

  async replaceKeys(id: Uuid, version: number, old: Uuid, newer: Uuid): Promise<void> {
    await this.#inside().charterwork.replaceKeys(id, version, old, newer);
  }

  async outdatedCases(): Promise<readonly contract.CaseSummary[]> {
    return this.#inside().casework.outdated();
  }

  async bringUpToDate(cases: readonly Uuid[], progress: contract.CasesProgress): Promise<readonly contract.CaseOutcome[]> {
    return this.#inside().charterwork.bringUpToDate(cases, progress);
  }

  async grantAgain(id: Uuid, participant: Uuid): Promise<contract.GrantedAgain> {
    const { casework, reviewing } = this.#inside();
    // The log names every message that ever existed.
    const messages = new Set((await casework.log(id)).flatMap(({ message }) => (message === null ? [] : [message])));
    return reviewing.grantAgain(id, participant, [...messages]);
  }

  async setClosed(id: Uuid, closed: boolean): Promise<void> {
    await this.#inside().casework.setClosed(id, closed);
  }

  async holds(id: Uuid): Promise<readonly contract.Hold[]> {
    return this.#inside().casework.holds(id);
  }

  async placeHold(id: Uuid, hold: contract.NewHold): Promise<void> {
    await this.#inside().casework.placeHold(id, hold);
  }

  async liftHold(id: Uuid, hold: Uuid): Promise<void> {
    await this.#inside().casework.liftHold(id, hold);
  }

  async recordConsent(id: Uuid, participant: Uuid, status: contract.Consent): Promise<void> {
    await this.#inside().casework.recordConsent(id, participant, status);
  }

  async log(id: Uuid): Promise<readonly contract.LogEntry[]> {
    return this.#inside().casework.log(id);
  }

  async messages(id: Uuid): Promise<readonly contract.QueueItem[]> {
    return this.#inside().reviewing.ofCase(id);
  }

  // Review.

  async saveForm(form: contract.StoredForm): Promise<contract.SaveResult> {
    return this.#inside().forms.save(form);
  }

  async storedForm(place: string): Promise<contract.StoredForm | null> {
    return this.#inside().forms.find(place);
  }

  async dropForm(place: string): Promise<void> {
    await this.#inside().forms.discard(place);
  }

  async nextWaiting(after: Uuid | null): Promise<Uuid | null> {
    return this.#inside().reviewing.nextWaiting(after);
  }

  async queue(filter: contract.QueueFilter): Promise<{ readonly items: readonly contract.QueueItem[]; readonly next: string | null }> {
    return this.#inside().reviewing.queue(filter);
  }

  async watchQueue(
    changed: Parameters<contract.MediatorClient['watchQueue']>[0],
    broken: (refusal: contract.Refusal) => void,
  ): Promise<contract.Stop> {
    return Promise.resolve(this.#inside().reviewing.watchQueue(changed, broken));
  }

  async attention(): Promise<contract.Attention> {
    const { casework, reviewing } = this.#inside();
    return attention(casework, reviewing);
  }

  async review(message: Uuid): Promise<contract.ReviewItem> {
    return this.#inside().reviews.review(message);
  }

  async history(message: Uuid): Promise<contract.History> {
    return this.#inside().histories.find(message);
  }

  async lease(message: Uuid): Promise<contract.ReviewItem> {
    return this.#inside().reviewing.lease(message);
  }

  async letGo(message: Uuid): Promise<void> {
    await this.#inside().reviewing.letGo(message);
  }

  async text(message: Uuid): Promise<string | null> {
    return this.#inside().reviewing.text(message);
  }

  async captionsText(message: Uuid): Promise<string | null> {
    return this.#inside().reviewing.captionsText(message);
  }

  async decide(message: Uuid, decision: contract.NewDecision): Promise<contract.ReviewItem> {
    return this.#inside().reviewing.decide(message, decision);
  }

  async caption(message: Uuid, given: Parameters<contract.MediatorClient['caption']>[1]): Promise<contract.ReviewItem> {
    return this.#inside().reviewing.caption(message, given);
  }

  async offer(message: Uuid, given: Parameters<contract.MediatorClient['offer']>[1]): Promise<contract.ReviewItem> {
    return this.#inside().reviewing.offer(message, given);
  }

  async recordWithdrawal(message: Uuid): Promise<void> {
    await this.#inside().reviewing.recordWithdrawal(message);
  }

  async relayLetter(letter: contract.NewRelayedLetter): Promise<Uuid> {
    return this.#inside().reviewing.relayLetter(letter);
  }

  async serve(part: string, port: MessagePort): Promise<void> {
    this.#inside().openedVideos.serve(part, port);
    return Promise.resolve();
  }

  async blob(part: string): Promise<Blob> {
    return this.#inside().openedVideos.blob(part);
  }

  #device(): Promise<Device> {
    this.device ??= (this.surroundings.device ?? (() => Device.open()))();
    return this.device;
  }

  #inside(): Inside {
    if (this.inside === null) throw new Refused('signed-out');
    return this.inside;
  }
}

/** New keys of a person, sealed with a passphrase, and the request for an administrator to have signed by the root. */
async function newKeys(
  passphrase: string,
  label: string,
  fingerprint: string,
  person: Uuid,
): Promise<{ readonly keyring: contract.KnownKeyring; readonly request: string }> {
  await sodiumReady();
  const keys = generateKeyring();
  const credential = newId();
  const request = {
    credential,
    person,
    role: 'mediator',
    recipient: keys.identity.recipient.toString(),
    signer: keys.signer.publicKey,
  };
  const keyring = sealKeyring(keys, passphrase, MEDIATOR_WORK_FACTOR_LOG2);
  return { keyring: { id: credential, label, keyring, fingerprint }, request: `${JSON.stringify(request)}\n` };
}

/** The credential of these keys, if the pinned root vouches for them as a mediator's now. */
function ownCredential(found: Schemas['Credentials'], fingerprint: string, { identity, signer }: Keyring): contract.MediatorSelf {
  const trust = trustOf(found, fingerprint);
  const own = ofRole(trust, 'mediator').find((mediator) => mediator.signer === signer.publicKey);
  if (own?.recipient !== identity.recipient.toString()) throw new Refused('untrusted');
  if (!isValidAt(own, now())) throw new Refused('refused', { code: 'unknown-signer' });
  return { credential: own.credential, validUntil: own.notAfter, registersCases: !isForService(trust, now()) };
}

/** The keyring; `wrong-passphrase` if that is the only problem. */
function openedWith(sealed: Uint8Array, passphrase: string): Keyring {
  try {
    return openKeyring(sealed, passphrase);
  } catch (error) {
    throw error instanceof CryptoError && error.failure === 'no-match' ? new Refused('wrong-passphrase') : error;
  }
}

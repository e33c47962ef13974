/** People for these tests, each with a client and a device of their own. */

import 'fake-indexeddb/auto';

import { inject } from 'vitest';

import type { CaseDetail, MediatorClient, NewCase, ParticipantClient, Refusal } from '../../src/client/contract';
import { isRefusal } from '../../src/client/contract';
import type { Fetch } from '../../src/client/connection';
import { Connection, SignedConnection } from '../../src/client/connection';
import { Device } from '../../src/client/device';
import { guarded } from '../../src/client/guarding';
import { Mediator } from '../../src/client/mediator';
import { newId, now } from '../../src/client/stamps';
import { Participant } from '../../src/client/participant';
import { signingIn } from '../../src/client/sessions';
import { openKeyring } from '../../src/crypto/keyrings';
import { type Signer, statementHash } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { Charter, decodeUnverified, sign } from '../../src/crypto/statements';

export const PASSPHRASE = 'a river under the old bridge';

export const relay = inject('relay');

export interface Link {
  readonly id: string;
  readonly fragment: string;
}

export function linkOf(url: string): Link {
  const [, id, fragment] = /\/l\/([^#]+)#(.+)$/.exec(url) ?? [];
  if (id === undefined || fragment === undefined) throw new Error('not the address of a link');
  return { id, fragment };
}

/** A browser, whose device storage lasts as long as this object. */
export class Browser {
  private opened: Promise<Device> | null = null;

  constructor(private readonly fetch?: Fetch) {}

  participant(): ParticipantClient {
    return guarded(new Participant(this.surroundings()), (result) => result);
  }

  mediator(): MediatorClient {
    return guarded(new Mediator(this.surroundings()), (result) => result);
  }

  device(): Promise<Device> {
    this.opened ??= Device.open(crypto.randomUUID());
    return this.opened;
  }

  private surroundings() {
    return { url: relay.url, workFactorLog2: 1, device: () => this.device(), ...(this.fetch === undefined ? {} : { fetch: this.fetch }) };
  }
}

/** A mediator of the test relay, signed in. */
export async function mediator(place = 0, browser = new Browser()): Promise<MediatorClient> {
  const held = relay.mediators[place];
  if (held === undefined) throw new Error('no such mediator');
  const someone = browser.mediator();
  const keyring = { id: held.credential, label: 'work', keyring: new Uint8Array(Buffer.from(held.keyring, 'base64')), fingerprint: relay.fingerprint };
  await someone.unlock(keyring, held.passphrase, 'en');
  return someone;
}

export interface OpenedCase {
  readonly case: CaseDetail;
  readonly mediator: MediatorClient;
  readonly harmed: ParticipantClient;
  readonly responsible: ParticipantClient;
  readonly harmedId: string;
  readonly responsibleId: string;
  readonly harmedUrl: string;
  readonly responsibleUrl: string;
}

/** A case that nobody has entered yet. */
export function newCase(someone: MediatorClient, given: Partial<NewCase> = {}): Promise<CaseDetail> {
  return someone.newCase({
    reference: `case ${crypto.randomUUID()}`,
    roles: ['harmed', 'responsible'],
    colleagues: [],
    approvals: 1,
    captions: 'optional',
    serverProcessing: true,
    retentionDays: 365,
    ...given,
  });
}

/** A case in which both have claimed their links and consented, and a mediator has verified them. */
export async function openCase(given: Partial<NewCase> = {}, browsers: { readonly harmed?: Browser; readonly responsible?: Browser } = {}): Promise<OpenedCase> {
  const someone = await mediator();
  const opened = await newCase(someone, given);
  const [harmedId, responsibleId] = (['harmed', 'responsible'] as const).map(
    (role) => opened.participants.find((entry) => entry.role === role)?.participant,
  );
  if (harmedId === undefined || responsibleId === undefined) throw new Error('a case of nobody');
  const { url: harmedUrl } = await someone.makeLink(opened.case, harmedId, 'participate');
  const { url: responsibleUrl } = await someone.makeLink(opened.case, responsibleId, 'participate');
  const harmed = await claimed(harmedUrl, browsers.harmed);
  const responsible = await claimed(responsibleUrl, browsers.responsible);
  await verifyEverybody(someone, opened.case);
  return { case: opened, mediator: someone, harmed, responsible, harmedId, responsibleId, harmedUrl, responsibleUrl };
}

/** Verifies every pending claim of a case; returns how many there were. */
export async function verifyEverybody(someone: MediatorClient, id: string): Promise<number> {
  const waiting = (await someone.case(id)).links.filter(({ state }) => state === 'claimed');
  for (const { link } of waiting) {
    const { claim } = await someone.checkClaim(id, link);
    await someone.verifyClaim(id, link, claim);
  }
  return waiting.length;
}

export async function claimed(url: string, browser = new Browser()): Promise<ParticipantClient> {
  const person = await arrived(url, browser);
  await person.claim(PASSPHRASE);
  return person;
}

export async function unlocked(url: string, browser = new Browser()): Promise<ParticipantClient> {
  const person = await arrived(url, browser);
  await person.unlock(PASSPHRASE);
  return person;
}

export async function arrived(url: string, browser = new Browser()): Promise<ParticipantClient> {
  const { id, fragment } = linkOf(url);
  const person = browser.participant();
  await person.arrive(id, fragment, { keep: true, language: 'en' });
  return person;
}

/** The refusal of `work`. */
export async function refusal(work: Promise<unknown>): Promise<Refusal> {
  try {
    await work;
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The first mediator of the test relay without the checks of the pages: their signing key, and a session to `end`. */
async function bare(): Promise<{ readonly signer: Signer; readonly signed: SignedConnection }> {
  await sodiumReady();
  const held = relay.mediators[0];
  if (held === undefined) throw new Error('no mediator');
  const { signer } = openKeyring(new Uint8Array(Buffer.from(held.keyring, 'base64')), held.passphrase);
  return { signer, signed: new SignedConnection(new Connection(relay.url), signingIn(signer, relay.url)) };
}

/** A case of two that the first mediator may open, and that nobody has opened. */
export async function registeredCase(): Promise<string> {
  const { signed } = await bare();
  const id = newId();
  const [harmed, responsible] = [newId(), newId()];
  const participants = [{ participant: harmed, role: 'harmed' }, { participant: responsible, role: 'responsible' }];
  const body = { reference: `case ${id}`, participants, mediators: [], pairs: [[harmed, responsible]], statement: null };
  await signed.call('PUT', `/v1/cases/${id}`, { body });
  await signed.end();
  return id;
}

/** The next charter of a case, signed by the first mediator of the test relay without the checks of the pages. */
export async function nextCharter(id: string, change: (charter: Charter) => Partial<Charter>): Promise<void> {
  const { signer, signed } = await bare();
  const { charters } = await signed.call<{ charters: { statement: string; key_file: string }[] }>('GET', `/v1/cases/${id}/charters`);
  const last = charters.at(-1);
  if (last === undefined) throw new Error('the case is not open');
  const before = decodeUnverified(last.statement, Charter);
  const next = { ...before, at: now(), version: before.version + 1, registration: null, previous: statementHash(last.statement) };
  const statement = sign(signer, Charter, { ...next, ...change(next) });
  await signed.call('POST', `/v1/cases/${id}/charters`, { body: { statement, key_file: last.key_file } });
  await signed.end();
}

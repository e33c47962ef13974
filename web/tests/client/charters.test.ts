/** Claims verified one at a time, people who join and leave a case, and renewed keys. */

import { describe, expect, it } from 'vitest';

import type { CasesProgress, KnownKeyring, MediatorClient } from '../../src/client/contract';
import { Connection } from '../../src/client/connection';
import { newId, now } from '../../src/client/stamps';
import { b64uDecode } from '../../src/crypto/encoding';
import { Signer, statementHash } from '../../src/crypto/signing';
import { Claim, Credential, decodeUnverified, sign } from '../../src/crypto/statements';
import { claimWords } from '../../src/crypto/claimwords';
import { Browser, claimed, mediator, newCase, openCase, refusal, relay } from './people';

const PASSPHRASE = 'words that nobody would guess';
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 366 * DAY_MS;
const LETTER = 'I would like to ask one question.';
const untold: CasesProgress = () => undefined;

interface Person {
  readonly client: MediatorClient;
  readonly keyring: KnownKeyring;
  readonly browser: Browser;
  readonly credential: string;
}

/** The root signs the credential that a request asks for, with this duration. */
async function vouch(request: string, lastsMs: number): Promise<string> {
  const root = new Signer(b64uDecode(relay.root));
  const asked = JSON.parse(request) as Pick<Credential, 'credential' | 'person' | 'role' | 'recipient' | 'signer'>;
  const statement = sign(root, Credential, { at: now(), ...asked, not_before: now(-HOUR_MS), not_after: now(lastsMs) });
  await new Connection(relay.url).call('POST', '/v1/credentials', { body: { statement } });
  return asked.credential;
}

async function opened({ keyring, browser }: Pick<Person, 'keyring' | 'browser'>): Promise<MediatorClient> {
  const client = browser.mediator();
  await client.unlock(keyring, PASSPHRASE, 'en');
  return client;
}

/** Another mediator of the organization, with keys of this duration. */
async function newMediator(lastsMs = YEAR_MS): Promise<Person> {
  const browser = new Browser();
  const { keyring, request } = await browser.mediator().makeKeys(PASSPHRASE, 'work', relay.fingerprint);
  const credential = await vouch(request, lastsMs);
  await browser.mediator().storeKeyring(keyring);
  return { client: await opened({ keyring, browser }), keyring, browser, credential };
}

/** The credentials of the mediators of a case. */
async function mediatorsOf(client: MediatorClient, id: string): Promise<readonly string[]> {
  return (await client.case(id)).mediators;
}

describe('a claim', () => {
  it('is verified by its words, and ends the other links of its person alone', async () => {
    const { case: opened, mediator: someone, harmedId } = await openCase();
    const { link, url } = await someone.makeLink(opened.case, harmedId, 'participate');
    await claimed(url);
    const checked = await someone.checkClaim(opened.case, link);
    expect(checked).toMatchObject({ participant: harmedId, fault: null, ends: 1 });
    expect(checked.words).toEqual(await claimWords(checked.claim));
    const before = (await someone.case(opened.case)).links;
    expect(before.filter(({ state }) => state === 'claimed').map((one) => one.link)).toEqual([link]);
    const other = await openCase();
    const heardOther = someone.verifyClaim(opened.case, link, statementHash('another.claim.text'));
    expect(await refusal(heardOther)).toEqual({ refusal: 'broken', broken: { record: 'claim', fault: 'altered' } });
    await someone.verifyClaim(opened.case, link, checked.claim);
    const after = (await someone.case(opened.case)).links;
    expect(after.find((one) => one.link === link)).toMatchObject({ state: 'verified', endReason: null });
    expect(after.filter(({ endReason }) => endReason === 'replaced').map(({ participant }) => participant)).toEqual([harmedId]);
    expect(after.filter(({ state }) => state === 'verified')).toHaveLength(2);
    expect((await refusal(someone.checkClaim(opened.case, link))).refusal).toBe('no-such-link');
    expect((await other.mediator.case(other.case.case)).links.every(({ state }) => state === 'verified')).toBe(true);
  });

  it('of somebody who did not hold the link says so, and cannot be verified', async () => {
    const { case: opened, mediator: honest, harmedId } = await openCase();
    const { link, url } = await honest.makeLink(opened.case, harmedId, 'participate');
    await claimed(url);
    const thief = Signer.generate();
    // Relay replaces the person's keys with its own.
    const forging = new Browser(async (address, init) => {
      const response = await fetch(address, init);
      if (!new URL(address).pathname.endsWith('/links')) return response;
      const records = (await response.json()) as { link: string; claim: string | null }[];
      return Response.json(records.map((record) => (record.link === link ? { ...record, claim: forged(record.claim ?? '', thief) } : record)));
    });
    const someone = await mediator(0, forging);
    expect((await someone.case(opened.case)).links.find((one) => one.link === link)?.claimFault).toBe('not-from-link');
    const checked = await someone.checkClaim(opened.case, link);
    expect(checked).toMatchObject({ fault: 'not-from-link', words: null });
    expect((await refusal(someone.verifyClaim(opened.case, link, checked.claim))).broken).toEqual({ record: 'claim', fault: checked.fault });
  });

  it('of a thief is ended, and what they wrote cannot be approved', async () => {
    const { case: opened, mediator: someone, harmedId, responsibleId } = await openCase();
    const { link, url } = await someone.makeLink(opened.case, harmedId, 'participate');
    const thief = await claimed(url);
    const { message } = await thief.sendLetter({ to: responsibleId, language: 'en', text: LETTER });
    expect(await someone.review(message)).toMatchObject({ standing: 'unverified', origin: { by: 'participant', link } });
    await someone.endLink(opened.case, link, 'misused');
    expect(await someone.review(message)).toMatchObject({ standing: 'ended' });
    expect((await refusal(someone.checkClaim(opened.case, link))).refusal).toBe('no-such-link');
    await someone.lease(message);
    expect((await refusal(someone.decide(message, { decision: 'approve' }))).refusal).toBe('refused');
    expect((await someone.decide(message, { decision: 'decline', reason: 'not-for-this-way', words: 'No.' })).state).toBe('declined');
  });
});

/** The same claim with somebody else's keys, who cannot compute its MAC. */
function forged(compact: string, signer: Signer): string {
  return sign(signer, Claim, { ...decodeUnverified(compact, Claim), signer: signer.publicKey });
}

describe('the mediators of a case', () => {
  it('come and read everything, and leave and read nothing new', async () => {
    const { case: opened, mediator: first, harmed, responsibleId } = await openCase();
    const { message } = await harmed.sendLetter({ to: responsibleId, language: 'en', text: LETTER });
    const newcomer = await newMediator();
    const one = relay.mediators[0]?.credential ?? '';
    expect((await refusal(newcomer.client.case(opened.case))).refusal).toBe('refused');
    await first.changeMediators(opened.case, 1, [one, newcomer.credential]);
    expect(await newcomer.client.text(message)).toBe(LETTER);
    // Somebody else has signed meanwhile: the choice was based on an older version.
    expect((await refusal(first.changeMediators(opened.case, 1, [one]))).code).toBe('charter-out-of-order');
    expect((await first.case(opened.case)).members.filter(({ role }) => role === 'mediator')).toMatchObject([
      { credential: one, standing: 'valid', newer: null },
      { credential: newcomer.credential, standing: 'valid', newer: null },
    ]);
    await newcomer.client.changeMediators(opened.case, 2, [newcomer.credential]);
    expect((await refusal(first.text(message))).refusal).toBe('refused');
    const later = await harmed.sendLetter({ to: responsibleId, language: 'en', text: 'And another one.' });
    expect(await newcomer.client.text(later.message)).toBe('And another one.');
    expect(await newcomer.client.text(message)).toBe(LETTER);
    expect((await newcomer.client.case(opened.case)).charterVersion).toBe(3);
  });

  it('are let back in with new keys of the same person alone', async () => {
    const someone = await mediator();
    const one = relay.mediators[0]?.credential ?? '';
    const colleague = await newMediator(30 * DAY_MS);
    const { case: id } = await newCase(someone, { colleagues: [colleague.credential] });
    const listed = async () => (await someone.case(id)).members.find(({ credential }) => credential === colleague.credential);
    expect(await listed()).toMatchObject({ standing: 'ends-soon', newer: null });
    const { keyring, request } = await colleague.client.renewKeys(PASSPHRASE, 'new', true);
    const renewed = await vouch(request, YEAR_MS);
    expect(await listed()).toMatchObject({ standing: 'ends-soon', newer: renewed });
    const stranger = await newMediator();
    expect((await refusal(someone.replaceKeys(id, 1, colleague.credential, stranger.credential))).refusal).toBe('untrusted');
    await someone.replaceKeys(id, 1, colleague.credential, renewed);
    expect([...(await mediatorsOf(someone, id))].sort()).toEqual([one, renewed].sort());
    const anew = await opened({ keyring, browser: colleague.browser });
    expect((await anew.case(id)).charterVersion).toBe(2);
    expect((await refusal(colleague.client.case(id))).refusal).toBe('refused');
  });
});

describe('a mediator who renews their keys', () => {
  it('is told in time, and brings every case over; one that fails keeps no other', async () => {
    const old = await newMediator(30 * DAY_MS);
    const young = await newMediator();
    expect(await young.client.ownKeys()).toMatchObject({ endSoon: false, requested: null, next: null, cases: 0 });
    const ids = [];
    for (let count = 0; count < 3; count += 1) ids.push((await newCase(old.client)).case);
    expect(await old.client.ownKeys()).toMatchObject({ credential: old.credential, endSoon: true, requested: null, next: null, cases: 3 });

    const { keyring, request } = await old.client.renewKeys(PASSPHRASE, 'new', true);
    expect((await old.client.ownKeys()).requested).toMatchObject({ id: keyring.id, label: 'new', renewal: { of: old.credential, request } });
    expect((await refusal(old.client.bringOver(untold))).code).toBe('unknown-signer');
    const renewed = await vouch(request, YEAR_MS);
    expect(await old.client.ownKeys()).toMatchObject({ requested: null, next: { credential: renewed, here: true } });

    const failing = ids[1] ?? '';
    const breaking = breakingBrowser(old.browser, failing);
    const told: [number, number][] = [];
    const halfway = await opened({ keyring: old.keyring, browser: breaking });
    const outcomes = await halfway.bringOver((done, total) => told.push([done, total]));
    expect(outcomes.filter(({ refusal: why }) => why !== null).map((one) => one.case)).toEqual([failing]);
    expect(told).toEqual([[0, 3], [1, 3], [2, 3], [3, 3]]);
    expect((await breaking.mediator().keyrings()).map(({ id }) => id)).toContain(old.keyring.id);

    expect((await old.client.bringOver(untold)).map((one) => [one.case, one.refusal])).toEqual([[failing, null]]);
    expect((await old.client.ownKeys()).cases).toBe(0);
    expect((await old.browser.mediator().keyrings()).map(({ id }) => id)).toEqual([keyring.id]);
    const anew = await opened({ keyring, browser: old.browser });
    for (const id of ids) expect(await mediatorsOf(anew, id)).toEqual([renewed]);
    expect(await anew.ownKeys()).toMatchObject({ credential: renewed, endSoon: false, next: null, cases: 3 });
  });

  it('has approved already what they approved with the old ones', async () => {
    const old = await newMediator(30 * DAY_MS);
    const second = await newMediator();
    const { case: id, participants } = await newCase(old.client, { approvals: 2, colleagues: [second.credential] });
    const [from, to] = participants.map(({ participant }) => participant) as [string, string];
    const message = await old.client.relayLetter({ case: id, from, to, language: 'en', text: LETTER, confirmed: true });
    await old.client.lease(message);
    expect((await old.client.decide(message, { decision: 'approve' })).state).toBe('queued');
    const { keyring, request } = await old.client.renewKeys(PASSPHRASE, 'new', true);
    await vouch(request, YEAR_MS);
    await old.client.bringOver(untold);
    const anew = await opened({ keyring, browser: old.browser });
    expect((await anew.review(message)).decisions).toMatchObject([{ decision: 'approve', mine: true, current: true }]);
    expect((await second.client.review(message)).decisions).toMatchObject([{ decision: 'approve', mine: false, current: true }]);
    await anew.lease(message);
    expect((await refusal(anew.decide(message, { decision: 'approve' }))).code).toBe('approved-already');
  });
});

/** The same browser, failing requests that submit a charter of this case. */
function breakingBrowser(browser: Browser, id: string): Browser {
  const breaking = new Browser(async (url, init) => {
    if (init.method === 'POST' && url.endsWith(`/v1/cases/${id}/charters`)) return Response.json({ code: 'forbidden' }, { status: 403 });
    return fetch(url, init);
  });
  breaking.device = () => browser.device();
  return breaking;
}

describe('a case whose media workers have changed', () => {
  it('is found, and brought up to date with the same mediators and the same identity', async () => {
    const someone = await newMediator();
    const { case: id } = await newCase(someone.client);
    const { case: letters } = await newCase(someone.client, { serverProcessing: false });
    expect(await someone.client.outdatedCases()).toEqual([]);
    const { recipient } = recipientIn(await requestOf());
    await vouch(JSON.stringify({ credential: newId(), person: newId(), role: 'media', recipient, signer: Signer.generate().publicKey }), YEAR_MS);
    expect((await someone.client.outdatedCases()).map((one) => one.case)).toEqual([id]);
    expect((await someone.client.case(id)).outdated).toBe(true);
    expect((await someone.client.case(letters)).outdated).toBe(false);
    const outcomes = await someone.client.bringUpToDate([id, letters], untold);
    expect(outcomes.map(({ refusal: why }) => why)).toEqual([null, null]);
    expect(await someone.client.outdatedCases()).toEqual([]);
    expect(await someone.client.case(id)).toMatchObject({ charterVersion: 2, outdated: false, mediators: [someone.credential] });
    expect((await someone.client.case(letters)).charterVersion).toBe(1);
  });
});

/** A request for new keys, with a valid recipient. */
async function requestOf(): Promise<string> {
  return (await new Browser().mediator().makeKeys(PASSPHRASE, 'other', relay.fingerprint)).request;
}

function recipientIn(request: string): Pick<Credential, 'recipient'> {
  return JSON.parse(request) as Pick<Credential, 'recipient'>;
}

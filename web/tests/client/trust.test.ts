/**
 * A relay that alters what was signed: the client believes none of it. If the chain of trust is broken it
 * stops and sends nothing more; if one record is invalid, that is reported for this record alone.
 */

import { beforeAll, describe, expect, it } from 'vitest';

import type { Broken, MediatorClient, ParticipantClient } from '../../src/client/contract';
import { choicesFor } from '../../src/console/choices';
import { b64uDecode, b64uEncode } from '../../src/crypto/encoding';
import { Signer } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { decodeUnverified, LinkEnding } from '../../src/crypto/statements';
import { arrived, Browser, claimed, linkOf, mediator, newCase, nextCharter, openCase, PASSPHRASE, refusal, relay, unlocked, verifyEverybody } from './people';
import type { OpenedCase } from './people';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Answer = Record<string, Json>;
type Alter = (answer: Json) => Json;

/** A browser whose responses are altered where the path matches; records the requests since. */
class Tapped extends Browser {
  readonly asked: string[];
  alterations: readonly { readonly path: RegExp; readonly alter: Alter }[] = [];

  constructor() {
    const asked: string[] = [];
    super(async (url, init) => {
      const path = new URL(url).pathname;
      asked.push(`${init.method ?? 'GET'} ${path}`);
      const response = await fetch(url, init);
      const found = this.alterations.find((each) => each.path.test(path));
      if (found === undefined || !response.ok) return response;
      return Response.json(found.alter((await response.json()) as Json), { status: response.status });
    });
    this.asked = asked;
  }

  alter(path: RegExp, alter: Alter): void {
    this.alterations = [{ path, alter }];
  }
}

/** Replaces the value at a path of members. */
function at(path: readonly (string | number)[], change: (value: Json) => Json): Alter {
  return (answer) => {
    const [name, ...rest] = path;
    if (name === undefined) return change(answer);
    const copy = structuredClone(answer) as Record<string | number, Json>;
    copy[name] = at(rest, change)(copy[name] ?? null);
    return copy;
  };
}

/** Changes every record of a list. */
function each(change: (record: Answer) => Answer): Alter {
  return (records) => (records as Answer[]).map(change);
}

function textOf(value: Json): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
  return value;
}

/** Flips one bit of a signature. */
function missigned(compact: Json): Json {
  const [header, payload, signature] = textOf(compact).split('.');
  const bytes = b64uDecode(signature ?? '');
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  return `${header ?? ''}.${payload ?? ''}.${b64uEncode(bytes)}`;
}

const LINKS = /\/links$/;
const KEYRING = /\/keyring$/;
const LETTER = 'I have thought about that evening every day.';

beforeAll(sodiumReady);

describe('what a link leads to', () => {
  const { id, fragment } = linkOf(relay.harmed);
  const LOOK = /\/v1\/links\//;
  const charters = ['trust', 'charters', 0];
  const forgeries: Record<string, Alter> = {
    'another root': at(['trust', 'roots'], () => [Signer.generate().publicKey]),
    'no root': at(['trust', 'roots'], () => []),
    'a credential that the root did not sign': at(['trust', 'credentials', 0, 'credential'], missigned),
    'a credential held back': at(['trust', 'credentials'], (credentials) => (credentials as Json[]).slice(1)),
    'the same credential twice': at(['trust', 'credentials'], (credentials) => [...(credentials as Json[]), (credentials as Json[])[0] ?? null]),
    'a charter that no mediator signed': at(charters, missigned),
    'no charter': at(['trust', 'charters'], () => []),
    'a registration that nobody signed': at(['trust', 'registration'], missigned),
    'no registration': at(['trust', 'registration'], () => null),
    'a succession that no root signed': at(['trust', 'successions'], () => [textOf('')]),
    'a link that no mediator signed': at(['statement'], missigned),
    'another participant': at(['participant'], () => crypto.randomUUID()),
    'another case': at(['case'], () => crypto.randomUUID()),
    'another purpose': at(['purpose'], () => 'upload'),
    'another relay to sign in at': at(['audience'], () => 'https://relay.example'),
    'something that is no answer': () => ({}),
  };

  it.each(Object.entries(forgeries))('is not believed: %s', async (_name, alter) => {
    const browser = new Tapped();
    browser.alter(LOOK, alter);
    const person = browser.participant();
    const refused = await refusal(person.arrive(id, fragment, { keep: true, language: 'en' }));
    expect(refused).toEqual({ refusal: 'untrusted' });
    expect((await refusal(person.claim(PASSPHRASE))).refusal).toBe('no-such-link');
    expect(browser.asked).toEqual([`GET /v1/links/${id}`]);
    expect(await (await browser.device()).link(id)).toBeNull();
  });

  it('is not believed where it is the statement of another link', async () => {
    const browser = new Tapped();
    let other: Json = null;
    browser.alter(LOOK, (answer) => {
      other = (answer as { statement: Json }).statement;
      return answer;
    });
    const elsewhere = linkOf(relay.responsible);
    await browser.participant().arrive(elsewhere.id, elsewhere.fragment, { keep: true, language: 'en' });
    browser.alter(LOOK, at(['statement'], () => other));
    expect((await refusal(browser.participant().arrive(id, fragment, { keep: true, language: 'en' }))).refusal).toBe('untrusted');
  });

  it('opens with no other keyring than the one that was claimed', async () => {
    const one = await openCase();
    const kept: { keyring: Json } = { keyring: null };
    const spy = new Tapped();
    spy.alter(KEYRING, (answer) => {
      kept.keyring = (answer as { keyring: Json }).keyring;
      return answer;
    });
    await unlocked(one.harmedUrl, spy);
    const browser = new Tapped();
    browser.alter(KEYRING, at(['keyring'], () => kept.keyring));
    expect(await refusal(unlocked(one.responsibleUrl, browser))).toEqual({ refusal: 'untrusted' });
    const other = new Tapped();
    other.alter(/\/v1\/links\/[^/]+$/, at(['claim'], missigned));
    expect(await refusal(unlocked(one.responsibleUrl, other))).toEqual({ refusal: 'untrusted' });
    expect(other.asked.filter((asked) => asked.endsWith('/keyring'))).toEqual([]);
  });
});

describe('a device remembers', () => {
  it('every charter that it saw, and takes none that does not extend them', async () => {
    const { harmedUrl, mediator: someone, case: opened, responsibleId } = await openCase();
    const browser = new Tapped();
    let before: Json = null;
    browser.alter(/\/v1\/links\//, (answer) => {
      before = (answer as { trust: Json }).trust;
      return answer;
    });
    await arrived(harmedUrl, browser);
    await nextCharter(opened.case, (charter) => charter);
    browser.alterations = [];
    await arrived(harmedUrl, browser);
    browser.alter(/\/v1\/links\//, at(['trust'], () => before));
    expect((await refusal(arrived(harmedUrl, browser))).refusal).toBe('untrusted');
    // A new device accepts it: nothing forces a relay to reveal a newer version.
    const other = new Tapped();
    other.alterations = browser.alterations;
    await arrived(harmedUrl, other);
    expect((await someone.makeLink(opened.case, responsibleId, 'participate')).url).toContain('/l/');
  });

  it('whom it trusts with a link, whatever address is opened later, until it is told to forget', async () => {
    const browser = new Tapped();
    const { harmedUrl } = await openCase();
    const { id, fragment } = linkOf(harmedUrl);
    const other = withAnotherRoot(fragment);
    await (await unlocked(harmedUrl, browser)).lock();
    const asked = browser.asked.length;
    const later = browser.participant();
    expect((await refusal(later.arrive(id, other, { keep: true, language: 'en' }))).refusal).toBe('another-root');
    expect(browser.asked.length).toBe(asked);
    expect(await (await browser.device()).link(id)).toBe(fragment);
    await later.arrive(id, null, { keep: true, language: 'en' });
    await later.unlock(PASSPHRASE);
    await later.forgetLink(id);
    expect(await (await browser.device()).link(id)).toBeNull();
    expect((await refusal(later.arrive(id, other, { keep: true, language: 'en' }))).refusal).toBe('untrusted');
    await expect(later.arrive(id, fragment, { keep: true, language: 'en' })).resolves.toMatchObject({ claimed: true });
  });

  it('each person’s link and letters apart: another’s link takes nothing away', async () => {
    const browser = new Browser();
    const { harmedUrl, responsibleUrl, responsibleId } = await openCase();
    const one = await unlocked(harmedUrl, browser);
    const draft = { id: crypto.randomUUID(), to: responsibleId, language: 'en', text: LETTER, revises: null, changedAt: '2030-01-31T23:59:59Z' } as const;
    await one.saveDraft(draft);
    const other = await unlocked(responsibleUrl, browser);
    expect(await other.drafts()).toEqual([]);
    await other.leaveNothing();
    const again = browser.participant();
    await again.arrive(linkOf(harmedUrl).id, null, { keep: true, language: 'en' });
    await again.unlock(PASSPHRASE);
    expect(await again.drafts()).toEqual([draft]);
  });
});

/** The same link, with another root. */
function withAnotherRoot(fragment: string): string {
  const bytes = b64uDecode(fragment);
  return b64uEncode(Uint8Array.from(bytes, (byte, place) => (place < 16 ? byte : byte ^ 1)));
}

describe('what was released', () => {
  const browser = new Tapped();
  let opened: OpenedCase;
  let reader: ParticipantClient;
  let message: string;

  beforeAll(async () => {
    opened = await openCase();
    const { mediator: someone, responsible, harmedId, harmedUrl } = opened;
    ({ message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER }));
    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
    reader = await unlocked(harmedUrl, browser);
    await reader.respond(message, 'accept', false);
  });

  const OPENING = /\/openings$/;
  const [words, offer]: readonly Broken[] = [{ record: 'message', fault: 'not-signed' }, { record: 'offer', fault: 'not-signed' }];
  const approvals: Broken = { record: 'approvals', fault: 'too-few' };
  const forgeries: Record<string, [RegExp, Alter, Broken | undefined]> = {
    'a message that its author did not sign': [OPENING, at(['statements', 0], missigned), words],
    'no message': [OPENING, at(['statements'], () => []), words],
    'no approval': [OPENING, at(['approvals'], () => []), approvals],
    'an approval that no mediator signed': [OPENING, at(['approvals', 0], missigned), approvals],
    'no origin': [OPENING, at(['origin'], () => []), words],
    'a link without its claim': [OPENING, at(['origin'], (origin) => (origin as Json[]).slice(0, 1)), words],
    'a claim without its verification': [OPENING, at(['origin'], (origin) => (origin as Json[]).slice(0, 2)), offer],
    'a claim without its link': [OPENING, at(['origin'], (origin) => (origin as Json[]).slice(1)), words],
    'a link that no mediator signed': [OPENING, at(['origin', 0], missigned), words],
    'a claim that its maker did not sign': [OPENING, at(['origin', 1], missigned), words],
    'a verification that no mediator signed': [OPENING, at(['origin', 2], missigned), words],
    'no consents': [OPENING, at(['consents'], () => []), offer],
    'a consent held back': [OPENING, at(['consents'], (consents) => (consents as Json[]).slice(1)), offer],
    'a consent that nobody signed': [OPENING, at(['consents', 0, 'statement'], missigned), offer],
    'a consent by a key of nobody': [OPENING, at(['consents', 0, 'origin'], () => []), offer],
    'a consent by a key that nobody verified': [OPENING, at(['consents', 1, 'origin'], (origin) => (origin as Json[]).slice(0, 2)), offer],
    'an offer that no mediator signed': [/\/v1\/messages\/[^/]+$/, at(['offer'], missigned), offer],
  };

  it.each(Object.entries(forgeries))('is not believed, which is said of this message alone: %s', async (_name, [path, alter, broken]) => {
    browser.alter(path, alter);
    expect(await refusal(reader.open(message))).toEqual({ refusal: 'broken', broken });
    expect((await reader.correspondence()).received).toHaveLength(1);
  });

  const parts: Record<string, [Alter, Broken]> = {
    'another body': [at(['parts', 0, 'body'], (body) => `AAAA${textOf(body).slice(4)}`), { record: 'body', fault: 'altered' }],
    'no body': [at(['parts', 0, 'body'], () => null), { record: 'body', fault: 'altered' }],
    'no header': [at(['parts', 0, 'header'], () => null), { record: 'body', fault: 'no-key' }],
    'a part that nobody signed': [
      at(['parts', 0, 'commitment'], () => b64uEncode(crypto.getRandomValues(new Uint8Array(32)))),
      { record: 'body', fault: 'altered' },
    ],
  };

  it.each(Object.entries(parts))('is not shown where a part of it is not what was signed: %s', async (_name, [alter, broken]) => {
    browser.alter(OPENING, alter);
    expect(await reader.open(message)).toMatchObject({ text: null, faults: [broken] });
  });

  it('is believed where nothing was altered', async () => {
    browser.alterations = [];
    expect(await reader.open(message)).toMatchObject({ text: LETTER, faults: [] });
  });

  it("is not believed in its mediator's notes either", async () => {
    browser.alter(/\/v1\/messages\/[^/]+$/, at(['offer'], missigned));
    expect(await refusal(reader.offerNotes(message))).toEqual({ refusal: 'broken', broken: offer });
  });
});

describe('what a mediator reviews', () => {
  const browser = new Tapped();
  let someone: MediatorClient;
  let opened: OpenedCase;
  let message: string;

  beforeAll(async () => {
    opened = await openCase();
    ({ message } = await opened.responsible.sendLetter({ to: opened.harmedId, language: 'en', text: LETTER }));
    await opened.mediator.lease(message);
    await opened.mediator.decide(message, { decision: 'hold', reason: 'readiness', note: 'Not this week.' });
    someone = await mediator(0, browser);
  });

  const MESSAGE = /\/v1\/messages\/[^/]+$/;
  const forgeries: Record<string, Alter> = {
    'a message that its author did not sign': at(['statement'], missigned),
    'another sender': at(['from'], () => crypto.randomUUID()),
    'another kind': at(['kind'], () => 'video'),
    'words of nobody': at(['origin'], () => []),
    'a claim without its link': at(['origin'], (origin) => (origin as Json[]).slice(1)),
    'a link that nobody claimed': at(['origin'], (origin) => (origin as Json[]).slice(0, 1)),
    'a verification without its claim': at(['origin'], (origin) => (origin as Json[]).filter((_, place) => place !== 1)),
  };

  it.each(Object.entries(forgeries))('is not believed, and nothing of it is read: %s', async (_name, alter) => {
    browser.alter(MESSAGE, (answer) => alter(answer));
    someone = await mediator(0, browser);
    const faults = [{ record: 'message', fault: 'not-signed' }];
    expect(await someone.review(message)).toMatchObject({ origin: null, standing: null, hasText: false, faults });
    expect((await refusal(someone.text(message))).broken?.record).toBe('message');
    expect((await someone.queue({ state: 'held' })).items.map((item) => item.message)).toContain(message);
  });

  it.each([
    ['that nobody verified', at(['recipient_origin'], (origin) => (origin as Json[]).slice(0, 2))],
    ['of somebody else', (answer: Json) => at(['recipient_origin'], () => (answer as { origin: Json }).origin)(answer)],
  ])('is read also where it would go to keys %s, and does not go there', async (_name, alter) => {
    browser.alter(MESSAGE, alter);
    someone = await mediator(0, browser);
    expect(await someone.review(message)).toMatchObject({ recipientReady: false, faults: [] });
    expect(await someone.text(message)).toBe(LETTER);
  });

  it('is shown as nobody’s, and not called forged, while nobody has verified its claim; and not approved', async () => {
    browser.alter(MESSAGE, at(['origin'], (origin) => (origin as Json[]).slice(0, 2)));
    expect(await someone.review(message)).toMatchObject({ standing: 'unverified', origin: { by: 'participant', claimVerifiedBy: null } });
    expect(await refusal(someone.decide(message, { decision: 'approve' }))).toMatchObject({ code: 'sender-unverified', gates: ['sender-key'] });
    browser.alterations = [];
    expect((await someone.review(message)).standing).toBe('verified');
  });

  it('is let on for no word of relay’s that it may be', async () => {
    const unverified = at(['origin'], (origin) => (origin as Json[]).slice(0, 2));
    const allowing = at(['allowed_actions'], () => ['approve', 'offer', 'grant-again', 'recall']);
    browser.alter(MESSAGE, (answer) => allowing(unverified(answer)));
    const item = await someone.review(message);
    expect(item.actions).toEqual(['approve', 'offer', 'grant-again', 'recall']);
    expect(choicesFor(item)).toEqual(['recall']);
    expect((await refusal(someone.decide(message, { decision: 'approve' }))).code).toBe('sender-unverified');
    expect((await refusal(someone.offer(message, { contentNote: 'Short.', summary: null, notBefore: null }))).code).toBe('sender-unverified');
    expect(await refusal(someone.decide(message, { decision: 'recall' }))).toMatchObject({ code: 'wrong-state' });
    browser.alterations = [];
  });

  it('has decisions that are broken each on its own', async () => {
    browser.alter(MESSAGE, at(['decisions', 0], missigned));
    expect(await someone.review(message)).toMatchObject({ faults: [], decisions: [{ fault: 'not-signed' }] });
    const { statement } = await forged(opened);
    browser.alter(MESSAGE, at(['decisions'], (own) => [...(own as Json[]), statement]));
    expect(await someone.review(message)).toMatchObject({ faults: [], decisions: [{ decision: 'hold', words: 'Not this week.' }, { fault: 'not-signed' }] });
  });

  it('is what the decision names, whatever relay shows later', async () => {
    browser.alterations = [];
    await someone.decide(message, { decision: 'resume' });
    await someone.lease(message);
    expect(await someone.text(message)).toBe(LETTER);
    await someone.decide(message, { decision: 'return', reason: 'tone', words: 'Once more.' });
    await opened.responsible.sendLetter({ to: opened.harmedId, language: 'en', text: 'Other words.', revises: message });
    const refused = await refusal(someone.decide(message, { decision: 'approve' }));
    expect(refused.refusal).toBe('refused');
  });

  it('has a log in which every row follows from the one before', async () => {
    const LOG = /\/log$/;
    browser.alterations = [];
    const rows = await someone.log(opened.case.case);
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, place) => place + 1));
    const alterations: Alter[] = [
      at(['rows', 2, 'kind'], () => 'approve'),
      at(['rows', 1, 'actor'], () => 'mediator:somebody'),
      at(['rows', 1, 'at'], () => '2030-01-01T00:00:00Z'),
      at(['rows'], (all) => (all as Json[]).filter((_, place) => place !== 1)),
      at(['rows'], (all) => [...(all as Json[]).slice(0, 1), ...(all as Json[]).slice(2, 3), ...(all as Json[]).slice(1, 2)]),
      at(['case'], () => crypto.randomUUID()),
    ];
    for (const alter of alterations) {
      browser.alter(LOG, alter);
      expect(await refusal(someone.log(opened.case.case))).toEqual({ refusal: 'broken', broken: { record: 'log', fault: 'altered' } });
    }
  });

  it('is offered to no key that nobody verified, and to none that relay put there', async () => {
    const { case: other, mediator: own, responsible, harmedId } = await openCase();
    const sent = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    browser.alterations = [];
    await own.lease(sent.message);
    await own.decide(sent.message, { decision: 'approve' });
    await someone.review(sent.message);
    const offering = () => refusal(someone.offer(sent.message, { contentNote: 'An apology.', summary: null, notBefore: null }));
    const keys: Alter[] = [
      at(['recipient_origin', 2], missigned),
      at(['recipient_origin', 0], missigned),
      at(['recipient_origin'], (origin) => (origin as Json[]).slice(0, 2)),
    ];
    const said: Alter[] = [
      at(['consents', 'sender', 'statement'], missigned),
      at(['consents', 'recipient', 'origin'], () => []),
      (answer) => at(['consents', 'recipient'], () => (answer as { consents: { sender: Json } }).consents.sender)(answer),
    ];
    for (const [record, forgeries] of [['claim', keys], ['consent', said]] as const) {
      for (const forgery of forgeries) {
        browser.alter(MESSAGE, forgery);
        expect(await offering()).toEqual({ refusal: 'broken', broken: { record, fault: 'not-signed' } });
      }
    }
    browser.alter(MESSAGE, at(['recipient_origin'], () => []));
    expect(await offering()).toMatchObject({ gates: ['recipient-key'] });
    browser.alter(MESSAGE, at(['consents', 'recipient'], () => null));
    expect(await offering()).toMatchObject({ gates: ['recipient-consent'] });
    browser.alter(LINKS, each((record) => ({ ...record, statement: missigned(record['statement'] ?? null) })));
    const { links, participants } = await someone.case(other.case);
    expect(links.map(({ madeBy }) => madeBy)).toEqual([null, null]);
    expect(participants.map((person) => person.keys)).toEqual(['broken', 'broken']);
    const { link } = links[0] ?? { link: '' };
    await someone.endLink(other.case, link, 'replaced');
    browser.alterations = [];
    expect((await someone.case(other.case)).links.find((each) => each.link === link)).toMatchObject({ state: 'ended', endReason: 'replaced' });
  });

  it('comes from a claim that its maker held the link for', async () => {
    const { url } = await opened.mediator.makeLink(opened.case.case, opened.harmedId, 'participate');
    await claimed(url);
    const foreign = await openCase();
    let claim: Json = null;
    const spy = new Tapped();
    spy.alter(/\/v1\/links\/[^/]+$/, (answer) => {
      claim = (answer as { claim: Json }).claim;
      return answer;
    });
    await unlocked(foreign.harmedUrl, spy);
    browser.alter(LINKS, each((record) => (record['claim'] === null || record['verification'] !== null ? record : { ...record, claim })));
    const link = (await someone.case(opened.case.case)).links.find(({ state }) => state === 'claimed');
    expect(link?.claimFault).toBe('altered');
    const checked = await someone.checkClaim(opened.case.case, link?.link ?? '');
    expect(checked).toMatchObject({ fault: 'altered', words: null });
    expect((await refusal(someone.verifyClaim(opened.case.case, checked.link, checked.claim))).broken).toEqual({ record: 'claim', fault: 'altered' });
  });
});

describe('a claim that is verified', () => {
  it('ends every other link by signature, also one of which relay only says that it has ended', async () => {
    const { case: opened, mediator: own, harmedId, harmedUrl } = await openCase();
    const { link, url } = await own.makeLink(opened.case, harmedId, 'participate');
    await claimed(url);
    let sent: { readonly endings: readonly string[] } | null = null;
    const browser = new Browser(async (url, init) => {
      if (url.endsWith('/v1/verifications')) sent = JSON.parse(typeof init.body === 'string' ? init.body : '') as typeof sent;
      const response = await fetch(url, init);
      if (!url.endsWith('/links')) return response;
      const records = (await response.json()) as Answer[];
      return Response.json(records.map((record) => (record['verification'] === null ? record : { ...record, ended: true })));
    });
    const there = await mediator(0, browser);
    await there.verifyClaim(opened.case, link, (await there.checkClaim(opened.case, link)).claim);
    const endings = (sent as { readonly endings: readonly string[] } | null)?.endings ?? [];
    expect(endings.map((ending) => decodeUnverified(ending, LinkEnding))).toMatchObject([
      { link: linkOf(harmedUrl).id, participant: harmedId, reason: 'replaced' },
    ]);
  });
});

/** A decision on a message of this case by a mediator of another one. */
async function forged(opened: OpenedCase): Promise<{ statement: Json }> {
  const browser = new Tapped();
  const stranger = await mediator(1, browser);
  let statement: Json = null;
  const theirs = await newCase(stranger);
  expect(theirs.case).not.toBe(opened.case.case);
  const [one, other] = theirs.participants.map(({ participant }) => participant);
  const author = await claimed((await stranger.makeLink(theirs.case, one ?? '', 'participate')).url);
  await verifyEverybody(stranger, theirs.case);
  const { message } = await author.sendLetter({ to: other ?? '', language: 'en', text: LETTER });
  await stranger.lease(message);
  browser.alter(/\/decisions$/, (answer) => {
    statement = (answer as { decisions: Json[] }).decisions[0] ?? null;
    return answer;
  });
  await stranger.decide(message, { decision: 'approve' });
  return { statement };
}

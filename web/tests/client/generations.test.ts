/** One's own letters across all links one has had: each is read, or its state is reported; a forged one is not believed. */

import { describe, expect, it } from 'vitest';

import type { MediatorClient, ParticipantClient } from '../../src/client/contract';
import type { Fetch } from '../../src/client/connection';
import { headerFor } from '../../src/client/sealing';
import { toBase64 } from '../../src/client/wire';
import type { components } from '../../src/client/schema';
import { HybridIdentity, newFileKey } from '../../src/crypto/age';
import { Signer } from '../../src/crypto/signing';
import { decodeUnverified, Message, sign } from '../../src/crypto/statements';
import { arrived, Browser, claimed, mediator, nextCharter, openCase, refusal, relay, unlocked, verifyEverybody } from './people';

type AuthorMessage = components['schemas']['AuthorMessage'];

const EARLIER = 'From the telephone that I lost.';
const LATER = 'From the new one.';
const RELAYED = 'He asked me to write this down.';
const WORDS = 'Begin with her, not with you.';
const unread = (code: string) => ({ refusal: 'refused', code });
const FORGED = { refusal: 'broken', broken: { record: 'body', fault: 'not-signed' } };

/** A case in which the person responsible has a second, unclaimed link. */
async function newLink(given: Parameters<typeof openCase>[0] = {}) {
  const opened = await openCase(given);
  const { url } = await opened.mediator.makeLink(opened.case.case, opened.responsibleId, 'participate');
  return { ...opened, id: opened.case.case, url };
}

/** Enters with a new link, which a mediator verifies. */
async function cameBack(someone: MediatorClient, id: string, url: string, browser = new Browser()): Promise<ParticipantClient> {
  const person = await claimed(url, browser);
  await verifyEverybody(someone, id);
  return person;
}

/** A browser whose relay alters its response about one message. */
function altering(change: (said: AuthorMessage) => Partial<AuthorMessage>): Browser {
  const alter: Fetch = async (to, init) => {
    const answer = await fetch(to, init);
    if (!/\/v1\/messages\/[\da-f-]{36}$/.test(to) || init.method !== 'GET') return answer;
    const said = (await answer.json()) as AuthorMessage;
    return new Response(JSON.stringify({ ...said, ...change(said) }), { status: answer.status, headers: answer.headers });
  };
  return new Browser(alter);
}

describe("one's own letter", () => {
  it('of an earlier link is said to be that, and every later one is read', async () => {
    const { mediator: someone, responsible, harmedId, id, url } = await newLink();
    const to = { to: harmedId, language: 'en' } as const;
    const earlier = await responsible.sendLetter({ ...to, text: EARLIER });
    const anew = await claimed(url);
    const early = await anew.sendLetter({ ...to, text: LATER });
    expect(await anew.ownText(early.message)).toBe(LATER);
    await verifyEverybody(someone, id);
    const later = await anew.sendLetter({ ...to, text: LATER });
    for (const { message } of [early, later]) expect(await anew.ownText(message)).toBe(LATER);
    expect(await refusal(anew.ownText(earlier.message))).toEqual(unread('older-key'));
    expect((await anew.correspondence()).sent.map(({ message }) => message).sort()).toEqual([earlier, early, later].map(({ message }) => message).sort());

    // A third link: letters through the first two belong to earlier ones, whatever their order.
    const third = await cameBack(someone, id, (await someone.makeLink(id, (await someone.review(later.message)).from, 'participate')).url);
    for (const { message } of [earlier, early, later]) expect(await refusal(third.ownText(message))).toEqual(unread('older-key'));
  });

  it('through an upload link is said to be that', async () => {
    const { mediator: someone, responsible, harmedId, responsibleId, id } = await newLink();
    const browser = new Browser();
    const { url } = await someone.makeLink(id, responsibleId, 'upload');
    const person = await arrived(url, browser);
    await person.enter();
    const { message } = await person.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    expect(await refusal(responsible.ownText(message))).toEqual(unread('upload-link'));
    // Text sent through an upload link is only on the device that sent it.
    expect(await person.ownText(message)).toBe(EARLIER);
    const elsewhere = await arrived(url);
    await elsewhere.enter();
    expect(await refusal(elsewhere.ownText(message))).toEqual(unread('upload-link'));
  });

  it('through a link that nobody has checked is said to be that, since it may be somebody else’s', async () => {
    const { mediator: someone, responsible, harmedId, id, url } = await newLink();
    const stranger = await claimed(url);
    const { message } = await stranger.sendLetter({ to: harmedId, language: 'en', text: LATER });
    expect(await refusal(responsible.ownText(message))).toEqual(unread('unchecked-link'));
    await verifyEverybody(someone, id);
    expect(await stranger.ownText(message)).toBe(LATER);
  });

  it('that a mediator wrote down is read with the keys it was sealed for', async () => {
    const { mediator: someone, responsible, harmedId, responsibleId, id, url } = await newLink();
    const letter = { case: id, from: responsibleId, to: harmedId, language: 'en', text: RELAYED, confirmed: true } as const;
    const relayed = await someone.relayLetter(letter);
    expect(await responsible.ownText(relayed)).toBe(RELAYED);
    const anew = await cameBack(someone, id, url);
    expect(await refusal(anew.ownText(relayed))).toEqual(unread('older-key'));
    expect(await anew.ownText(await someone.relayLetter(letter))).toBe(RELAYED);
  });

  it('that a mediator wrote down before there were keys is said to be that', async () => {
    const someone = await mediator();
    const opened = await someone.newCase({
      reference: `case ${crypto.randomUUID()}`,
      roles: ['harmed', 'responsible'],
      colleagues: [],
      approvals: 1,
      captions: 'optional',
      serverProcessing: false,
      retentionDays: 365,
    });
    const [harmed, responsible] = opened.participants.map(({ participant }) => participant);
    const message = await someone.relayLetter({ case: opened.case, from: responsible ?? '', to: harmed ?? '', language: 'en', text: RELAYED, confirmed: true });
    const person = await cameBack(someone, opened.case, (await someone.makeLink(opened.case, responsible ?? '', 'participate')).url);
    expect(await refusal(person.ownText(message))).toEqual(unread('no-key-then'));
  });

  it('outlives the charter that it was written under, and the mediator who wrote it down', async () => {
    const colleague = relay.mediators[1]?.credential ?? '';
    const { mediator: someone, responsible, harmedId, responsibleId, responsibleUrl, id, url } = await newLink({ colleagues: [colleague] });
    const other = await mediator(1);
    const own = await responsible.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    const relayed = await other.relayLetter({ case: id, from: responsibleId, to: harmedId, language: 'en', text: RELAYED, confirmed: true });
    await nextCharter(id, () => ({}));
    const second = await responsible.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    await someone.changeMediators(id, 2, [relay.mediators[0]?.credential ?? '']);
    for (const person of [responsible, await unlocked(responsibleUrl)]) {
      for (const { message } of [own, second]) expect(await person.ownText(message)).toBe(EARLIER);
      expect(await person.ownText(relayed)).toBe(RELAYED);
    }
    const anew = await cameBack(someone, id, url);
    for (const message of [own.message, second.message, relayed]) expect(await refusal(anew.ownText(message))).toEqual(unread('older-key'));
  });

  it.each<[string, (said: AuthorMessage) => Partial<AuthorMessage>]>([
    ['another key signed it', ({ statement }) => ({ statement: sign(Signer.generate(), Message, decodeUnverified(statement ?? '', Message)) })],
    ['its way in is held back', () => ({ origin: [] })],
    ['its way in is cut short', ({ origin }) => ({ origin: origin.slice(0, 1) })],
    ['its signature is of other words', ({ statement }) => ({ statement: `${(statement ?? '').slice(0, -4)}AAAA` })],
  ])('of an earlier link is not believed where %s', async (_, change) => {
    const { mediator: someone, responsible, harmedId, id, url } = await newLink();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    const anew = await cameBack(someone, id, url, altering(change));
    expect(await refusal(anew.ownText(message))).toEqual(FORGED);
  });

  it('with the way in of somebody else is not believed', async () => {
    const { mediator: someone, harmed, responsible, harmedId, responsibleId, id, url } = await newLink();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    const theirs = await harmed.sendLetter({ to: responsibleId, language: 'en', text: LATER });
    const { url: again } = await someone.makeLink(id, harmedId, 'participate');
    let taken: Partial<AuthorMessage> = {};
    const other = await cameBack(someone, id, again, altering((said) => ((taken = { statement: said.statement, origin: said.origin }), {})));
    expect(await refusal(other.ownText(theirs.message))).toEqual(unread('older-key'));
    const anew = await cameBack(someone, id, url, altering(() => taken));
    expect(await refusal(anew.ownText(message))).toEqual(FORGED);
  });

  it('that opens with no key of one’s own, though one signed it oneself, is broken', async () => {
    const header = toBase64(headerFor(newFileKey(), HybridIdentity.generate().recipient.toString()));
    const { harmedId, responsibleUrl, responsible } = await newLink();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LATER });
    const person = await unlocked(responsibleUrl, altering(({ parts }) => ({ parts: parts.map((part) => ({ ...part, header })) })));
    expect(await refusal(person.ownText(message))).toEqual({ refusal: 'broken', broken: { record: 'body', fault: 'no-key' } });
  });
});

describe('what a mediator said of it', () => {
  it('is read with the link that it was said to, and of an earlier one the reason is', async () => {
    const { mediator: someone, responsible, harmedId, id, url } = await newLink();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: EARLIER });
    await someone.lease(message);
    await someone.decide(message, { decision: 'return', reason: 'tone', words: WORDS });
    expect(await responsible.guidance(message)).toEqual({ reason: 'tone', words: WORDS, older: false });
    const anew = await cameBack(someone, id, url);
    expect(await anew.guidance(message)).toEqual({ reason: 'tone', words: '', older: true });
    const revised = await anew.sendLetter({ to: harmedId, language: 'en', text: LATER, revises: message });
    expect(await anew.ownText(message)).toBe(LATER);
    await someone.lease(revised.message);
    await someone.decide(message, { decision: 'return', reason: 'unclear', words: WORDS });
    expect(await anew.guidance(message)).toEqual({ reason: 'unclear', words: WORDS, older: false });
  });
});

/** A participant's lists: fetched by pages, and updated only where something changed. */

import { describe, expect, it } from 'vitest';

import type { Correspondence, MediatorClient, ParticipantClient } from '../../src/client/contract';
import type { components } from '../../src/client/schema';
import { Browser, openCase, unlocked } from './people';

type Page = components['schemas']['Correspondence'];

const PAGE = 20;

/** Records requests for relay's lists, and may alter the responses. */
class Listening {
  readonly asked: string[] = [];
  readonly browser: Browser;
  change: (page: Page) => Page = (page) => page;

  constructor() {
    this.browser = new Browser(async (url, init) => {
      const answer = await fetch(url, init);
      const { pathname, search } = new URL(url);
      if (init.method !== 'GET' || pathname !== '/v1/messages' || !answer.ok) return answer;
      this.asked.push(decodeURIComponent(search));
      return Response.json(this.change((await answer.json()) as Page));
    });
  }

  /** Requests since the last call. */
  take(): readonly string[] {
    return this.asked.splice(0);
  }
}

async function send(from: ParticipantClient, to: string, letters: number): Promise<readonly string[]> {
  const sent: string[] = [];
  for (let letter = 0; letter < letters; letter += 1) sent.unshift((await from.sendLetter({ to, language: 'en', text: `Letter ${String(letter)}.` })).message);
  return sent;
}

async function offer(someone: MediatorClient, message: string): Promise<void> {
  await someone.lease(message);
  await someone.decide(message, { decision: 'approve' });
  await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
}

describe('the list of what one sent', () => {
  it('is read by pages, and of what changes only what relay names is fetched again', async () => {
    const listening = new Listening();
    const { responsible, harmedId } = await openCase({}, { responsible: listening.browser });
    const sent = await send(responsible, harmedId, PAGE + 2);
    listening.take();

    const first = await responsible.correspondence();
    expect(first.sent.map(({ message }) => message)).toEqual(sent.slice(0, PAGE));
    expect(first.more).toEqual({ sent: true, received: false });
    const whole = await responsible.more('sent');
    expect(whole.sent.map(({ message }) => message)).toEqual(sent);
    expect(whole.more).toEqual({ sent: false, received: false });
    expect(listening.take()).toEqual(['', expect.stringMatching(/^\?after=/)]);

    const told: Correspondence[] = [];
    const stop = await responsible.watch((correspondence) => { told.push(correspondence); }, () => undefined);
    await expect.poll(() => told.length).toBeGreaterThan(0);
    expect(told[0]).toEqual(whole);
    await expect.poll(() => listening.asked.length).toBe(2);
    listening.take();
    const last = sent.at(-1) ?? '';
    await responsible.withdraw(last);
    await expect.poll(() => told.at(-1)?.sent.at(-1)?.view).toBe('closed');
    await stop();
    expect(listening.take()).toEqual([`?messages=${last}`]);
    expect(told.at(-1)?.sent.slice(0, -1)).toEqual(whole.sent.slice(0, -1));
  });

  it('has one that was not read yet once that is asked for, and then not twice', async () => {
    const { responsible, responsibleUrl, harmedId } = await openCase();
    const sent = await send(responsible, harmedId, PAGE + 2);
    const anew = await unlocked(responsibleUrl);
    const last = sent.at(-1) ?? '';
    expect((await anew.include(last)).sent.map(({ message }) => message)).toEqual([...sent.slice(0, PAGE), last]);
    expect((await anew.include(crypto.randomUUID())).sent).toHaveLength(PAGE + 1);
    expect((await anew.correspondence()).sent.at(-1)?.message).toBe(last);
    expect((await anew.more('sent')).sent.map(({ message }) => message)).toEqual(sent);
  });
});

describe('the list of what one is offered', () => {
  it('fetches each offer once, and shows no time of another offer than the one that is named', async () => {
    const listening = new Listening();
    const { mediator: someone, harmed, harmedUrl, responsible, harmedId } = await openCase({}, { harmed: listening.browser });
    const sent = await send(responsible, harmedId, 2);
    for (const message of sent) await offer(someone, message);
    listening.take();
    const { received } = await harmed.correspondence();
    expect(received.map(({ offeredAt }) => offeredAt !== null)).toEqual([true, true]);
    const [, named] = listening.take();
    expect(named?.slice('?messages='.length).split(',').sort()).toEqual([...sent].sort());
    expect(await harmed.correspondence()).toMatchObject({ received });
    expect(listening.take()).toEqual(['']);

    await harmed.lock();
    listening.change = (page) => ({ ...page, received: { ...page.received, items: page.received.items.map((item) => ({ ...item, offer: page.received.items.find(({ message }) => message !== item.message)?.offer ?? null })) } });
    const misled = await unlocked(harmedUrl, listening.browser);
    expect((await misled.correspondence()).received.map(({ offeredAt }) => offeredAt)).toEqual([null, null]);
  });
});

/** A case that was registered and that nobody has opened: it is said to be that, and is opened once. */

import { describe, expect, it } from 'vitest';

import { Browser, mediator, newCase, refusal, registeredCase, relay } from './people';

const RULES = { colleagues: [], approvals: 1, captions: 'optional', serverProcessing: true, retentionDays: 30 } as const;
const NOT_OPENED = { refusal: 'not-opened' };
const LETTER = { language: 'en', text: 'Good morning.', confirmed: true } as const;

/** Relay, once told to `lie`, denies that this case was ever opened. */
class Denying {
  private denied: string | null = null;
  readonly browser = new Browser((url, options) => this.fetch(url, options));

  lie(id: string): void {
    this.denied = id;
  }

  private async fetch(url: string, options: RequestInit): Promise<Response> {
    const answer = await fetch(url, options);
    const path = new URL(url, relay.url).pathname;
    const method = options.method ?? 'GET';
    if (this.denied === null || method !== 'GET') return answer;
    if (path === `/v1/cases/${this.denied}`) return Response.json({ ...((await answer.json()) as object), charter_version: 0 });
    if (path === `/v1/cases/${this.denied}/charters`) return Response.json({ registration: null, charters: [] });
    return answer;
  }
}

describe('a case that was only registered', () => {
  it('is not opened yet, whatever is asked of it, and nothing is untrusted', async () => {
    const id = await registeredCase();
    const someone = await mediator();
    const [summary] = (await someone.cases()).filter((one) => one.case === id);
    expect(summary?.charterVersion).toBe(0);
    const [from, to] = summary?.people.map(({ participant }) => participant) ?? [];
    if (from === undefined || to === undefined) throw new Error('nobody is in it');
    expect(await refusal(someone.case(id))).toEqual(NOT_OPENED);
    expect(await refusal(someone.makeLink(id, from, 'participate'))).toEqual(NOT_OPENED);
    expect(await refusal(someone.relayLetter({ case: id, from, to, ...LETTER }))).toEqual(NOT_OPENED);
  });

  it('is opened, and is a case like any other', async () => {
    const id = await registeredCase();
    const someone = await mediator();
    expect(await refusal(someone.case(id))).toEqual(NOT_OPENED);
    expect(await someone.openCase(id, RULES)).toMatchObject({ case: id, charterVersion: 1, retentionDays: 30 });
    expect(await someone.case(id)).toMatchObject({ case: id, charterVersion: 1 });
  });
});

describe('a relay that denies a charter which this device has seen', () => {
  it('is not believed: neither is the case shown as new, nor is a first charter signed again', async () => {
    const denying = new Denying();
    const someone = await mediator(0, denying.browser);
    const { case: id } = await newCase(someone);
    denying.lie(id);
    expect(await refusal(someone.case(id))).toEqual({ refusal: 'untrusted' });
    const again = await mediator(0, denying.browser);
    expect(await refusal(again.openCase(id, RULES))).toEqual({ refusal: 'untrusted' });
    expect(await refusal(again.case(id))).toEqual({ refusal: 'untrusted' });
  });
});

/** How much asks for a mediator, as a case system is told: by whom it waits for, and only as counts. */

import { describe, expect, it } from 'vitest';

import { claimed, mediator, newCase, registeredCase, relay } from './people';

describe('what asks for a mediator', () => {
  it('is what waits for them, second approvals, claims to check and cases to open', async () => {
    const [first, second] = [await mediator(0), await mediator(1)];
    const colleague = relay.mediators[1]?.credential;
    if (colleague === undefined) throw new Error('one mediator alone');
    const before = [await first.attention(), await second.attention()];
    const opened = await newCase(first, { colleagues: [colleague], approvals: 2 });
    const [from, to] = opened.participants.map(({ participant }) => participant);
    if (from === undefined || to === undefined) throw new Error('a case of nobody');
    const { url } = await first.makeLink(opened.case, from, 'participate');
    await claimed(url);
    await registeredCase();
    const letter = { case: opened.case, from, to, language: 'en', text: 'Good morning.', confirmed: true } as const;
    const [message] = [await first.relayLetter(letter), await first.relayLetter(letter)];
    const more = (place: number, added: object): object => {
      const was: Readonly<Record<string, number>> = { ...before[place] };
      return { ...was, ...Object.fromEntries(Object.entries(added).map(([name, count]) => [name, (was[name] ?? 0) + (count as number)])) };
    };
    expect(await first.attention()).toEqual(more(0, { waiting: 2, claims: 1, casesToOpen: 1 }));
    expect(await second.attention()).toEqual(more(1, { waiting: 2, claims: 1 }));

    await first.lease(message);
    await first.decide(message, { decision: 'approve' });
    expect(await first.attention()).toEqual(more(0, { waiting: 1, claims: 1, casesToOpen: 1 }));
    expect(await second.attention()).toEqual(more(1, { waiting: 2, secondApprovals: 1, claims: 1 }));

    await second.lease(message);
    expect(await second.attention()).toEqual(more(1, { waiting: 2, secondApprovals: 1, claims: 1 }));
    await second.decide(message, { decision: 'approve' });
    expect((await second.attention()).secondApprovals).toBe(before[1]?.secondApprovals);
  });
});

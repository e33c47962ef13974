/** A case that is closed by its mediator, and opened again. */

import { describe, expect, it } from 'vitest';

import { openCase, refusal } from './people';

describe('a case that is closed', () => {
  it('says so to its people, takes nothing, and goes on once it is open again', async () => {
    const { case: opened, mediator: someone, harmed, harmedId, responsible, responsibleId } = await openCase();
    const caseId = opened.case;
    const letter = { to: responsibleId, language: 'en', text: 'Words.' } as const;
    const { message } = await harmed.sendLetter(letter);
    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await someone.setClosed(caseId, true);

    expect((await someone.case(caseId)).closedAt).not.toBeNull();
    expect((await someone.cases()).find((one) => one.case === caseId)?.closedAt).not.toBeNull();
    expect((await harmed.correspondence()).closed).toBe(true);
    const again = { ...letter, to: harmedId };
    expect(await refusal(responsible.sendLetter(again))).toMatchObject({ refusal: 'refused', code: 'case-closed' });
    expect((await refusal(responsible.sendLetter(again))).sentence).toMatch(/closed/);
    const offer = { contentNote: 'A letter.', summary: null, notBefore: null };
    expect(await refusal(someone.offer(message, offer))).toMatchObject({ code: 'gate-closed', gates: ['case-closed'] });
    expect((await someone.review(message)).gates).toEqual(['case-closed']);

    await someone.setClosed(caseId, false);
    expect((await harmed.correspondence()).closed).toBe(false);
    await someone.offer(message, offer);
    await responsible.sendLetter(again);
  });

  it('says when it is deleted, and what keeps it longer', async () => {
    const { case: opened, mediator: someone } = await openCase();
    const caseId = opened.case;
    const { retentionDays, disposalDueAt } = await someone.case(caseId);
    expect(disposalDueAt).toBeNull();
    await someone.setClosed(caseId, true);
    const { closedAt, disposalDueAt: due } = await someone.case(caseId);
    expect(Date.parse(due ?? '') - Date.parse(closedAt ?? '')).toBe(retentionDays * 24 * 3600 * 1000);

    expect(await someone.holds(caseId)).toEqual([]);
    await someone.placeHold(caseId, { name: 'Order 17', reason: 'The court asked for it.' });
    const [hold] = await someone.holds(caseId);
    expect(hold).toMatchObject({ name: 'Order 17', reason: 'The court asked for it.', bySystem: false });
    await someone.liftHold(caseId, hold?.hold ?? '');
    expect(await someone.holds(caseId)).toEqual([]);
    expect((await someone.log(caseId)).map(({ kind }) => kind).slice(-3)).toEqual(['case-closed', 'hold-placed', 'hold-lifted']);
  });

  it('is told to a page that stands open', async () => {
    const { case: opened, mediator: someone, harmed } = await openCase();
    const caseId = opened.case;
    const told: boolean[] = [];
    const stop = await harmed.watch(({ closed }) => told.push(closed), () => undefined);
    await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe(false);
    await someone.setClosed(caseId, true);
    await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe(true);
    await someone.setClosed(caseId, false);
    await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe(false);
    void stop();
  });
});

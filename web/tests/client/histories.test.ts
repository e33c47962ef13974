/** What came before a message: verified and opened revision by revision, what it may answer, and how it reaches its recipient. */

import { describe, expect, it } from 'vitest';

import type { History, ParticipantClient } from '../../src/client/contract';
import type { Fetch } from '../../src/client/connection';
import type { components } from '../../src/client/schema';
import { Signer } from '../../src/crypto/signing';
import { decodeUnverified, Message, sign } from '../../src/crypto/statements';
import { arrived, Browser, claimed, mediator, newCase, openCase, type OpenedCase, verifyEverybody } from './people';

type Given = components['schemas']['History'];

/** A letter that was returned once per further text. */
async function revised({ mediator: someone, responsible, harmedId }: OpenedCase, first: string, ...texts: readonly string[]): Promise<string> {
  const to = { to: harmedId, language: 'en' } as const;
  const { message } = await responsible.sendLetter({ ...to, text: first });
  for (const text of texts) {
    await someone.lease(message);
    await someone.decide(message, { decision: 'return', reason: 'tone', words: 'Once more.' });
    await responsible.sendLetter({ ...to, text, revises: message });
  }
  return message;
}

async function openedLetter({ mediator: someone, harmed, responsibleId }: OpenedCase, reader: ParticipantClient): Promise<string> {
  const { message } = await harmed.sendLetter({ to: responsibleId, language: 'fr', text: 'Pourquoi ?', assistant: 'M. Roy' });
  await someone.lease(message);
  await someone.decide(message, { decision: 'approve' });
  await someone.offer(message, { contentNote: 'A question.', summary: null, notBefore: null });
  await reader.respond(message, 'accept', false);
  await reader.open(message);
  return message;
}

/** The history shown to a mediator whose relay alters its response. */
async function altered(message: string, change: (said: Given) => Given): Promise<History> {
  const alter: Fetch = async (to, init) => {
    const answer = await fetch(to, init);
    return to.endsWith('/history') ? Response.json(change((await answer.json()) as Given)) : answer;
  };
  return (await mediator(0, new Browser(alter))).history(message);
}

describe('what came before a message', () => {
  it('is every revision of it, the latest first, each with its words', async () => {
    const world = await openCase();
    const message = await revised(world, 'One.', 'Two.', 'Three.');
    expect((await world.mediator.review(message)).revision).toBe(3);
    const { revisions } = await world.mediator.history(message);
    expect(revisions.map(({ revision, text, fault }) => [revision, text, fault])).toEqual([
      [2, 'Two.', null],
      [1, 'One.', null],
    ]);
    expect(await world.mediator.text(message)).toBe('Three.');
  });

  it('is shown of a revision as far as it holds, and takes nothing from the others', async () => {
    const world = await openCase();
    const message = await revised(world, 'One.', 'Two.', 'Three.');
    const forged = { record: 'message', fault: 'not-signed' };
    const resigned = (compact: string): string => sign(Signer.generate(), Message, decodeUnverified(compact, Message));
    for (const change of [
      ({ revisions, others }: Given): Given => ({ others, revisions: revisions.map((one) => (one.revision === 2 ? { ...one, statement: resigned(one.statement) } : one)) }),
      ({ revisions, others }: Given): Given => ({ others, revisions: revisions.map((one) => (one.revision === 2 ? { ...one, statement: revisions[0]?.statement ?? '' } : one)) }),
      ({ revisions, others }: Given): Given => ({ others, revisions: revisions.map((one) => (one.revision === 2 ? { ...one, origin: [] } : one)) }),
    ]) {
      const { revisions } = await altered(message, change);
      expect(revisions).toMatchObject([
        { revision: 2, text: null, fault: forged },
        { revision: 1, text: 'One.', fault: null },
      ]);
    }
    // A skipped one is not followed by the next.
    const { revisions } = await altered(message, (said) => ({ ...said, revisions: said.revisions.slice(1) }));
    expect(revisions).toMatchObject([{ revision: 2, fault: forged }]);
  });

  it('names what its author had opened last when it was sent, and nothing that was opened later', async () => {
    const world = await openCase();
    const { mediator: someone, responsible, harmedId } = world;
    const early = await responsible.sendLetter({ to: harmedId, language: 'en', text: 'Before I had read anything.' });
    const question = await openedLetter(world, responsible);
    const answer = await responsible.sendLetter({ to: harmedId, language: 'en', text: 'You ask why.' });
    expect((await someone.history(early.message)).answers).toBeNull();
    const history = await someone.history(answer.message);
    expect(history.answers).toBe(question);
    expect(history.others.map(({ message, state, openedAt }) => [message, state, openedAt !== null])).toEqual([
      [question, 'viewed', true],
      [early.message, 'queued', false],
    ]);
    // Their own letters do not answer each other.
    expect((await someone.history(question)).answers).toBeNull();
  });

  it('says how its recipient comes to it, in which languages they wrote, and whether somebody helped', async () => {
    const world = await openCase();
    const { case: opened, mediator: someone, harmed, responsible, harmedId, responsibleId } = world;
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: 'For you.' });
    const access = async () => (await someone.history(message)).access;
    expect(await access()).toEqual({ way: { by: 'verified', since: expect.any(String) as string }, hasUploadLink: false, wroteIn: [], assisted: null });
    await openedLetter(world, responsible);
    expect(await access()).toMatchObject({ wroteIn: ['fr'], assisted: true });
    await harmed.sendLetter({ to: responsibleId, language: 'en', text: 'In English.' });
    expect(await access()).toMatchObject({ wroteIn: ['en', 'fr'], assisted: false });
    const upload = await arrived((await someone.makeLink(opened.case, harmedId, 'upload')).url);
    await upload.enter();
    expect(await access()).toMatchObject({ way: { by: 'verified' }, hasUploadLink: true });
  });

  it('says of somebody who has not come that there is a link, or none, or that nobody has checked who came', async () => {
    const someone = await mediator();
    const opened = await newCase(someone);
    const [harmed, responsible] = opened.participants.map(({ participant }) => participant) as [string, string];
    const message = await someone.relayLetter({ case: opened.case, from: harmed, to: responsible, language: 'en', text: 'She asked me.', confirmed: true });
    const way = async () => (await someone.history(message)).access.way;
    expect(await way()).toEqual({ by: 'none' });
    await someone.makeLink(opened.case, responsible, 'upload');
    expect(await way()).toEqual({ by: 'none' });
    const { url } = await someone.makeLink(opened.case, responsible, 'participate');
    expect(await way()).toMatchObject({ by: 'made' });
    await claimed(url);
    expect(await way()).toMatchObject({ by: 'claimed' });
    await verifyEverybody(someone, opened.case);
    expect(await way()).toMatchObject({ by: 'verified' });
  });
});

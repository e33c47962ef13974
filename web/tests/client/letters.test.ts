/** The life of a letter: written, returned, revised, approved, offered, accepted, opened. */

import { describe, expect, it } from 'vitest';

import { stretchPassphrase } from '../../src/crypto/keyrings';
import { parseFragment } from '../../src/crypto/links';
import { arrived, Browser, claimed, linkOf, mediator, nextCharter, openCase, PASSPHRASE, refusal, relay, unlocked, verifyEverybody } from './people';

const LETTER = 'I have thought about that evening every day. — Pas un jour sans y penser.';

describe('coming in', () => {
  it('shows who came, before anything is opened', async () => {
    const { id, fragment } = linkOf(relay.harmed);
    const person = new Browser().participant();
    const arrival = await person.arrive(id, fragment, { keep: true, language: 'fr' });
    expect(arrival).toMatchObject({ link: id, case: relay.case, role: 'harmed', purpose: 'participate', claimed: false, takesVideo: true, hasRecovery: true, recoveredAt: null });
    expect(arrival.correspondents.map(({ role }) => role)).toEqual(['responsible']);
    expect(await person.kept()).toBe(true);
  });

  it('takes the secret that the device kept, where the address has none any more', async () => {
    const browser = new Browser();
    const { id } = linkOf(relay.responsible);
    expect((await refusal(browser.participant().arrive(id, null, { keep: true, language: 'en' }))).refusal).toBe('no-such-link');
    await arrived(relay.responsible, browser);
    expect((await browser.participant().arrive(id, null, { keep: true, language: 'en' })).link).toBe(id);
  });

  it('keeps nothing where it may not', async () => {
    const browser = new Browser();
    const { id, fragment } = linkOf(relay.responsible);
    const person = browser.participant();
    await person.arrive(id, fragment, { keep: false, language: 'en' });
    expect(await person.kept()).toBe(false);
    expect((await refusal(browser.participant().arrive(id, null, { keep: true, language: 'en' }))).refusal).toBe('no-such-link');
  });

  it('claims once, and opens later with the passphrase and nothing else', async () => {
    const { harmed, harmedUrl } = await openCase();
    await harmed.lock();
    expect((await refusal(harmed.correspondence())).refusal).toBe('signed-out');
    const other = await arrived(harmedUrl);
    expect((await refusal(other.unlock('another river'))).refusal).toBe('wrong-passphrase');
    expect(await refusal(other.claim('mine from now on'))).toMatchObject({ refusal: 'refused', code: 'link-claimed' });
    expect(await other.unlock(PASSPHRASE)).toMatchObject({ claimed: true });
    expect(await other.correspondence()).toEqual({ sent: [], received: [], more: { sent: false, received: false }, consent: 'active', verified: true, closed: false, words: null });
  });

  it('claims nothing with a passphrase that is easy to guess, or that is in the link', async () => {
    const { case: opened, mediator: someone, harmedId } = await openCase();
    const { url } = await someone.makeLink(opened.case, harmedId, 'participate');
    const { id, fragment } = linkOf(url);
    const asked: string[] = [];
    const browser = new Browser((to, init) => {
      asked.push(`${init.method ?? ''} ${new URL(to).pathname}`);
      return fetch(to, init);
    });
    const person = await arrived(url, browser);
    for (const [passphrase, weakness] of [
      ['a', 'passphrase-short'],
      ['aaaaaaaaaaaa', 'passphrase-repeats'],
      ['abbaabbbabab ba', 'passphrase-uniform'],
      [id, 'passphrase-from-link'],
      [fragment.toUpperCase(), 'passphrase-from-link'],
    ] as const) {
      expect(await refusal(person.claim(passphrase)), passphrase).toEqual({ refusal: 'weak-passphrase', weakness });
    }
    expect(asked).toEqual([`GET /v1/links/${id}`]);
    expect(await person.claim(PASSPHRASE)).toMatchObject({ claimed: true });
  });

  it('waits after several wrong passphrases, and sends each try once', async () => {
    const { harmedUrl } = await openCase();
    const tries: number[] = [];
    const browser = new Browser(async (to, init) => {
      const response = await fetch(to, init);
      if (to.endsWith('/keyring')) tries.push(response.status);
      return response;
    });
    const person = await arrived(harmedUrl, browser);
    for (const word of ['one', 'two', 'three', 'four', 'five']) {
      expect(await refusal(person.unlock(`another river, ${word}`))).toEqual({ refusal: 'wrong-passphrase' });
    }
    const closed = await refusal(person.unlock(PASSPHRASE));
    expect(closed).toMatchObject({ refusal: 'wait', code: 'too-many-tries' });
    expect(closed.waitSeconds).toBeGreaterThan(20);
    expect(closed.waitSeconds).toBeLessThanOrEqual(30);
    expect(tries).toEqual([403, 403, 403, 403, 403, 429]);
  });

  it('sends relay neither the passphrase nor what opens the keyring', async () => {
    const { case: opened, mediator: someone, harmedId } = await openCase();
    const { url } = await someone.makeLink(opened.case, harmedId, 'participate');
    const { id, fragment } = linkOf(url);
    const sent: string[] = [];
    const browser = new Browser((to, init) => {
      sent.push(`${to} ${JSON.stringify(init.headers)} ${typeof init.body === 'string' ? init.body : ''}`);
      return fetch(to, init);
    });
    await claimed(url, browser);
    const before = sent.length;
    await unlocked(url, browser);
    const { secret } = parseFragment(fragment);
    const { proof, ringKey } = stretchPassphrase(PASSPHRASE, secret.unlock(id), 1);
    const spelled = (bytes: Uint8Array): string[] => [Buffer.from(bytes).toString('base64'), Buffer.from(bytes).toString('base64url')];
    const found = (needles: string[], from: readonly string[]): string[] => from.filter((text) => needles.some((needle) => text.includes(needle)));
    expect(found([PASSPHRASE, ...spelled(ringKey)], sent)).toEqual([]);
    // The proof is sent only with the request for the keyring: for a claim relay receives only its hash.
    expect(found(spelled(proof), sent.slice(0, before))).toEqual([]);
    expect(found(spelled(proof), sent.slice(before))).toHaveLength(1);
  });

  it('says the same of a wrong link and of one that is no link', async () => {
    const { id } = linkOf(relay.harmed);
    const wrong = 'A'.repeat(64);
    for (const fragment of [wrong, 'short', '']) {
      expect((await refusal(new Browser().participant().arrive(id, fragment, { keep: true, language: 'en' }))).refusal).toBe('no-such-link');
    }
  });
});

describe('a letter', () => {
  it('goes through return, revision, approval, offer and acceptance to its reader', async () => {
    const { case: opened, mediator: someone, harmed, responsible, harmedId, responsibleId } = await openCase();
    const sent = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    expect(sent).toMatchObject({ kind: 'letter', revision: 1, view: 'in-review', hasGuidance: false, receipt: null });
    expect(await responsible.ownText(sent.message)).toBe(LETTER);
    const [waiting] = (await someone.queue({ state: 'queued', case: opened.case })).items;
    expect(waiting).toMatchObject({ message: sent.message, fromRole: 'responsible', toRole: 'harmed', reference: opened.reference });

    let item = await someone.lease(sent.message);
    expect(item.lease?.mine).toBe(true);
    expect(item.origin).toMatchObject({ by: 'participant', participant: responsibleId, claimVerifiedBy: relay.mediators[0]?.credential, assistant: null });
    expect(await someone.text(sent.message)).toBe(LETTER);
    item = await someone.decide(sent.message, { decision: 'return', reason: 'tone', words: 'Begin with her, not with you.', note: 'Ring him first.' });
    expect(item.state).toBe('returned');
    expect(item.decisions[0]).toMatchObject({ decision: 'return', mine: true, current: true, words: 'Begin with her, not with you.\n\nRing him first.' });

    const { sent: own } = await responsible.correspondence();
    expect(own[0]).toMatchObject({ view: 'sent-back', hasGuidance: true });
    expect(await responsible.guidance(sent.message)).toEqual({ reason: 'tone', words: 'Begin with her, not with you.', older: false });
    const revised = await responsible.sendLetter({ to: harmedId, language: 'en', text: 'For you.', revises: sent.message });
    expect(revised).toMatchObject({ message: sent.message, revision: 2 });

    await someone.lease(sent.message);
    item = await someone.decide(sent.message, { decision: 'approve' });
    expect(item).toMatchObject({ state: 'approved', recipientReady: true, gates: [], grantAgain: false });
    expect(item.decisions).toMatchObject([{ current: false }, { current: true }]);
    expect(await harmed.correspondence()).toMatchObject({ sent: [], received: [] });
    item = await someone.offer(sent.message, { contentNote: 'Speaks of that evening.', summary: 'An apology.', notBefore: null });
    expect(item.offered).toMatchObject({ notBefore: null, notes: { contentNote: 'Speaks of that evening.', summary: 'An apology.' } });

    const { received } = await harmed.correspondence();
    const shown = { message: sent.message, from: responsibleId, kind: 'letter', form: 'letter', language: 'en', view: 'waiting', actions: ['accept', 'wait', 'refuse'] };
    expect(received).toEqual([{ ...shown, offeredAt: item.offered?.at }]);
    expect(await harmed.offerNotes(sent.message)).toEqual({ contentNote: 'Speaks of that evening.', summary: 'An apology.' });
    expect((await refusal(harmed.open(sent.message))).code).toBe('wrong-state');
    expect((await harmed.respond(sent.message, 'accept', true)).view).toBe('to-open');
    expect(await harmed.open(sent.message)).toMatchObject({ text: 'For you.', relayed: false, from: responsibleId, video: null, captions: null });
    expect((await responsible.correspondence()).sent[0]?.view).toBe('accepted');
    expect((await harmed.respond(sent.message, 'close', false)).view).toBe('closed');
    expect((await someone.log(opened.case)).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['link-claimed', 'offer', 'open']));
  });

  it('is taken back twice within a second, and both count', async () => {
    const { mediator: someone, harmed, responsible, harmedId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await new Promise((begins) => setTimeout(begins, 1000 - (Date.now() % 1000)));
    for (let time = 0; time < 2; time += 1) {
      await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
      expect((await someone.decide(message, { decision: 'retract' })).state).toBe('approved');
    }
    expect(await harmed.correspondence()).toMatchObject({ sent: [], received: [] });
  });

  it('finds its reader paused, whatever else they or a mediator said within the second', async () => {
    const { case: opened, mediator: someone, harmed, harmedId, responsibleId } = await openCase();
    await new Promise((begins) => setTimeout(begins, 1000 - (Date.now() % 1000)));
    for (const said of ['paused', 'active', 'paused'] as const) {
      await harmed.consent(said);
      await someone.recordConsent(opened.case, responsibleId, said);
    }
    const { participants } = await someone.case(opened.case);
    expect(new Map(participants.map(({ participant, consent }) => [participant, consent]))).toEqual(
      new Map([harmedId, responsibleId].map((id) => [id, 'paused'])),
    );
    expect((await harmed.correspondence()).consent).toBe('paused');
  });

  it('names who assisted to the mediator, and never to its reader', async () => {
    const { mediator: someone, harmed, responsible, harmedId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER, assistant: 'M. Roy, chaplain' });
    const item = await someone.lease(message);
    expect(item.origin).toMatchObject({ by: 'participant', assistant: 'M. Roy, chaplain' });
    await someone.decide(message, { decision: 'approve' });
    await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    expect((await harmed.open(message)).text).toBe(LETTER);
  });

  it('is written down by a mediator for somebody who confirmed the words', async () => {
    const { case: opened, mediator: someone, harmed, responsible, harmedId, responsibleId } = await openCase();
    const letter = { case: opened.case, from: responsibleId, to: harmedId, language: 'en', text: 'He asked me to tell you.' } as const;
    expect((await refusal(someone.relayLetter({ ...letter, confirmed: false as unknown as true }))).refusal).toBe('refused');
    const message = await someone.relayLetter({ ...letter, confirmed: true });
    const item = await someone.lease(message);
    expect(item.origin).toEqual({ by: 'mediator', participant: responsibleId, mediator: relay.mediators[0]?.credential });
    expect(await someone.text(message)).toBe(letter.text);
    expect(await responsible.ownText(message)).toBe(letter.text);
    await someone.decide(message, { decision: 'approve' });
    await someone.offer(message, { contentNote: 'A word from him.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    expect(await harmed.open(message)).toMatchObject({ relayed: true, from: responsibleId, text: letter.text });
  });

  it('is withdrawn by its sender, or by a mediator who was told', async () => {
    const { mediator: someone, responsible, harmedId } = await openCase();
    const one = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    const other = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    await responsible.withdraw(one.message);
    await someone.recordWithdrawal(other.message);
    expect((await responsible.correspondence()).sent.map(({ view }) => view)).toEqual(['closed', 'closed']);
  });

  it('is first where it was sent last, and where it was offered last, whatever was sent before', async () => {
    const { mediator: someone, harmed, responsible, harmedId } = await openCase();
    const sent: string[] = [];
    for (const text of ['One.', 'Two.', 'Three.']) sent.push((await responsible.sendLetter({ to: harmedId, language: 'en', text })).message);
    expect((await responsible.correspondence()).sent.map(({ message }) => message)).toEqual([...sent].reverse());
    const [one, two, three] = sent as [string, string, string];
    for (const message of [two, one, three]) {
      await someone.lease(message);
      await someone.decide(message, { decision: 'approve' });
      await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
      await new Promise((begins) => setTimeout(begins, 1000 - (Date.now() % 1000)));
    }
    const { received } = await harmed.correspondence();
    expect(received.map(({ message }) => message)).toEqual([three, one, two]);
    expect(received.map(({ offeredAt }) => offeredAt !== null)).toEqual([true, true, true]);
  });

  it('stays where a gate is closed, and the refusal names the gate', async () => {
    const { case: opened, mediator: someone, harmed, responsible, harmedId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await harmed.consent('paused');
    const people = (await someone.case(opened.case)).participants;
    expect(people.find(({ participant }) => participant === harmedId)).toMatchObject({ consent: 'paused', keys: 'verified' });
    const refused = await refusal(someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null }));
    expect(refused).toMatchObject({ refusal: 'refused', code: 'gate-closed', gates: ['recipient-consent'] });
    await harmed.consent('active');
    expect((await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null })).state).toBe('offered');
  });

  it('is refused in the language that is spoken now, to whoever asks', async () => {
    const { mediator: someone, responsible } = await openCase();
    for (const person of [responsible, someone]) {
      const ask = async (): Promise<string | undefined> =>
        (await refusal('withdraw' in person ? person.withdraw(crypto.randomUUID()) : person.lease(crypto.randomUUID()))).sentence;
      await person.speak('en');
      const english = await ask();
      await person.speak('fr');
      const french = await ask();
      expect([english, french]).toEqual([expect.any(String), expect.any(String)]);
      expect(french).not.toBe(english);
    }
  });

  it('tells its author at once what changes', async () => {
    const { mediator: someone, responsible, harmedId } = await openCase();
    const views: string[] = [];
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    const stop = await responsible.watch(({ sent }) => { views.push(sent[0]?.view ?? ''); }, () => { views.push('broken'); });
    await expect.poll(() => views).toEqual(['in-review']);
    await someone.lease(message);
    await someone.decide(message, { decision: 'decline', reason: 'safety', words: 'Not now.' });
    await expect.poll(() => views).toEqual(['in-review', 'closed']);
    await stop();
  });

  it('needs two mediators where the case asks for two', async () => {
    const colleague = relay.mediators[1]?.credential ?? '';
    const { mediator: someone, responsible, harmedId } = await openCase({ approvals: 2, colleagues: [colleague] });
    const second = await mediator(1);
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'fr', text: LETTER });
    await someone.lease(message);
    expect(await someone.decide(message, { decision: 'approve' })).toMatchObject({ state: 'queued', approvals: 1, gates: ['approvals'] });
    await second.lease(message);
    expect(await second.decide(message, { decision: 'approve' })).toMatchObject({ state: 'approved', approvals: 2 });
  });
});

describe('a charter that changes meanwhile', () => {
  it('has what is being sent granted and signed once more, and nothing sealed a second time', async () => {
    const asked: { readonly what: string; readonly body: string | null }[] = [];
    const browser = new Browser((url, init) => {
      asked.push({ what: `${init.method ?? 'GET'} ${new URL(url).pathname}`, body: typeof init.body === 'string' ? init.body : null });
      return fetch(url, init);
    });
    const { case: opened, mediator: someone, harmed, responsible, harmedId } = await openCase({}, { responsible: browser });
    await nextCharter(opened.case, () => ({}));
    const { message, view } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    expect(view).toBe('in-review');
    const puts = asked.filter(({ what }) => what.startsWith('PUT /v1/messages/'));
    const [first, second] = puts.map(({ body }) => JSON.parse(body ?? '') as { statement: string; grants: unknown; bodies: unknown });
    expect([puts.length, asked.filter(({ what }) => what === 'GET /v1/trust').length]).toEqual([2, 1]);
    expect(second?.bodies).toEqual(first?.bodies);
    expect(second?.grants).not.toEqual(first?.grants);
    expect(second?.statement).not.toBe(first?.statement);

    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await nextCharter(opened.case, () => ({}));
    await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    expect((await harmed.open(message)).text).toBe(LETTER);
    await nextCharter(opened.case, () => ({}));
    const { url } = await someone.makeLink(opened.case, harmedId, 'upload');
    expect((await arrived(url).then((person) => person.enter())).purpose).toBe('upload');
    await nextCharter(opened.case, () => ({}));
    const relayed = { case: opened.case, from: harmedId, to: opened.participants.find((one) => one.participant !== harmedId)?.participant ?? '' };
    await someone.relayLetter({ ...relayed, language: 'en', text: 'She asked me to tell you.', confirmed: true });
  });
});

describe('a new link', () => {
  it('lets its participant open again what was released before', async () => {
    const { case: opened, mediator: someone, harmed, responsible, harmedId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    await someone.lease(message);
    await someone.decide(message, { decision: 'approve' });
    await someone.offer(message, { contentNote: 'An apology.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    await harmed.open(message);
    const { link, url } = await someone.makeLink(opened.case, harmedId, 'participate');
    const anew = await claimed(url);
    const before = await anew.correspondence();
    expect(before).toMatchObject({ sent: [], received: [], consent: null, verified: false });
    expect(before.words?.en).toHaveLength(4);
    expect(before.words).toEqual((await someone.checkClaim(opened.case, link)).words);
    expect((await refusal(anew.open(message))).code).toBe('not-found');
    expect((await harmed.correspondence()).received).toHaveLength(1);
    expect(await verifyEverybody(someone, opened.case)).toBe(1);
    expect((await refusal(harmed.correspondence())).refusal).toBe('signed-out');
    expect(await anew.correspondence()).toMatchObject({ consent: 'active', verified: true });
    expect((await refusal(anew.open(message))).code).toBe('older-key');
    expect(await someone.review(message)).toMatchObject({ state: 'viewed', grantAgain: true });
    expect(await someone.grantAgain(opened.case, harmedId)).toEqual({ granted: 1, broken: [] });
    expect(await someone.review(message)).toMatchObject({ grantAgain: false });
    expect(await anew.offerNotes(message)).toEqual({ contentNote: 'An apology.', summary: null });
    expect((await anew.open(message)).text).toBe(LETTER);
  });

  it('keeps what was written with the old one, and says of it that its key is gone', async () => {
    const { case: opened, mediator: someone, responsible, harmedId, responsibleId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    const { url } = await someone.makeLink(opened.case, responsibleId, 'participate');
    const anew = await claimed(url);
    const early = await anew.sendLetter({ to: harmedId, language: 'en', text: 'From my new telephone.' });
    expect(await someone.review(early.message)).toMatchObject({ standing: 'unverified', gates: expect.arrayContaining(['sender-key']) as string[] });
    expect(await someone.text(early.message)).toBe('From my new telephone.');
    expect((await someone.case(opened.case)).participants.find(({ participant }) => participant === responsibleId)?.keys).toBe('unverified');
    await verifyEverybody(someone, opened.case);
    for (const id of [message, early.message]) expect((await someone.review(id)).standing).toBe('verified');
    expect((await anew.correspondence()).sent.map((one) => one.message).sort()).toEqual([message, early.message].sort());
    expect(await anew.ownText(early.message)).toBe('From my new telephone.');
    expect((await refusal(anew.ownText(message))).code).toBe('older-key');
    const states = (await someone.case(opened.case)).links.filter(({ participant }) => participant === responsibleId).map(({ state }) => state);
    expect(states).toEqual(['ended', 'verified']);
  });

  it('that somebody else used brings nothing to anybody', async () => {
    const { case: opened, mediator: someone, responsible, harmedId, responsibleId } = await openCase();
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'en', text: LETTER });
    await someone.lease(message);
    const link = (await someone.case(opened.case)).links.find(({ participant }) => participant === responsibleId)?.link ?? '';
    await someone.endLink(opened.case, link, 'misused');
    const item = await someone.review(message);
    expect(item).toMatchObject({ standing: 'ended', gates: expect.arrayContaining(['sender-key']) as string[] });
    expect((await refusal(someone.decide(message, { decision: 'approve' }))).code).toBe('sender-unverified');
    expect((await someone.decide(message, { decision: 'decline', reason: 'safety' })).state).toBe('declined');
    expect((await refusal(responsible.correspondence())).refusal).toBe('signed-out');
  });
});

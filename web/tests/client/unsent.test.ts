/** Unsent texts: available on all devices of their author, private, and never lost or overwritten unseen. */

import { describe, expect, it } from 'vitest';

import type { StoredForm, LetterDraft, ParticipantClient, Uuid } from '../../src/client/contract';
import type { Fetch } from '../../src/client/connection';
import { ownSealOf } from '../../src/client/ownseal';
import { newId } from '../../src/client/stamps';
import { HybridIdentity, sealFile } from '../../src/crypto/age';
import { utf8 } from '../../src/crypto/encoding';
import fc from '../chance';
import { arrived, Browser, claimed, linkOf, mediator, openCase, PASSPHRASE, refusal, unlocked } from './people';

const FIRST = 'I have begun.';
const SECOND = 'I have begun, and gone on.';

let clock = 0;

/** A draft as a page passes it. */
function draft(to: Uuid, text: string, id: Uuid = newId()): LetterDraft {
  clock += 1;
  return { id, to, language: 'en', text, revises: null, changedAt: new Date(clock * 1000).toISOString() };
}

async function texts(person: ParticipantClient): Promise<readonly string[]> {
  return (await person.drafts()).map(({ text }) => text).sort();
}

/** A network that can be switched off, loses responses, and records requests. */
class Line {
  isUp = true;
  /** How many of the next responses to changes are lost. */
  losing = 0;
  /** Overrides relay's response to the request for all texts. */
  instead: readonly object[] | null = null;
  readonly carried: { readonly method: string; readonly path: string; readonly body: string }[] = [];

  readonly fetch: Fetch = async (url, init) => {
    const { pathname } = new URL(url);
    const method = init.method ?? 'GET';
    if (!this.isUp) throw new TypeError('no line');
    if (this.instead !== null && method === 'GET' && pathname === '/v1/unsent') {
      return Response.json({ texts: this.instead.map((text) => ({ changed_at: '2030-01-01T00:00:00Z', ...text })) });
    }
    this.carried.push({ method, path: pathname, body: typeof init.body === 'string' ? init.body : '' });
    const response = await fetch(url, init);
    if (this.losing > 0 && method !== 'GET' && pathname.startsWith('/v1/unsent')) {
      this.losing -= 1;
      throw new TypeError('no answer');
    }
    return response;
  };

  /** The texts sent to relay. */
  get given(): readonly string[] {
    return this.carried.filter(({ method, path }) => method === 'PUT' && path.startsWith('/v1/unsent')).map(({ body }) => body);
  }
}

/** The same person on another device, with its own network. */
async function elsewhere(url: string): Promise<{ readonly person: ParticipantClient; readonly line: Line; readonly browser: Browser }> {
  const line = new Line();
  const browser = new Browser(line.fetch);
  return { person: await unlocked(url, browser), line, browser };
}

describe('a draft', () => {
  it('is there after a lock, and on another device, in its latest version', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { person, browser } = await elsewhere(harmedUrl);
    const one = draft(responsibleId, FIRST);
    expect(await person.saveDraft(one)).toEqual({ where: 'device', isCopy: false });
    await person.lock();
    expect(await texts(await unlocked(harmedUrl, browser))).toEqual([FIRST]);
    const other = await elsewhere(harmedUrl);
    expect(await other.person.drafts()).toEqual([one]);

    const changed = draft(responsibleId, SECOND, one.id);
    expect(await other.person.saveDraft(changed)).toEqual({ where: 'device', isCopy: false });
    await other.person.lock();
    expect(await (await unlocked(harmedUrl, browser)).drafts()).toEqual([changed]);
  });

  it('is gone everywhere once it was sent or deleted on one device', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const first = await elsewhere(harmedUrl);
    const one = draft(responsibleId, FIRST);
    await first.person.saveDraft(one);
    await first.person.lock();
    const second = await elsewhere(harmedUrl);
    expect(await texts(second.person)).toEqual([FIRST]);
    await second.person.discardDraft(one.id);
    expect(await texts(second.person)).toEqual([]);
    expect(await texts(await unlocked(harmedUrl, first.browser))).toEqual([]);
  });

  it('that was changed on two devices is kept twice, and whoever saved later is told', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const first = await elsewhere(harmedUrl);
    const one = draft(responsibleId, FIRST);
    await first.person.saveDraft(one);
    await first.person.lock();
    const here = await unlocked(harmedUrl, first.browser);
    const there = await elsewhere(harmedUrl);
    expect([await texts(here), await texts(there.person)]).toEqual([[FIRST], [FIRST]]);
    await there.person.saveDraft(draft(responsibleId, 'There.', one.id));
    await there.person.lock();
    await here.saveDraft(draft(responsibleId, 'Here.', one.id));
    expect(await texts(here)).toEqual(['Here.', 'There.']);
    expect(await here.saveDraft(draft(responsibleId, 'Here, on.', one.id))).toEqual({ where: 'device', isCopy: true });
    expect(await texts(here)).toEqual(['Here, on.', 'There.']);
    // Sent from here: the copy is removed, and the other one stays.
    await here.discardDraft(one.id);
    expect(await texts(here)).toEqual(['There.']);
  });

  it('that two pages of one device write is kept twice', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { person: one, browser } = await elsewhere(harmedUrl);
    const other = await unlocked(harmedUrl, browser);
    const begun = draft(responsibleId, FIRST);
    await one.saveDraft(begun);
    expect(await texts(other)).toEqual([FIRST]);
    await one.saveDraft(draft(responsibleId, 'One.', begun.id));
    expect(await other.saveDraft(draft(responsibleId, 'Other.', begun.id))).toEqual({ where: 'device', isCopy: true });
    expect(await texts(one)).toEqual(['One.', 'Other.']);
    await one.discardDraft(begun.id);
    expect(await texts(other)).toEqual(['Other.']);
  });

  it('that was sent on one device is not lost where it was written on without a line', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const away = await elsewhere(harmedUrl);
    const one = draft(responsibleId, FIRST);
    await away.person.saveDraft(one);
    await away.person.lock();
    const again = await unlocked(harmedUrl, away.browser);
    const sender = await elsewhere(harmedUrl);
    await sender.person.drafts();
    away.line.isUp = false;
    await again.saveDraft(draft(responsibleId, SECOND, one.id));
    await sender.person.discardDraft(one.id);
    away.line.isUp = true;
    expect(await texts(again)).toEqual([SECOND]);
  });

  it('is kept without a line, and follows when there is one', { timeout: 30_000 }, async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const away = await elsewhere(harmedUrl);
    away.line.isUp = false;
    expect(await away.person.saveDraft(draft(responsibleId, FIRST))).toEqual({ where: 'device', isCopy: false });
    expect(await texts(away.person)).toEqual([FIRST]);
    await away.person.lock();
    away.line.isUp = true;
    const back = await unlocked(harmedUrl, away.browser);
    expect(await texts(back)).toEqual([FIRST]);
    await back.lock();
    expect(await texts((await elsewhere(harmedUrl)).person)).toEqual([FIRST]);
  });

  it('whose answer was lost is there once', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { person, line, browser } = await elsewhere(harmedUrl);
    await person.saveDraft(draft(responsibleId, FIRST));
    line.losing = 9;
    await person.lock();
    line.losing = 0;
    const again = await unlocked(harmedUrl, browser);
    expect(await texts(again)).toEqual([FIRST]);
    const [found] = await again.drafts();
    await again.saveDraft(draft(responsibleId, SECOND, found?.id));
    await again.lock();
    expect(await texts((await elsewhere(harmedUrl)).person)).toEqual([SECOND]);
  });

  it('is at relay as soon as it is saved where the computer keeps nothing', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { id, fragment } = linkOf(harmedUrl);
    const line = new Line();
    const kiosk = new Browser(line.fetch).participant();
    await kiosk.arrive(id, fragment, { keep: false, language: 'en' });
    await kiosk.unlock(PASSPHRASE);
    expect(await kiosk.saveDraft(draft(responsibleId, FIRST))).toEqual({ where: 'relay', isCopy: false });
    await kiosk.leaveNothing();
    expect(await texts((await elsewhere(harmedUrl)).person)).toEqual([FIRST]);

    const offline = new Browser(line.fetch).participant();
    await offline.arrive(id, fragment, { keep: false, language: 'en' });
    await offline.unlock(PASSPHRASE);
    line.isUp = false;
    expect((await refusal(offline.saveDraft(draft(responsibleId, SECOND)))).refusal).toBe('offline');
  }, 30_000);

  it('of an upload link stays on its device, and relay is given nothing of it', async () => {
    const { case: opened, mediator: someone, harmedId, responsibleId } = await openCase();
    const { url } = await someone.makeLink(opened.case, harmedId, 'upload');
    const line = new Line();
    const browser = new Browser(line.fetch);
    const person = await arrived(url, browser);
    await person.enter();
    expect(await person.saveDraft(draft(responsibleId, FIRST))).toEqual({ where: 'device', isCopy: false });
    await person.lock();
    const again = await arrived(url, browser);
    await again.enter();
    expect(await texts(again)).toEqual([FIRST]);
    await again.leaveNothing();
    expect(line.carried.filter(({ path }) => path.startsWith('/v1/unsent'))).toEqual([]);
  });

  it('tells relay neither its words nor how long it is', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { person, line } = await elsewhere(harmedUrl);
    await person.saveDraft(draft(responsibleId, 'No.'));
    await person.saveDraft(draft(responsibleId, `No. ${'And no. '.repeat(4)}`));
    await person.lock();
    expect(line.given).toHaveLength(2);
    expect(new Set(line.given.map((body) => body.length)).size).toBe(1);
    expect(line.given.join()).not.toContain('No.');
    expect(Buffer.from((JSON.parse(line.given[0] ?? '') as { sealed: string }).sealed, 'base64').toString('latin1')).not.toContain('No.');
  });

  it('cannot be planted, exchanged or set back by relay', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const first = await elsewhere(harmedUrl);
    const [one, two] = [draft(responsibleId, FIRST), draft(responsibleId, 'Another.')];
    await first.person.saveDraft(one);
    await first.person.saveDraft(two);
    await first.person.lock();
    const sealedOf = new Map(first.line.carried.filter(({ method }) => method === 'PUT').map(({ path, body }) => [path.split('/').at(-1), body] as const));
    const said = (id: Uuid): { version: number; sealed: string } => JSON.parse(sealedOf.get(id) ?? '') as { version: number; sealed: string };
    const forged = ownSealOf(HybridIdentity.generate()).seal(utf8(JSON.stringify({ id: one.id, version: 1, mark: 'x', content: draft(responsibleId, 'I forgive you.', one.id) })));
    const toMe = sealFile(utf8('I forgive you.'), [HybridIdentity.generate().recipient]);
    for (const answer of [
      [{ text: one.id, ...said(two.id) }],
      [{ text: one.id, ...said(one.id), version: 2 }],
      [{ text: one.id, version: 1, sealed: Buffer.from(await forged).toString('base64') }],
      [{ text: one.id, version: 1, sealed: Buffer.from(toMe).toString('base64') }],
      [{ text: one.id, version: 1, sealed: '' }],
    ]) {
      const fresh = await elsewhere(harmedUrl);
      fresh.line.instead = answer;
      expect(await texts(fresh.person)).toEqual([]);
    }
    // An older version does not replace a newer one on this device.
    const again = await unlocked(harmedUrl, first.browser);
    await again.drafts();
    await again.saveDraft(draft(responsibleId, SECOND, one.id));
    await again.lock();
    first.line.instead = [one, two].map(({ id }) => ({ text: id, ...said(id) }));
    expect(await texts(await unlocked(harmedUrl, first.browser))).toContain(SECOND);
  });

  it('is not there for whoever comes with a new link', async () => {
    const { case: opened, mediator: someone, harmed, harmedId, responsibleId } = await openCase();
    await harmed.saveDraft(draft(responsibleId, FIRST));
    const { url } = await someone.makeLink(opened.case, harmedId, 'participate');
    expect(await texts(await claimed(url))).toEqual([]);
  });

  it('that is too large for relay stays on the device, and the others follow', async () => {
    const { harmedUrl, responsibleId } = await openCase();
    const { person, browser } = await elsewhere(harmedUrl);
    const large = 'x'.repeat(900_000);
    await person.saveDraft(draft(responsibleId, large));
    await person.saveDraft(draft(responsibleId, FIRST));
    await person.lock();
    expect(await texts(await unlocked(harmedUrl, browser))).toEqual([FIRST, large]);
    expect(await texts((await elsewhere(harmedUrl)).person)).toEqual([FIRST]);
  });
});

describe('on two devices, whatever happens', () => {
  const doing = fc.record({
    who: fc.integer({ min: 0, max: 1 }),
    what: fc.constantFrom('begin', 'change', 'look', 'send', 'come back', 'down', 'up', 'lose'),
    which: fc.nat(),
  });

  it('no text is lost, and none comes back that was sent', { timeout: 120_000 }, async () => {
    const { harmedUrl, responsibleId } = await openCase();
    await fc.assert(
      fc.asyncProperty(fc.array(doing, { minLength: 4, maxLength: 24 }), async (steps) => {
        const devices = [await elsewhere(harmedUrl), await elsewhere(harmedUrl)].map((device) => ({ ...device, shown: [] as readonly LetterDraft[] }));
        const lives = new Set<string>();
        const over = new Set<string>();
        for (const { who, what, which } of steps) {
          const device = devices[who];
          if (device === undefined) continue;
          const chosen = device.shown[which % Math.max(1, device.shown.length)];
          if (what === 'begin' || (what === 'change' && chosen !== undefined)) {
            const text = newId();
            const { id } = chosen !== undefined && what === 'change' ? chosen : { id: newId() };
            const written = draft(responsibleId, text, id);
            await device.person.saveDraft(written);
            if (chosen !== undefined && what === 'change') over.add(chosen.text);
            lives.add(text);
            device.shown = [...device.shown.filter((shown) => shown.id !== id), written];
          } else if (what === 'look') {
            device.shown = await device.person.drafts();
          } else if (what === 'send' && chosen !== undefined) {
            await device.person.discardDraft(chosen.id);
            over.add(chosen.text);
            device.shown = device.shown.filter(({ id }) => id !== chosen.id);
          } else if (what === 'come back') {
            await device.person.lock();
            device.line.isUp = true;
            device.person = await unlocked(harmedUrl, device.browser);
            device.shown = await device.person.drafts();
          } else if (what === 'down' || what === 'up') {
            device.line.isUp = what === 'up';
          } else if (what === 'lose') device.line.losing = which % 6;
        }
        for (const { line } of devices) Object.assign(line, { isUp: true, losing: 0 });
        // Two syncs each: the first sends local texts, the second receives the other's.
        for (let round = 0; round < 2; round += 1) {
          for (const device of devices) {
            await device.person.drafts();
            await device.person.lock();
            device.person = await unlocked(harmedUrl, device.browser);
          }
        }
        const [one, other] = [await texts(devices[0]?.person ?? fail()), await texts(devices[1]?.person ?? fail())];
        expect(one).toEqual(other);
        for (const text of lives) if (!over.has(text)) expect(one).toContain(text);
        for (const device of devices) for (const { id } of await device.person.drafts()) await device.person.discardDraft(id);
      }),
      { numRuns: 5 },
    );
  });
});

function fail(): never {
  throw new Error('there are two');
}

describe('what a mediator types', () => {
  const form = (place: string, words: string): StoredForm => {
    clock += 1;
    return { place, values: { words }, changedAt: new Date(clock * 1000).toISOString() };
  };

  it('is there after a lock, on another computer, and gone once it is done', async () => {
    const line = new Line();
    const browser = new Browser(line.fetch);
    const place = `return:${newId()}`;
    const someone = await mediator(0, browser);
    await someone.saveForm(form(place, 'Begin with her.'));
    await someone.saveForm(form(place, 'Begin with her, not with you.'));
    expect((await someone.storedForm(place))?.values).toEqual({ words: 'Begin with her, not with you.' });
    await someone.lock();
    expect(line.given.join()).not.toContain('Begin');
    const other = await mediator();
    expect((await other.storedForm(place))?.values).toEqual({ words: 'Begin with her, not with you.' });
    await other.dropForm(place);
    expect(await (await mediator(0, browser)).storedForm(place)).toBeNull();
  });

  it('is nobody else’s', async () => {
    const place = `offer:${newId()}`;
    const someone = await mediator(0);
    await someone.saveForm(form(place, 'Speaks of that evening.'));
    await someone.lock();
    expect(await (await mediator(1)).storedForm(place)).toBeNull();
  });
});

/** What a page can reach of the worker: the functions of the contract, plain refusals, and nothing that holds a key. */

import { describe, expect, it } from 'vitest';

import { guarded } from '../../src/client/guarding';
import { Refused } from '../../src/client/refusing';
import { arrived, Browser, claimed, mediator, newCase, openCase, PASSPHRASE, refusal, relay } from './people';

class Vault {
  readonly secret = 'a key';
  failure: Error = new Error('a key is in this message');

  open(): Promise<string> {
    return Promise.reject(this.failure);
  }

  count(): Promise<number> {
    return Promise.resolve(this.secret.length);
  }
}

describe('the guard', () => {
  it('hands out functions and their results, and no field', async () => {
    const vault = guarded(new Vault(), (result) => result);
    expect(await vault.count()).toBe(5);
    expect(vault.secret).toBeUndefined();
  });

  it('lets nothing of an error out but its refusal', async () => {
    const inside = new Vault();
    const vault = guarded(inside, (result) => result);
    expect(await refusal(vault.open())).toEqual({ refusal: 'unexpected' });
    inside.failure = new Refused('refused', { code: 'link-spent' });
    expect(await refusal(vault.open())).toEqual({ refusal: 'refused', code: 'link-spent' });
    inside.failure = new DOMException('no room', 'QuotaExceededError');
    expect(await refusal(vault.open())).toEqual({ refusal: 'storage-full' });
  });
});

describe('a mediator', () => {
  it('makes keys, keeps them sealed, and is nobody before the root vouches for them', async () => {
    const browser = new Browser();
    const someone = browser.mediator();
    const { keyring, request } = await someone.makeKeys('a lamp in the hall', 'at the office', relay.fingerprint);
    expect(JSON.parse(request)).toMatchObject({ credential: keyring.id, role: 'mediator' });
    await someone.storeKeyring(keyring);
    expect(await browser.mediator().keyrings()).toEqual([keyring]);
    expect((await refusal(someone.unlock(keyring, 'no lamp in the hall', 'en'))).refusal).toBe('wrong-passphrase');
    expect((await refusal(someone.unlock(keyring, 'a lamp in the hall', 'en'))).refusal).toBe('signed-out');
    await someone.forgetKeyring(keyring.id);
    expect(await someone.keyrings()).toEqual([]);
  });

  it('makes no keys with a passphrase that is easy to guess', async () => {
    const someone = new Browser().mediator();
    for (const [passphrase, weakness] of [
      ['a lamp', 'passphrase-short'],
      ['lamp lamp lamp', 'passphrase-repeats'],
    ] as const) {
      expect(await refusal(someone.makeKeys(passphrase, 'work', relay.fingerprint))).toEqual({ refusal: 'weak-passphrase', weakness });
    }
  });

  it('believes no relay that another root vouches for', async () => {
    const held = relay.mediators[0];
    const keyring = { id: 'one', label: 'work', keyring: new Uint8Array(Buffer.from(held?.keyring ?? '', 'base64')), fingerprint: 'AAAAAAAAAAAAAAAAAAAAAA' };
    expect((await refusal(new Browser().mediator().unlock(keyring, held?.passphrase ?? '', 'en'))).refusal).toBe('untrusted');
  });

  it('sees colleagues, cases and links, makes an address again, and ends a link', async () => {
    const { case: opened, mediator: someone, harmedId } = await openCase();
    expect((await someone.colleagues()).filter(({ self }) => self)).toMatchObject([{ credential: relay.mediators[0]?.credential, self: true }]);
    expect((await someone.cases()).map(({ case: id }) => id)).toContain(opened.case);
    const found = async (link: string) => (await someone.case(opened.case)).links.find((each) => each.link === link);
    const { link, url } = await someone.makeLink(opened.case, harmedId, 'participate');
    expect(await someone.linkAddress(opened.case, link)).toBe(url);
    const madeBy = relay.mediators[0]?.credential;
    expect(await found(link)).toMatchObject({ purpose: 'participate', state: 'open', showable: true, endReason: null, madeBy });
    await someone.endLink(opened.case, link, 'replaced');
    expect(await found(link)).toMatchObject({ state: 'ended', showable: false, endReason: 'replaced' });
    expect((await refusal(arrived(url))).refusal).toBe('no-such-link');
    expect((await refusal(someone.linkAddress(opened.case, link))).refusal).toBe('no-such-link');
    await someone.endLink(opened.case, link, 'misused');
    expect(await found(link)).toMatchObject({ state: 'ended', endReason: 'misused' });
  });

  it('shows a link again only to whoever made it, until it is claimed, and never one that carries a message', async () => {
    const colleague = relay.mediators[1]?.credential ?? '';
    const { case: opened, mediator: someone, harmedId } = await openCase({ colleagues: [colleague] });
    const second = await mediator(1);
    const { link, url } = await someone.makeLink(opened.case, harmedId, 'participate');
    expect((await refusal(second.linkAddress(opened.case, link))).refusal).toBe('no-such-link');
    await claimed(url);
    expect((await refusal(someone.linkAddress(opened.case, link))).refusal).toBe('no-such-link');
    const upload = await someone.makeLink(opened.case, harmedId, 'upload');
    expect((await refusal(someone.linkAddress(opened.case, upload.link))).refusal).toBe('no-such-link');
  });

  it('is told at once how much waits', async () => {
    const { mediator: someone, responsible, harmedId } = await openCase();
    const watcher = await mediator(0);
    // Other tests send to the same mediator meanwhile: what is told may change more often than this one does.
    const told: number[] = [];
    const stop = await watcher.watchQueue((figures) => { told.push(figures.find(({ state }) => state === 'queued')?.messages ?? 0); }, () => { told.push(-1); });
    await expect.poll(() => told.length).toBeGreaterThan(0);
    const before = told.length;
    const { message } = await responsible.sendLetter({ to: harmedId, language: 'fr', text: 'Bonjour.' });
    await expect.poll(() => told.length > before && told.at(-1)).toBeGreaterThan(0);
    await stop();
    expect((await someone.messages((await someone.review(message)).case)).map((item) => item.message)).toEqual([message]);
  });
});

describe('a claim', () => {
  it('whose yes was lost on the way is made again with the same words, and with no others', async () => {
    let isCut = true;
    const browser = new Browser((url, init) => (isCut && url.endsWith('/consent') ? Promise.reject(new TypeError('no network')) : fetch(url, init)));
    const someone = await mediator();
    const opened = await newCase(someone);
    const [participant] = opened.participants.map((entry) => entry.participant);
    const person = await arrived((await someone.makeLink(opened.case, participant ?? '', 'participate')).url, browser);
    expect((await refusal(person.claim(PASSPHRASE))).refusal).toBe('offline');
    isCut = false;
    expect(await person.claim(PASSPHRASE)).toMatchObject({ claimed: true });
    expect(await person.correspondence()).toMatchObject({ sent: [], received: [], consent: 'active', verified: false });
    expect((await refusal(person.claim('quite other words'))).code).toBe('link-claimed');
  });
});

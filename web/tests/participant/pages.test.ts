/** Logic of the participant's pages without a browser: addresses, navigation, stages of a message, names. */

import { describe, expect, it } from 'vitest';
import type { Arrival, AuthorView, Kind, ReceivedMessage, RecipientView, SentMessage } from '../../src/client/contract';
import { bareAddress, readAddress } from '../../src/participant/address';
import { LinkSecret, linkUrl } from '../../src/crypto/links';
import { readHanded, type HandedLink } from '../../src/participant/handed';
import { nameOf, receivedLine, sentLine, titleOf } from '../../src/participant/people';
import { problemOf } from '../../src/participant/problem-of';
import { fractionOf } from '../../src/participant/fraction';
import { isOver, timeline } from '../../src/participant/timeline';
import { Trail } from '../../src/participant/trail';
import { en } from '../../src/participant/i18n/home/en';
import { fr } from '../../src/participant/i18n/home/fr';
import { beginning } from '../../src/ui/amounts';
import { reasonForAuthor } from '../../src/i18n/reasons';
import { en as reasons } from '../../src/i18n/reasons/en';

const LINK = '0b2f5f4e-7c7d-4b0a-9a43-5b3c2f0e8d11';

describe('an address', () => {
  it('names the link and keeps its secret apart', () => {
    const address = readAddress(new URL(`https://relay.example/l/${LINK}#c2VjcmV0`));
    expect(address).toEqual({ page: 'link', link: LINK, fragment: 'c2VjcmV0' });
  });

  it('without a fragment has no secret', () => {
    expect(readAddress(new URL(`https://relay.example/l/${LINK}#`))).toMatchObject({ page: 'link', fragment: null });
  });

  it('says nothing of the secret once the device has it', () => {
    expect(bareAddress(LINK)).toBe(`/l/${LINK}`);
  });

  it('is that of the kiosk, whatever stands behind it, and never brings a link there', () => {
    for (const text of ['/kiosk', '/kiosk/', '/kiosk?assisted', '/kiosk#c2VjcmV0', `/l/${LINK}?assisted`]) {
      expect(readAddress(new URL(text, 'https://relay.example'))).toEqual({ page: 'kiosk' });
    }
    for (const text of ['/kiosk#', '/kiosk?link=', `/kiosk#/l/${LINK}#`]) {
      expect(readAddress(new URL(`https://relay.example${text}${'A'.repeat(64)}`))).toEqual({ page: 'exposed' });
    }
    for (const text of ['?assisted', '?assisted=', '?x=1&assisted']) {
      expect(readAddress(new URL(`https://relay.example/l/${LINK}${text}#c2VjcmV0`))).toEqual({ page: 'exposed' });
    }
  });

  it('may be the one for receipts, or lead nowhere', () => {
    expect(readAddress(new URL('https://relay.example/receipt')).page).toBe('receipt');
    expect(readAddress(new URL('https://relay.example/l/not-a-link')).page).toBe('none');
    expect(readAddress(new URL(`https://relay.example/l/${LINK}/more`)).page).toBe('none');
  });
});

describe('a link that is handed to the page', () => {
  const ORIGIN = 'https://relay.example';
  const FRAGMENT = 'A'.repeat(64);
  const HANDED = { id: LINK, fragment: FRAGMENT };

  it.each([
    `${ORIGIN}/l/${LINK}#${FRAGMENT}`,
    `  ${ORIGIN}/l/${LINK}#${FRAGMENT}\n`,
    `relay.example/l/${LINK}#${FRAGMENT}`,
    `HTTPS://Relay.Example/l/${LINK.toUpperCase()}#${FRAGMENT}`,
    `${ORIGIN}/l/${LINK}/?assisted#${FRAGMENT}`,
    `${ORIGIN}:443/l/${LINK}#${FRAGMENT}`,
  ])('is read from %j', (text) => {
    expect(readHanded(text, ORIGIN)).toEqual(HANDED);
  });

  it('is read from the address that is made of a link', () => {
    const made = linkUrl(ORIGIN, LINK, new LinkSecret(new Uint8Array(16).fill(7)), `${'B'.repeat(21)}A`, `${'C'.repeat(21)}A`);
    const { fragment } = readHanded(made, ORIGIN) as HandedLink;
    expect(made).toBe(`${ORIGIN}/l/${LINK}#${fragment}`);
    expect(readAddress(new URL(`/kiosk#${fragment}`, ORIGIN))).toEqual({ page: 'exposed' });
  });

  it.each([
    '',
    'relay',
    '//',
    ORIGIN,
    `${ORIGIN}/l/${LINK}`,
    `${ORIGIN}/l/${LINK}#`,
    `${ORIGIN}/l/${LINK}#${FRAGMENT.slice(1)}`,
    `${ORIGIN}/l/${LINK}#${FRAGMENT}A`,
    `${ORIGIN}/l/${LINK}/more#${FRAGMENT}`,
    `${ORIGIN}/console#${FRAGMENT}`,
    `javascript:alert(1)//l/${LINK}#${FRAGMENT}`,
    `${LINK}#${FRAGMENT}`,
    'WIFI:S:net;T:WPA;P:password;;',
  ])('is not a link in %j', (text) => {
    expect(readHanded(text, ORIGIN)).toBe('notLink');
  });

  it.each([`https://relay.example.evil.example/l/${LINK}#${FRAGMENT}`, `http://relay.example/l/${LINK}#${FRAGMENT}`, `${ORIGIN}:8443/l/${LINK}#${FRAGMENT}`])(
    'is not used where it is another site’s, as %j',
    (text) => {
      expect(readHanded(text, ORIGIN)).toBe('elsewhere');
    },
  );
});

describe('the trail', () => {
  function past(): { readonly states: unknown[]; pushState: History['pushState']; replaceState: History['replaceState'] } {
    const states: unknown[] = [];
    return { states, pushState: (state) => states.push(state), replaceState: (state) => states.splice(-1, 1, state) };
  }

  it('leads back through what was seen, and forward again', () => {
    const trail = new Trail(past(), 'home');
    trail.go('letter');
    trail.go('message');
    expect(trail.came({ step: 1 })).toBe('letter');
    expect(trail.came({ step: 0 })).toBe('home');
    expect(trail.came({ step: 2 })).toBe('message');
  });

  it('forgets what was ahead when another way is taken', () => {
    const trail = new Trail(past(), 'home');
    trail.go('letter');
    trail.came({ step: 0 });
    trail.go('video');
    expect(trail.current).toBe('video');
    expect(trail.came({ step: 1 })).toBe('video');
  });

  it('never goes back to what was replaced', () => {
    const trail = new Trail(past(), 'home');
    trail.go('letter');
    trail.replace('sent');
    trail.came({ step: 0 });
    expect(trail.came({ step: 1 })).toBe('sent');
  });

  it('leads home from an entry of an earlier visit, or of somebody else', () => {
    const trail = new Trail(past(), 'home');
    trail.go('letter');
    expect(trail.came({ step: 7 })).toBe('home');
    expect(trail.came(null)).toBe('home');
    expect(trail.came({ step: 'x' })).toBe('home');
  });

  it('leaves nothing but numbers in the history', () => {
    const history = past();
    const trail = new Trail(history, { message: LINK });
    trail.go({ message: LINK });
    expect(JSON.stringify(history.states)).not.toContain(LINK);
  });
});

describe('the way of a message', () => {
  const views = Object.keys(en.author) as AuthorView[];

  it.each(views)('shows %s as the one place where it is', (view) => {
    for (const kind of ['letter', 'video'] as const) {
      const now = timeline(kind, view).filter((step) => step.when === 'now');
      // A letter is never processed: whatever else relay said would be shown as no stage at all.
      if (kind === 'letter' && view === 'preparing') expect(now).toEqual([]);
      else expect(now).toEqual([{ view, when: 'now' }]);
    }
  });

  it('says of a closed message nothing about how far it had come', () => {
    expect(timeline('video', 'closed').map((step) => step.view)).toEqual(['sending', 'closed']);
  });

  it('ends with the mediator, where nobody chose to say more', () => {
    expect(timeline('letter', 'in-review').map((step) => [step.view, step.when])).toEqual([
      ['sending', 'before'],
      ['in-review', 'now'],
      ['with-mediator', 'after'],
    ]);
  });

  it('offers no taking back of what is over', () => {
    expect(views.filter(isOver)).toEqual(['closed', 'accepted', 'not-accepted']);
  });

  it('has words for every view of an author and of a recipient, in both languages', () => {
    const author: Record<AuthorView, true> = {
      sending: true,
      'preparing': true,
      'not-prepared': true,
      'in-review': true,
      'sent-back': true,
      'with-mediator': true,
      closed: true,
      accepted: true,
      'not-accepted': true,
    };
    const recipient: Record<RecipientView, true> = {
      'waiting': true,
      'to-open': true,
      opened: true,
      'not-accepted': true,
      'not-available': true,
      closed: true,
    };
    for (const texts of [en, fr]) {
      expect(Object.keys(texts.author).sort()).toEqual(Object.keys(author).sort());
      expect(Object.keys(texts.received).sort()).toEqual(Object.keys(recipient).sort());
      for (const view of Object.values(texts.author)) for (const sentence of Object.values(view)) expect(sentence).not.toBe('');
    }
  });
});

describe('people', () => {
  const two = {
    correspondents: [
      { participant: 'a', role: 'responsible', number: 2 },
      { participant: 'b', role: 'responsible', number: 3 },
      { participant: 'c', role: 'harmed', number: null },
    ],
  } as const;

  it('are named by their part, with the number that relay gives', () => {
    expect(nameOf(two, 'a', en)).toBe('the person responsible (2)');
    expect(nameOf(two, 'b', en)).toBe('the person responsible (3)');
    expect(nameOf(two, 'c', en)).toBe('the person harmed');
    expect(nameOf(two, 'd', en)).toBeNull();
  });
});

describe('messages', () => {
  const sent = (message: string, createdAt: string, kind: Kind = 'letter'): SentMessage => ({
    message,
    to: 'a',
    kind,
    form: kind,
    language: 'en',
    revision: 1,
    view: 'in-review',
    viewSince: createdAt,
    actions: [],
    createdAt,
    failure: null,
    processing: null,
    hasGuidance: false,
    receipt: null,
  });
  const received = (message: string, from: string, offeredAt: string | null): ReceivedMessage => ({ message, from, kind: 'letter', form: 'letter', language: 'en', view: 'opened', actions: ['open', 'close'], offeredAt });
  const minute = (second: number): string => `2030-05-01T12:05:0${String(second)}.000Z`;
  const written = [sent('d', '2030-05-01T14:05:00Z'), sent('c', minute(9)), sent('v', minute(8), 'video'), sent('b', minute(2)), sent('a', minute(1))];
  const offered = [received('z', 'b', minute(5)), received('y', 'a', minute(4)), received('x', 'b', minute(3)), received('w', 'b', null)];
  const place = {
    arrival: { correspondents: [{ participant: 'a', role: 'responsible', number: null }] } as unknown as Arrival,
    correspondence: { sent: written, received: offered, more: { sent: false, received: false }, consent: null, verified: true, closed: false, words: null },
    language: 'en' as const,
    texts: { home: en },
  };

  it('are called by their time, and have a number where the minute is the same', () => {
    const titles = written.map((one) => titleOf(one, place));
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.map((title) => /\(\d\)$/.exec(title)?.[0] ?? '')).toEqual(['', '(3)', '', '(2)', '']);
    expect(sentLine(sent('a', minute(1)), '  I was\nthere.', place)).toMatch(/^Letter of .+ · To the person responsible · Version 1 · “I was there\.”$/);
  });

  it('are named by who sent them, also where that is nobody to write to any more', () => {
    const lines = offered.map((one) => receivedLine(one, place));
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines[1]).toMatch(/^Letter · From the person responsible · for you since /);
    expect(lines[0]).toMatch(/^Letter · From somebody of your case · for you since .+ \(2\)$/);
    expect(lines[3]).toBe('Letter · From somebody of your case');
  });

  it('keep their name when another one is answered, also those of one second', () => {
    const together = offered.map((one) => ({ ...one, from: 'a', offeredAt: minute(5) }));
    const names = (list: readonly ReceivedMessage[]): readonly string[] =>
      together.map((one) => receivedLine(one, { ...place, correspondence: { ...place.correspondence, received: list } }));
    expect(new Set(names(together)).size).toBe(together.length);
    for (const answered of together) {
      expect(names([...together.filter((one) => one !== answered), answered])).toEqual(names(together));
    }
  });

  it('begin with whole words, as far as a line goes', () => {
    expect(beginning(' One\n\ntwo ')).toBe('One two');
    expect(beginning('word '.repeat(30))).toBe(`${'word '.repeat(16).trimEnd()}…`);
    expect(beginning('😶'.repeat(100))).toBe(`${'😶'.repeat(80)}…`);
    expect(beginning('')).toBe('');
  });
});

describe('a refusal', () => {
  it('has a page of its own where there is something to do about it', () => {
    expect(problemOf({ refusal: 'untrusted' })).toBe('untrusted');
    expect(problemOf({ refusal: 'offline' })).toBe('offline');
    expect(problemOf({ refusal: 'refused', code: 'gate-closed' })).toBe('unexpected');
  });
});

describe('reasons', () => {
  it('are read by the author as the mediator chose them, and passed over where they are not known', () => {
    expect(reasonForAuthor(reasons, 'needs-a-question')).toBe(reasons.return['needs-a-question']);
    expect(reasonForAuthor(reasons, 'of-next-year')).toBeNull();
    expect(reasonForAuthor(reasons, 'escalation')).toBeNull();
  });

  it('have codes as the protocol wants them', () => {
    for (const group of Object.values(reasons)) for (const code of Object.keys(group)) expect(code).toMatch(/^[a-z][a-z0-9-]*$/);
  });
});

describe('the bar of a video', () => {
  it('counts sealing and sending as half of the work each', () => {
    const progress = { stage: 'sending', totalBytes: 100, bytesPerSecond: null, secondsLeft: null, safeToClose: false } as const;
    expect(fractionOf({ ...progress, sealedBytes: 100, sentBytes: 0 })).toBe(0.5);
    expect(fractionOf({ ...progress, sealedBytes: 100, sentBytes: 100 })).toBe(1);
    expect(fractionOf({ ...progress, totalBytes: 0, sealedBytes: 0, sentBytes: 0 })).toBe(0);
    expect(fractionOf(null)).toBe(0);
  });
});

/** A participant's two lists, as far as their pages were fetched; changed entries are fetched by identifier. */

import { statementHash } from '../crypto/signing';
import type { SignedConnection } from './connection';
import type { Consent, Side, Uuid } from './contract';
import type { components } from './schema';

type Schemas = components['schemas'];
type Page = Schemas['Correspondence'];

/** relay returns at most this many by identifier at once. */
const NAMED_AT_ONCE = 20;

/** What was fetched of one list, by message. */
interface List<Item> {
  readonly items: ReadonlyMap<Uuid, Item>;
  readonly pages: number;
  /** Cursor for the next page; null if the list is complete. */
  readonly next: string | null;
}

interface Read {
  readonly sent: List<Schemas['SentSummary']>;
  readonly received: List<Schemas['ReceivedSummary']>;
  readonly consent: Consent | null;
  readonly verified: boolean;
  readonly closed: boolean;
}

const SIDES = ['sent', 'received'] as const satisfies readonly Side[];

export class Lists {
  private read: Read | null = null;
  /** The offers of listed messages, by hash: none is fetched twice. */
  private readonly offers = new Map<string, string>();
  /** One request at a time, so that an older response never overwrites a newer one. */
  private work: Promise<unknown> = Promise.resolve();

  constructor(private readonly signed: SignedConnection) {}

  /** Refetches everything, as many pages as were read. */
  refresh(): Promise<Read> {
    return this.next(() => this.all());
  }

  /** Refetches these messages; those that no longer exist are removed. */
  look(messages: readonly Uuid[]): Promise<Read> {
    return this.next((read) => (read === null ? this.all() : this.withNamed(read, messages)));
  }

  /** The lists with this message included, if it exists at all. */
  include(message: Uuid): Promise<Read> {
    return this.next(async (before) => {
      const read = before ?? (await this.all());
      return SIDES.some((side) => read[side].items.has(message)) ? read : this.withNamed(read, [message]);
    });
  }

  /** Fetches one more page of one list. */
  more(side: Side): Promise<Read> {
    return this.next(async (before) => {
      const read = before ?? (await this.all());
      const { next } = read[side];
      return next === null ? read : followed(read, side, await this.ask({ after: next }));
    });
  }

  /** The offer of a listed message; null if relay returns another one than it names. */
  offerOf({ offer_hash: hash }: Schemas['ReceivedSummary']): string | null {
    return this.offers.get(hash) ?? null;
  }

  private next(work: (read: Read | null) => Promise<Read>): Promise<Read> {
    const done = this.work.then(async () => {
      const read = await work(this.read);
      await this.fetchOffers(read);
      this.read = read;
      return read;
    });
    this.work = done.catch(() => undefined);
    return done;
  }

  private async all(): Promise<Read> {
    const first = await this.ask({});
    const { consent, verified, closed } = first;
    let read: Read = { sent: listed(first.sent), received: listed(first.received), consent, verified, closed };
    for (const side of SIDES) {
      for (let { next } = read[side]; next !== null && read[side].pages < (this.read?.[side].pages ?? 1); { next } = read[side]) {
        read = followed(read, side, await this.ask({ after: next }));
      }
    }
    // Entries that newer ones have pushed to a later page are still shown.
    const pages = read;
    const moved = SIDES.flatMap((side) => Array.from(this.read?.[side].items.keys() ?? []).filter((message) => !pages[side].items.has(message)));
    return this.withNamed(read, moved);
  }

  private async withNamed(before: Read, messages: readonly Uuid[]): Promise<Read> {
    let read = before;
    for await (const [named, page] of this.named(messages)) {
      read = {
        sent: replaced(read.sent, named, page.sent.items),
        received: replaced(read.received, named, page.received.items),
        consent: page.consent,
        verified: page.verified,
        closed: page.closed,
      };
    }
    return read;
  }

  /** Fetches offers that are listed and not cached: one is as long as ten summaries. */
  private async fetchOffers({ received }: Read): Promise<void> {
    const missing = Array.from(received.items.values()).filter((item) => !this.offers.has(item.offer_hash));
    const pages = this.named(missing.map(({ message }) => message));
    while ((await pages.next()).done !== true);
  }

  private async *named(messages: readonly Uuid[]): AsyncGenerator<readonly [readonly Uuid[], Page]> {
    for (let first = 0; first < messages.length; first += NAMED_AT_ONCE) {
      const named = messages.slice(first, first + NAMED_AT_ONCE);
      const page = await this.ask({ messages: named.join(',') });
      for (const { offer, offer_hash: hash } of page.received.items) {
        if (offer !== null && statementHash(offer) === hash) this.offers.set(hash, offer);
      }
      yield [named, page];
    }
  }

  private ask(query: Readonly<Record<string, string>>): Promise<Page> {
    const asked = new URLSearchParams(query).toString();
    return this.signed.call('GET', asked === '' ? '/v1/messages' : `/v1/messages?${asked}`);
  }
}

function listed<Item extends { readonly message: Uuid }>({ items, next }: { readonly items: readonly Item[]; readonly next: string | null }): List<Item> {
  return { items: new Map(items.map((item) => [item.message, item])), pages: 1, next };
}

function followed(read: Read, side: Side, page: Page): Read {
  const added = <Item extends { readonly message: Uuid }>(list: List<Item>, { items, next }: { readonly items: readonly Item[]; readonly next: string | null }): List<Item> => ({
    items: new Map([...list.items, ...items.map((item) => [item.message, item] as const)]),
    pages: list.pages + 1,
    next,
  });
  return side === 'sent' ? { ...read, sent: added(read.sent, page.sent) } : { ...read, received: added(read.received, page.received) };
}

/** Listed entries stay in place, and new ones come first. */
function replaced<Item extends { readonly message: Uuid }>(list: List<Item>, named: readonly Uuid[], found: readonly Item[]): List<Item> {
  const fresh = new Map(found.map((item) => [item.message, item]));
  const kept = Array.from(list.items.keys()).filter((message) => fresh.has(message) || !named.includes(message));
  const order = [...Array.from(fresh.keys()).filter((message) => !list.items.has(message)), ...kept];
  return { ...list, items: new Map(order.flatMap((message) => entry(message, fresh.get(message) ?? list.items.get(message)))) };
}

function entry<Item>(message: Uuid, item: Item | undefined): readonly (readonly [Uuid, Item])[] {
  return item === undefined ? [] : [[message, item]];
}

/**
 * Unsent texts: stored on the device at once, and soon after at relay, which makes them available on other devices.
 *
 * Both copies are sealed with a key of their author alone. Each version at relay replaces the one that it was based on.
 * If relay has a different one, because another device changed or removed it meanwhile, this one continues
 * as a separate text: nothing is overwritten by a version whose author had not seen it.
 */

import { utf8 } from '../crypto/encoding';
import { pad, unpad } from '../crypto/padding';
import type { SignedConnection } from './connection';
import type { SaveResult, Uuid } from './contract';
import type { Device } from './device';
import { newId } from './stamps';
import type { OwnSeal } from './ownseal';
import { isRefused, Refused } from './refusing';
import { Serial } from './serial';
import type { components } from './schema';
import { fromBase64, toBase64 } from './wire';

type Schemas = components['schemas'];

/** How often changes are sent to relay; more often would reveal how fast somebody types. */
const GIVEN_EVERY_MS = 10_000;
/** Leaving the page does not wait longer than this for relay. */
const LEAVING_MS = 2_000;
/** Minimum padded size, since the text grows with every version. */
const SMALLEST_BYTES = 4096;
/** The limit for requests that outlive their page. */
const OUTLIVES_PAGE_BYTES = 60_000;

interface Here<Content> {
  readonly id: Uuid;
  /** The version at relay that it is based on; 0 for none. */
  readonly base: number;
  /** Identifies this exact text: a new one for every change. */
  readonly mark: string;
  /** The marks of texts sent to relay as the version after `base` without a response. */
  readonly tried: readonly string[];
  /** Whether this text has not been sent to relay. */
  readonly isAhead: boolean;
  /** Whether it was sent or deleted here, which relay does not know yet. */
  readonly isGone: boolean;
  readonly content: Content;
}

interface There<Content> {
  readonly id: Uuid;
  readonly version: number;
  readonly mark: string;
  readonly content: Content;
}

export interface Unsent<Content> {
  readonly id: Uuid;
  readonly content: Content;
}

export interface UnsentStore {
  readonly device: Device;
  /** The owner of these texts on this device. */
  readonly owner: Uuid;
  readonly seal: OwnSeal;
  /** Null if relay stores none of them: through an upload link. */
  readonly signed: SignedConnection | null;
}

export class UnsentTexts<Content> {
  /** Serializes reads and writes. */
  private readonly serial = new Serial();
  /** The marks of the texts as this page has shown or written them; another page of this device may have changed them. */
  private readonly seen = new Map<Uuid, string>();
  /** Texts that did not fit on the device. */
  private readonly homeless = new Map<Uuid, Here<Content>>();
  /** New identifiers of texts that were split off. */
  private readonly moved = new Map<Uuid, Uuid>();
  private readonly timers = new Map<Uuid, ReturnType<typeof setTimeout>>();
  private readonly giving = new Map<Uuid, Promise<void>>();

  constructor(private readonly store: UnsentStore) {}

  /** Stores the current text: on the device, or at relay if the device stores nothing; rejects if neither works. */
  async save(id: Uuid, content: Content): Promise<SaveResult> {
    const own = await this.serial.run(() => this.write(id, content));
    const { device, signed } = this.store;
    const isHere = device.lasting && !this.homeless.has(own);
    if (isHere) this.giveSoon(own);
    else if (signed !== null) await this.give(own);
    else if (device.lasting) throw new Refused('storage-full');
    return { where: isHere || signed === null ? 'device' : 'relay', isCopy: this.current(id) !== id };
  }

  /** All that can be opened. Newer versions from relay or another device are adopted; offline, the local ones. */
  async all(): Promise<readonly Unsent<Content>[]> {
    const there = this.store.signed === null ? null : await this.there().catch(() => null);
    return this.serial.run(async () => {
      if (there !== null) await this.reconcile(await this.here(), there);
      const texts = await this.here();
      for (const { id, mark } of texts) this.seen.set(id, mark);
      return texts.filter(({ isGone }) => !isGone).map(({ id, content }) => ({ id, content }));
    });
  }

  /** Removes a text that was sent or is not wanted; a later version from another device stays. */
  async discard(id: Uuid): Promise<void> {
    const own = this.current(id);
    this.unplan(own);
    await this.serial.run(async () => {
      const text = await this.read(own);
      if (text !== null) await this.put({ ...text, isAhead: false, isGone: true });
    });
    await this.giving.get(own)?.catch(() => undefined);
    await this.remove(own);
  }

  /** After `saving`, sends what relay lacks, for as long as somebody who leaves would wait. */
  async leave(saving: Promise<unknown> = Promise.resolve()): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise((over) => { timer = setTimeout(over, LEAVING_MS); });
    await Promise.race([saving.then(() => this.giveAll()), tooLong]);
    clearTimeout(timer);
    for (const id of this.timers.keys()) this.unplan(id);
  }

  private async giveAll(): Promise<void> {
    await this.serial.done; // include what is being saved
    for (const id of this.timers.keys()) void this.give(id);
    await Promise.allSettled(this.giving.values());
  }

  /** The current identifier of a text. */
  private current(id: Uuid): Uuid {
    const next = this.moved.get(id);
    return next === undefined ? id : this.current(next);
  }

  private async write(id: Uuid, content: Content): Promise<Uuid> {
    const own = this.current(id);
    const before = await this.read(own);
    const mark = newId();
    if (before?.mark !== this.seen.get(own) || before?.isGone === true) {
      // Another page of this device changed or sent it.
      const apart = newId();
      this.moved.set(own, apart);
      this.seen.set(apart, mark);
      await this.put({ id: apart, base: 0, mark, tried: [], isAhead: true, isGone: false, content });
      return apart;
    }
    const { base, tried } = before ?? { base: 0, tried: [] };
    this.seen.set(own, mark);
    await this.put({ id: own, base, mark, tried, isAhead: true, isGone: false, content });
    return own;
  }

  private async reconcile(here: readonly Here<Content>[], there: readonly There<Content>[]): Promise<void> {
    const unknown = new Map(there.map((text) => [text.id, text]));
    for (const text of here) {
      const other = unknown.get(text.id);
      unknown.delete(text.id);
      if (other === undefined) await this.missed(text);
      else await this.compare(text, other);
    }
    for (const other of unknown.values()) await this.take(other);
  }

  /** Relay does not have it: it was never sent, or another device removed it. */
  private async missed(text: Here<Content>): Promise<void> {
    if (text.isGone || (text.base > 0 && !text.isAhead)) await this.forget(text.id);
    else this.giveSoon(text.base === 0 ? text.id : await this.goOnApart(text));
  }

  private async compare(text: Here<Content>, other: There<Content>): Promise<void> {
    if (text.isGone) {
      if (other.version > seenVersion(text)) await this.take(other);
      else void this.remove(text.id); // the next sync shows the outcome
    } else if (text.tried.includes(other.mark)) {
      await this.arrived(text, other);
      if (text.mark !== other.mark) this.giveSoon(text.id);
    } else if (other.version === text.base) {
      if (text.isAhead) this.giveSoon(text.id);
    } else {
      // Relay's version is another device's, or an outdated one.
      if (text.isAhead || other.version < text.base) this.giveSoon(await this.goOnApart(text));
      await this.take(other);
    }
  }

  private take({ id, version, mark, content }: There<Content>): Promise<void> {
    return this.put({ id, base: version, mark, tried: [], isAhead: false, isGone: false, content });
  }

  /** Relay has a version of ours whose response was lost. */
  private arrived(text: Here<Content>, { version, mark }: There<Content>): Promise<void> {
    return this.put({ ...text, base: version, tried: [], isAhead: text.mark !== mark });
  }

  /** The local text continues as a separate one beside relay's version, or in place of one that was removed. */
  private async goOnApart(text: Here<Content>): Promise<Uuid> {
    const id = newId();
    await this.put({ ...text, id, base: 0, tried: [], isAhead: true });
    await this.forget(text.id);
    this.moved.set(text.id, id);
    this.seen.set(id, text.mark);
    return id;
  }

  private giveSoon(id: Uuid): void {
    if (this.store.signed === null || this.timers.has(id)) return;
    this.timers.set(id, setTimeout(() => void this.give(id).catch(() => undefined), GIVEN_EVERY_MS));
  }

  private unplan(id: Uuid): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  /** Sends the current text to relay, after a send in progress. */
  private give(id: Uuid): Promise<void> {
    this.unplan(id);
    const before = this.giving.get(id) ?? Promise.resolve();
    const given = before.catch(() => undefined).then(() => this.giveNow(this.current(id)));
    this.giving.set(id, given);
    return given;
  }

  private async giveNow(id: Uuid): Promise<void> {
    const text = await this.serial.run(async () => {
      const now = await this.read(id);
      if (now?.isAhead !== true) return null;
      const tried = { ...now, tried: [...now.tried.filter((mark) => mark !== now.mark), now.mark] };
      await this.put(tried);
      return tried;
    });
    if (text === null) return;
    try {
      await this.tell(text, text.base + 1);
    } catch (error) {
      if (!isRefused(error, 'refused', 'unsent-changed')) throw error;
      await this.giveApart(id);
      return;
    }
    await this.serial.run(async () => {
      const now = await this.read(id);
      if (now !== null) await this.put({ ...now, base: text.base + 1, tried: [], isAhead: now.isAhead && now.mark !== text.mark });
    });
  }

  /** Relay has a different version under this identifier: ours with a lost response, or another device's. */
  private async giveApart(id: Uuid): Promise<void> {
    const other = (await this.there()).find((text) => text.id === id);
    const next = await this.serial.run(async () => {
      const now = await this.read(id);
      if (now === null || now.isGone) return null;
      if (other === undefined || !now.tried.includes(other.mark)) return this.goOnApart(now);
      await this.arrived(now, other);
      return id;
    });
    if (next !== null) await this.giveNow(next);
  }

  private async tell({ id, mark, content }: Here<Content>, version: number): Promise<void> {
    const said: There<Content> = { id, version, mark, content };
    const sealed = toBase64(await this.store.seal.seal(pad(utf8(JSON.stringify(said)), SMALLEST_BYTES)));
    const body: Schemas['NewUnsentText'] = { version, sealed };
    await this.store.signed?.call('PUT', `/v1/unsent/${id}`, { body, keepalive: sealed.length < OUTLIVES_PAGE_BYTES });
  }

  /** Tells relay that a text is gone; if nobody answers, the next sync retries. */
  private async remove(id: Uuid): Promise<void> {
    const text = await this.serial.run(() => this.read(id));
    if (text === null) return;
    const version = seenVersion(text);
    if (version > 0) {
      try {
        await this.store.signed?.call('DELETE', `/v1/unsent/${id}?version=${String(version)}`);
      } catch (error) {
        if (!isRefused(error, 'refused')) return;
      }
    }
    await this.serial.run(() => this.forget(id));
  }

  private async there(): Promise<readonly There<Content>[]> {
    const { seal, signed } = this.store;
    const { texts } = (await signed?.call<Schemas['UnsentTexts']>('GET', '/v1/unsent')) ?? { texts: [] };
    const found: There<Content>[] = [];
    for (const { text, version, sealed } of texts) {
      try {
        const said = JSON.parse(new TextDecoder().decode(unpad(await seal.open(fromBase64(sealed)), SMALLEST_BYTES))) as There<Content>;
        // Relay must not pass one text off as another, nor an older version as a newer one.
        if (said.id === text && said.version === version) found.push(said);
      } catch {
        continue; // not sealed with this key
      }
    }
    return found;
  }

  /** All texts of this device, including those that did not fit on it. */
  private async here(): Promise<readonly Here<Content>[]> {
    const { device, owner } = this.store;
    const found = new Map(this.homeless);
    for (const { id, sealed } of await device.drafts(owner)) {
      const text = found.has(id) ? null : await this.opened(sealed);
      if (text !== null) found.set(id, text);
    }
    return Array.from(found.values());
  }

  private async read(id: Uuid): Promise<Here<Content> | null> {
    const { device, owner } = this.store;
    const homeless = this.homeless.get(id);
    if (homeless !== undefined) return homeless;
    const kept = await device.draft(owner, id);
    return kept === null ? null : this.opened(kept.sealed);
  }

  /** Null if it was sealed for an older key of this person. */
  private async opened(sealed: Uint8Array<ArrayBuffer>): Promise<Here<Content> | null> {
    try {
      // Nothing else is ever stored there; anybody who can alter a device can do worse.
      return JSON.parse(new TextDecoder().decode(await this.store.seal.open(sealed))) as Here<Content>;
    } catch {
      return null;
    }
  }

  private async put(text: Here<Content>): Promise<void> {
    const { device, owner, seal } = this.store;
    try {
      await device.storeDraft({ link: owner, id: text.id, sealed: await seal.seal(utf8(JSON.stringify(text))) });
      this.homeless.delete(text.id);
    } catch {
      this.homeless.set(text.id, text);
    }
  }

  private async forget(id: Uuid): Promise<void> {
    this.homeless.delete(id);
    await this.store.device.discardDraft(this.store.owner, id);
  }
}

/** The latest version that relay may have, as far as this device knows. */
function seenVersion<Content>({ base, tried }: Here<Content>): number {
  return base + (tried.length > 0 ? 1 : 0);
}

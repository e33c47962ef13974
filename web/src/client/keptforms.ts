/** What a mediator is typing, by the place where it is typed: a decision on one message, a letter that is dictated. */

import type { KeptForm, KeptSafe, Uuid } from './contract';
import { newId } from './stamps';
import { type Shelf, UnsentTexts } from './unsent';

export class KeptForms {
  private readonly texts: UnsentTexts<KeptForm>;
  /** The texts of each place, the latest first; there is more than one where two devices wrote at the same time. */
  private places = new Map<string, readonly Uuid[]>();
  private looked: Promise<readonly KeptForm[]> | null = null;
  /** What is being kept. */
  private saving: Promise<unknown> = Promise.resolve();

  constructor(shelf: Shelf) {
    this.texts = new UnsentTexts(shelf);
  }

  /** What was typed there last, here or on another device. */
  async find(place: string): Promise<KeptForm | null> {
    this.looked = this.look();
    return (await this.looked).find((form) => form.place === place) ?? null;
  }

  save(form: KeptForm): Promise<KeptSafe> {
    const saving = this.saveNow(form);
    this.saving = saving.catch(() => undefined);
    return saving;
  }

  /** It has become something, or is not wanted. */
  async discard(place: string): Promise<void> {
    await (this.looked ??= this.look());
    const ids = this.places.get(place) ?? [];
    this.places.delete(place);
    for (const id of ids) await this.texts.discard(id);
  }

  leave(): Promise<void> {
    return this.texts.leave(this.saving);
  }

  private async saveNow(form: KeptForm): Promise<KeptSafe> {
    await (this.looked ??= this.look());
    const [id = newId(), ...others] = this.places.get(form.place) ?? [];
    this.places.set(form.place, [id, ...others]);
    return this.texts.save(id, form);
  }

  /** The latest of each place. */
  private async look(): Promise<readonly KeptForm[]> {
    const found = [...(await this.texts.all())].sort((one, other) => other.content.changedAt.localeCompare(one.content.changedAt));
    const places = new Map<string, readonly Uuid[]>();
    for (const { id, content } of found) places.set(content.place, [...(places.get(content.place) ?? []), id]);
    this.places = places;
    return found.map(({ content }) => content);
  }
}

/** A mediator's unsent forms, by place: a decision on one message, a dictated letter. */

import type { StoredForm, SaveResult, Uuid } from './contract';
import { newId } from './stamps';
import { type UnsentStore, UnsentTexts } from './unsent';

export class StoredForms {
  private readonly texts: UnsentTexts<StoredForm>;
  /** The texts of each place, newest first; there are several if two devices wrote at the same time. */
  private places = new Map<string, readonly Uuid[]>();
  private looked: Promise<readonly StoredForm[]> | null = null;
  /** The save in progress. */
  private saving: Promise<unknown> = Promise.resolve();

  constructor(store: UnsentStore) {
    this.texts = new UnsentTexts(store);
  }

  /** What was last typed there, on this device or another. */
  async find(place: string): Promise<StoredForm | null> {
    this.looked = this.look();
    return (await this.looked).find((form) => form.place === place) ?? null;
  }

  save(form: StoredForm): Promise<SaveResult> {
    const saving = this.saveNow(form);
    this.saving = saving.catch(() => undefined);
    return saving;
  }

  /** It was submitted, or is not wanted. */
  async discard(place: string): Promise<void> {
    await (this.looked ??= this.look());
    const ids = this.places.get(place) ?? [];
    this.places.delete(place);
    for (const id of ids) await this.texts.discard(id);
  }

  leave(): Promise<void> {
    return this.texts.leave(this.saving);
  }

  private async saveNow(form: StoredForm): Promise<SaveResult> {
    await (this.looked ??= this.look());
    const [id = newId(), ...others] = this.places.get(form.place) ?? [];
    this.places.set(form.place, [id, ...others]);
    return this.texts.save(id, form);
  }

  /** The newest of each place. */
  private async look(): Promise<readonly StoredForm[]> {
    const found = [...(await this.texts.all())].sort((one, other) => other.content.changedAt.localeCompare(one.content.changedAt));
    const places = new Map<string, readonly Uuid[]>();
    for (const { id, content } of found) places.set(content.place, [...(places.get(content.place) ?? []), id]);
    this.places = places;
    return found.map(({ content }) => content);
  }
}

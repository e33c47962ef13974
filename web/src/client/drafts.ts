/** Letters that are being written. */

import type { KeptSafe, LetterDraft, Uuid } from './contract';
import { type Shelf, UnsentTexts } from './unsent';

export class Drafts {
  private readonly texts: UnsentTexts<LetterDraft>;

  constructor(shelf: Shelf) {
    this.texts = new UnsentTexts(shelf);
  }

  save(draft: LetterDraft): Promise<KeptSafe> {
    return this.texts.save(draft.id, draft);
  }

  /** The latest first. */
  async all(): Promise<readonly LetterDraft[]> {
    const drafts = (await this.texts.all()).map(({ id, content }) => ({ ...content, id }));
    return drafts.sort((one, other) => other.changedAt.localeCompare(one.changedAt));
  }

  discard(id: Uuid): Promise<void> {
    return this.texts.discard(id);
  }

  leave(): Promise<void> {
    return this.texts.leave();
  }
}

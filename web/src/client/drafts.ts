/** Letters in progress. */

import type { SaveResult, LetterDraft, Uuid } from './contract';
import { type UnsentStore, UnsentTexts } from './unsent';

export class Drafts {
  private readonly texts: UnsentTexts<LetterDraft>;

  constructor(store: UnsentStore) {
    this.texts = new UnsentTexts(store);
  }

  save(draft: LetterDraft): Promise<SaveResult> {
    return this.texts.save(draft.id, draft);
  }

  /** Newest first. */
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

/** Letters that are being written, kept on the device, sealed for their writer. */

import { utf8 } from '../crypto/encoding';
import type { LetterDraft } from './contract';
import type { Admitted } from './entrance';

export class Drafts {
  /** One thing after the other: an older text never comes after a newer one, and whoever looks sees what was saved before. */
  private line: Promise<unknown> = Promise.resolve();

  constructor(private readonly admitted: Admitted) {}

  save(draft: LetterDraft): Promise<void> {
    const { device, link, ownSeal } = this.admitted;
    return this.inLine(async () => {
      await device.keepDraft({ link, id: draft.id, sealed: await ownSeal.seal(utf8(JSON.stringify(draft))) });
    });
  }

  /** Those that open; one that was sealed for an older key of this person is passed over. */
  all(): Promise<readonly LetterDraft[]> {
    return this.inLine(() => this.opened());
  }

  discard(id: string): Promise<void> {
    return this.inLine(() => this.admitted.device.discardDraft(this.admitted.link, id));
  }

  private async opened(): Promise<readonly LetterDraft[]> {
    const { device, link, ownSeal } = this.admitted;
    const found: LetterDraft[] = [];
    for (const { sealed } of await device.drafts(link)) {
      try {
        // Nothing else is ever put there; whoever alters a device can do worse.
        found.push(JSON.parse(new TextDecoder().decode(await ownSeal.open(sealed))) as LetterDraft);
      } catch {
        continue;
      }
    }
    return found.sort((one, other) => other.changedAt.localeCompare(one.changedAt));
  }

  private inLine<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.line.then(work);
    this.line = done.catch(() => undefined);
    return done;
  }
}

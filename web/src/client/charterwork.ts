/** A mediator's work on charters: who belongs to a case from now on, for one case or for many at once. */

import type { Authority } from '../crypto/trust';
import type { Casework } from './casework';
import { authority, nextCharter, peopleOf } from './charters';
import type { CaseOutcome, CasesProgress, CaseSummary, Refusal, Uuid } from './contract';
import { isOutdated, listedBy } from './members';
import type { OpenCase, OpenCases } from './opencases';
import { isRefused, Refused, refusalOf } from './refusing';

/** The mediators of the case's next charter; null if nothing changes. */
type Change = (opened: OpenCase) => readonly Authority[] | null;

export class Charterwork {
  constructor(
    private readonly cases: OpenCases,
    private readonly casework: Casework,
  ) {}

  /** Signs the charter that follows `version`, the version that the choice was based on. */
  async changeMediators(id: Uuid, version: number, mediators: readonly Uuid[]): Promise<void> {
    await this.sign(id, ({ charter }) => {
      if (charter.version !== version) throw new Refused('refused', { code: 'charter-out-of-order' });
      return [...new Set(mediators)].map((credential) => authority(charter.trust, credential));
    });
  }

  async replaceKeys(id: Uuid, version: number, old: Uuid, newer: Uuid): Promise<void> {
    await this.sign(id, (opened) => {
      if (opened.charter.version !== version) throw new Refused('refused', { code: 'charter-out-of-order' });
      return replaced(opened, old, newer);
    });
  }

  async bringUpToDate(cases: readonly Uuid[], progress: CasesProgress): Promise<readonly CaseOutcome[]> {
    const chosen = new Set(cases);
    const all = (await this.opened()).filter((each) => chosen.has(each.case));
    return this.each(all, progress, ({ charter }) => (isOutdated(listedBy(charter), charter.trust) ? charter.mediators : null));
  }

  /** Replaces one's older credential with the newer one in every case that the older one can read. */
  async bringOver(old: Uuid, newer: Uuid, progress: CasesProgress): Promise<readonly CaseOutcome[]> {
    return this.each(await this.opened(), progress, (opened) => replaced(opened, old, newer));
  }

  /** Processes cases one by one; a failure does not stop the others. */
  private async each(all: readonly CaseSummary[], progress: CasesProgress, change: Change): Promise<readonly CaseOutcome[]> {
    const outcomes: CaseOutcome[] = [];
    for (const { case: id, reference } of all) {
      progress(outcomes.length, all.length);
      outcomes.push({ case: id, reference, refusal: await this.outcome(id, change) });
    }
    progress(outcomes.length, all.length);
    return outcomes;
  }

  private async outcome(id: Uuid, change: Change): Promise<Refusal | null> {
    try {
      await this.sign(id, change);
      return null;
    } catch (error) {
      if (isRefused(error, 'signed-out')) throw error;
      return refusalOf(error);
    }
  }

  private async sign(id: Uuid, change: Change): Promise<void> {
    const { keyring, signed } = this.cases.office;
    const opened = await this.cases.find(id, true);
    const mediators = change(opened);
    if (mediators === null) return;
    const body = nextCharter(keyring.signer, opened, peopleOf(opened.charter.trust, mediators));
    await signed.call('POST', `/v1/cases/${id}/charters`, { body });
    this.cases.forget(id);
  }

  private async opened(): Promise<readonly CaseSummary[]> {
    return (await this.casework.all()).filter(({ charterVersion }) => charterVersion > 0);
  }
}

/** The mediators with one credential replaced by another of the same person; null if nothing changes. */
function replaced({ charter }: OpenCase, old: Uuid, newer: Uuid): readonly Authority[] | null {
  const [before, after] = [authority(charter.trust, old), authority(charter.trust, newer)];
  if (before.person !== after.person) throw new Refused('untrusted');
  if (!charter.mediators.includes(before)) return null;
  return [...new Set(charter.mediators.map((one) => (one === before ? after : one)))];
}

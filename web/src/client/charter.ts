/** The charter that a participant seals under and verifies with: the one at arrival, until a newer one is in force. */

import type { VerifiedCharter } from '../crypto/chain';
import { brokenOf } from './records';
import { isRefused } from './refusing';

export class CaseCharter {
  constructor(
    private known: VerifiedCharter,
    /** Asks relay for the charter in force, and verifies it. */
    private readonly ask: () => Promise<VerifiedCharter>,
  ) {}

  get current(): VerifiedCharter {
    return this.known;
  }

  /** The charter in force; `untrusted` if it does not extend the versions that this device has seen. */
  async renew(): Promise<VerifiedCharter> {
    this.known = await this.ask();
    return this.known;
  }

  /** Sends a request that names the charter; retries once under the charter in force if it has changed. */
  sending<Answer>(send: (charter: VerifiedCharter) => Promise<Answer>): Promise<Answer> {
    return inForce(async (again) => send(again ? await this.renew() : this.known));
  }

  /** Verifies one record; refreshes the charter before calling the record broken. */
  async under<Value>(work: (charter: VerifiedCharter) => Value | Promise<Value>): Promise<Value> {
    const { known } = this;
    try {
      return await work(known);
    } catch (error) {
      if (brokenOf(error) === null) throw error;
      const newest = await this.renew();
      if (newest.version === known.version) throw error;
      return work(newest);
    }
  }
}

/** Sends something made under a charter; calls `again` if relay answers that another charter is in force. */
export async function inForce<Answer>(send: (again: boolean) => Promise<Answer>): Promise<Answer> {
  try {
    return await send(false);
  } catch (error) {
    if (!isRefused(error, 'refused', 'charter-changed')) throw error;
  }
  return send(true);
}

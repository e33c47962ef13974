/** Signing what may be done again: no two statements of one person read the same. */

import type { Time } from './contract';
import { now } from './moments';

const SECOND_MS = 1000;
/** A timer may go off a little early. */
const MARGIN_MS = 10;

/**
 * Signs acts, each a statement of its own. Relay takes the same statement for the same act, and a statement counts whole
 * seconds: what would read like one that was signed in this second waits for the next.
 */
export class ActSigner {
  private second: Time = '';
  private readonly signed = new Set<string>();

  /** The signed statement that `sign` makes of the time of signing. */
  async sign(sign: (at: Time) => string): Promise<string> {
    for (;;) {
      const at = now();
      if (at !== this.second) this.signed.clear();
      this.second = at;
      const statement = sign(at);
      if (!this.signed.has(statement)) {
        this.signed.add(statement);
        return statement;
      }
      await untilNextSecond();
    }
  }
}

function untilNextSecond(): Promise<void> {
  return new Promise((begins) => setTimeout(begins, SECOND_MS + MARGIN_MS - (Date.now() % SECOND_MS)));
}

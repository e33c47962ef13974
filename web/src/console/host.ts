/** What the console tells the page that it is embedded in: where the mediator is, what failed, and counts. */

import type { Refusal } from '../client/contract';
import type { Attention, FailureCode, Place, Told } from '../embed/protocol';
import type { Screen } from './screens';

export class Host {
  private isReady = false;
  private last = '';
  private lastFailure: FailureCode | null = null;

  /** `tell`: null if the console stands by itself. */
  constructor(private readonly tell: ((told: Told) => void) | null) {}

  /** The console waits for the passphrase: ready the first time, and later another place. */
  locked(): void {
    if (this.isReady) this.at({ screen: 'unlock' });
    else this.become({ relay: 'ready', screen: 'unlock' });
    this.isReady = true;
  }

  /** A screen is shown. */
  shows(screen: Screen): void {
    this.at({
      screen: screen.name,
      ...('case' in screen ? { case: screen.case } : {}),
      ...('message' in screen ? { message: screen.message } : {}),
    });
  }

  /** The console as a whole has come to this stage. */
  stands(stage: string, screen: Screen): void {
    if (stage === 'open') this.shows(screen);
    else if (stage === 'locked') this.locked();
    else if (stage === 'untrusted') this.failed('integrity');
    else if (stage === 'offline') this.failed('offline');
    else if (stage === 'another-root') {
      this.failed('another-root');
      this.at({ screen: 'another-root' });
    }
  }

  at(place: Place): void {
    this.become({ relay: 'navigated', ...place });
  }

  /** Said again only after something else was well. */
  failed(code: FailureCode): void {
    if (code === this.lastFailure) return;
    this.lastFailure = code;
    this.tell?.({ relay: 'failed', code });
  }

  keysLocked(): void {
    this.tell?.({ relay: 'locked' });
  }

  counted({ waiting, secondApprovals, claims, casesToOpen }: Attention): void {
    this.lastFailure = null;
    this.tell?.({ relay: 'attention', waiting, secondApprovals, claims, casesToOpen });
  }

  entitled(title: string): void {
    this.tell?.({ relay: 'title', title });
  }

  /** Said once for each change. */
  private become(told: { readonly relay: 'ready' | 'navigated' } & Place): void {
    const said = JSON.stringify([told.screen, told.case, told.message]);
    if (said === this.last) return;
    this.last = said;
    this.lastFailure = null;
    this.tell?.(told);
  }
}

/** The code for a refusal that concerns the whole console; null if it is the mediator's alone, such as a wrong passphrase. */
export function failureOf({ refusal, code }: Refusal, unlocking: boolean): FailureCode | null {
  switch (refusal) {
    case 'offline':
    case 'unexpected':
      return refusal;
    case 'busy':
      return 'unavailable';
    case 'untrusted':
      return 'integrity';
    case 'signed-out':
      return unlocking ? 'wrong-credential' : 'refused-token'; // no session for these keys, or no longer
    case 'refused':
      return code === 'unknown-signer' ? 'wrong-credential' : null;
    default:
      return null;
  }
}

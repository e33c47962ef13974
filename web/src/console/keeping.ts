/** Keeps what a mediator types, sealed for themself alone: while they type, and at once when the page may go. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Session } from './session';

/** After so long without a key. */
const PAUSE_MS = 1_000;
/** And in any event after so long. */
const LONGEST_MS = 5_000;

type Values = Readonly<Record<string, string>>;

interface Host extends ReactiveControllerHost {
  readonly session: Session;
}

const keepers = new Set<FormKeeper>();

/** What is typed anywhere on the page is kept; asked of the keys before this returns. */
export function keepEverything(): void {
  for (const keeper of keepers) keeper.keepNow();
}

/** Keeps the form of one screen. */
export class FormKeeper implements ReactiveController {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private changedAt = 0;

  /** `place` names what is typed, `values` is what it is now. */
  constructor(
    private readonly host: Host,
    private readonly place: () => string,
    private readonly values: () => Values,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    keepers.add(this);
    document.addEventListener('visibilitychange', this.hidden);
  }

  hostDisconnected(): void {
    keepers.delete(this);
    document.removeEventListener('visibilitychange', this.hidden);
    this.keepNow();
  }

  /** What was typed here before, on whatever computer; null where nothing was. */
  async find(): Promise<Values | null> {
    return (await this.host.session.client.keptForm(this.place()))?.values ?? null;
  }

  changed(): void {
    const now = Date.now();
    if (this.timer === null) this.changedAt = now;
    else clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepNow(), Math.min(PAUSE_MS, this.changedAt + LONGEST_MS - now));
  }

  keepNow(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    const form = { place: this.place(), values: this.values(), changedAt: new Date().toISOString() };
    // Where it cannot be kept the words are still on the screen.
    void this.host.session.client.keepForm(form).catch(() => undefined);
  }

  /** It has become something. */
  drop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    void this.host.session.client.dropForm(this.place()).catch(() => undefined);
  }

  private readonly hidden = (): void => {
    if (document.visibilityState === 'hidden') this.keepNow();
  };
}

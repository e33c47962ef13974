/** Saves what a mediator types, sealed for them alone: while they type, and at once when the page may close. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Session } from './session';

/** After this pause in typing. */
const PAUSE_MS = 1_000;
/** And after this long in any case. */
const LONGEST_MS = 5_000;

type Values = Readonly<Record<string, string>>;

interface Host extends ReactiveControllerHost {
  readonly session: Session;
}

const savers = new Set<FormSaver>();

/** Saves every form on the page; the requests are sent before this returns. */
export function saveAllForms(): void {
  for (const saver of savers) saver.saveNow();
}

/** Saves the form of one screen. */
export class FormSaver implements ReactiveController {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private changedAt = 0;

  /** `place` identifies the form, `values` returns its current content. */
  constructor(
    private readonly host: Host,
    private readonly place: () => string,
    private readonly values: () => Values,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    savers.add(this);
    document.addEventListener('visibilitychange', this.hidden);
  }

  hostDisconnected(): void {
    savers.delete(this);
    document.removeEventListener('visibilitychange', this.hidden);
    this.saveNow();
  }

  /** What was typed here before, on any computer; null if nothing. */
  async find(): Promise<Values | null> {
    return (await this.host.session.client.storedForm(this.place()))?.values ?? null;
  }

  changed(): void {
    const now = Date.now();
    if (this.timer === null) this.changedAt = now;
    else clearTimeout(this.timer);
    this.timer = setTimeout(() => this.saveNow(), Math.min(PAUSE_MS, this.changedAt + LONGEST_MS - now));
  }

  saveNow(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    const form = { place: this.place(), values: this.values(), changedAt: new Date().toISOString() };
    // If it cannot be saved, the text is still on the screen.
    void this.host.session.client.saveForm(form).catch(() => undefined);
  }

  /** It was submitted. */
  drop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    void this.host.session.client.dropForm(this.place()).catch(() => undefined);
  }

  private readonly hidden = (): void => {
    if (document.visibilityState === 'hidden') this.saveNow();
  };
}

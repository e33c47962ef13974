/** Tells the embedding page how much asks for the mediator, as long as the keys are open. */

import { proxy } from 'comlink';
import { asRefusal, type Attention, type Refusal, type Stop } from '../client/contract';
import type { Mediator } from './session';

/** Changes that follow each other faster are counted together: counting reads lists. */
const APART_MS = 5_000;

export class AttentionWatch {
  private stopWatching: Promise<Stop> | null = null;
  private waiting: ReturnType<typeof setTimeout> | null = null;
  private countedAt = 0;

  constructor(
    private readonly client: Pick<Mediator, 'attention' | 'watchQueue'>,
    private readonly counted: (counts: Attention) => void,
    private readonly failed: (refusal: Refusal) => void,
  ) {}

  start(): void {
    this.stopWatching = this.client.watchQueue(
      proxy(() => { this.changed(); }),
      proxy((refusal: Refusal) => { this.failed(refusal); }),
    );
    this.stopWatching.catch((thrown: unknown) => { this.failed(asRefusal(thrown)); });
  }

  stop(): void {
    if (this.waiting !== null) clearTimeout(this.waiting);
    void this.stopWatching?.then((stop) => stop()).catch(() => undefined); // the keys may be locked by now
    this.stopWatching = null;
  }

  private changed(): void {
    if (this.waiting !== null) return;
    const pause = Math.max(0, this.countedAt + APART_MS - Date.now());
    this.waiting = setTimeout(() => void this.count(), pause);
  }

  private async count(): Promise<void> {
    this.waiting = null;
    this.countedAt = Date.now();
    try {
      const counts = await this.client.attention();
      if (this.stopWatching !== null) this.counted(counts);
    } catch (thrown) {
      if (this.stopWatching !== null) this.failed(asRefusal(thrown));
    }
  }
}

/** Cases whose charter lists media workers or recovery keys other than the valid ones, updated in one step. */

import { proxy } from 'comlink';
import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseOutcome, CaseSummary } from '../client/contract';
import { ConsoleElement } from './element';
import { allDone, type Reached, renderOutcomes, renderReached } from './outcomes';

export class ConsoleStale extends ConsoleElement {
  static override properties = reactive([], ['stale', 'at', 'outcomes']);

  private stale: readonly CaseSummary[] = [];
  private at: Reached = null;
  private outcomes: readonly CaseOutcome[] | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(() => this.look());
  }

  private async look(): Promise<void> {
    this.stale = await this.session.client.outdatedCases();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { ownKeys } = this.texts;
    const { outcomes, stale } = this;
    if (stale.length === 0 && outcomes === null) return nothing;
    return html`${stale.length === 0
      ? nothing
      : html`<section class="note">
          <p>${ownKeys.stale(stale.length)}</p>
          <button ?disabled=${this.running} @click=${() => this.bring()}>${ownKeys.staleDo(stale.length)}</button>
        </section>`}
    ${renderReached(this.texts, this.at)} ${this.renderRefusal()}
    ${outcomes === null ? nothing : renderOutcomes(this.session, outcomes, allDone(outcomes) ? ownKeys.staleDone : ownKeys.staleFailed)}`;
  }

  private async bring(): Promise<void> {
    await this.attempt(async () => {
      const cases = this.stale.map((one) => one.case);
      this.outcomes = await this.session.client.bringUpToDate(
        cases,
        proxy((done: number, total: number) => (this.at = { done, total })),
      );
      await this.look();
    });
    this.at = null;
  }
}

customElements.define('console-stale', ConsoleStale);

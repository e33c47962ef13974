/** The cases of this mediator, those with something to do first; searchable by reference or person. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import type { CaseFigures, CaseSummary, Person } from '../client/contract';
import { day } from '../ui/amounts';
import { ConsoleElement } from './element';
import { byNeed, find, type Found } from './finding';
import { caseName, person, shortId } from './people';
import './stale';

const OWN = ['you', 'claims'] as const satisfies readonly (keyof CaseFigures)[];
const OTHERS = ['mediator', 'sender', 'recipient', 'relay', 'unusedLinks'] as const satisfies readonly (keyof CaseFigures)[];

export class ConsoleCases extends ConsoleElement {
  static override properties = reactive([], ['cases', 'sought']);

  private cases: readonly CaseSummary[] | null = null;
  private sought = '';

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(async () => {
      this.cases = byNeed(await this.session.client.cases());
    });
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  protected override render(): TemplateResult {
    const { cases, finding } = this.texts;
    const found = find(this.session, this.cases ?? [], this.sought);
    return html`<main id="content" class="wide">
      <h1 tabindex="-1">${cases.title}</h1>
      <p>${cases.lead}</p>
      ${this.session.self.registersCases
        ? html`<p><button class="primary" @click=${() => this.session.go({ name: 'new-case' })}>${cases.new}</button></p>`
        : html`<p>${cases.fromSystem}</p>`}
      ${this.renderRefusal()} ${this.cases === null ? nothing : html`<console-stale .session=${this.session}></console-stale>`}
      <div class="field narrow">
        <label for="case-find">${finding.label}</label>
        <input
          id="case-find"
          type="search"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="case-find-hint"
          @input=${(event: Event) => (this.sought = (event.target as HTMLInputElement).value)}
        />
        <small id="case-find-hint">${finding.hint}</small>
      </div>
      ${this.cases === null
        ? html`<p role="status">${this.reading ? this.texts.loading : nothing}</p>`
        : html`<p class="quiet" role="status">${found.length > 0 ? finding.found(found.length) : this.cases.length === 0 ? cases.empty : finding.none}</p>
            <ul class="queue lines cases">
              ${repeat(found, (one) => one.case.case, (one) => this.renderCase(one))}
            </ul>`}
    </main>`;
  }

  private renderCase({ case: one, people }: Found): TemplateResult {
    const { cases } = this.texts;
    const opened = one.charterVersion > 0;
    return html`<li>
      <button
        class="queue-open"
        aria-label=${this.texts.ownKeys.openCase(caseName(this.session, one))}
        @click=${() => this.session.go(opened ? { name: 'case', case: one.case } : { name: 'new-case', case: one.case })}
      >
        <strong>${caseName(this.session, one)}</strong>
      </button>
      <p class="facts">
        ${opened ? this.renderFigures(one.figures) : html`<strong>${cases.notOpened}</strong>`}
        ${one.closedAt === null ? nothing : html`<strong>${one.disposedAt === null ? cases.closed : cases.deleted}</strong>`}
        ${one.changeAsked ? html`<strong>${cases.changeAsked}</strong>` : nothing}
        ${people.map((somebody) => html`<span>${this.found(somebody)}</span>`)}
        <span class="quiet">${day(one.createdAt, this.session.language)}</span>
      </p>
    </li>`;
  }

  /** What this mediator has to do, emphasized, then what waits for others. */
  private renderFigures(figures: CaseFigures): TemplateResult {
    const { count } = this.texts.finding;
    return html`${OWN.filter((one) => figures[one] > 0).map((one) => html`<strong>${count[one](figures[one])}</strong>`)}
    ${OTHERS.filter((one) => figures[one] > 0).map((one) => html`<span class="quiet">${count[one](figures[one])}</span>`)}`;
  }

  private found(somebody: Person): string {
    return `${person(this.session, somebody)}, ${this.texts.finding.mark(shortId(somebody.participant))}`;
  }
}

customElements.define('console-cases', ConsoleCases);

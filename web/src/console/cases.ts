/** The cases of this mediator. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { CaseSummary } from '../client/contract';
import { dateOnly } from './ages';
import { ConsoleElement } from './element';
import './stale';

export class ConsoleCases extends ConsoleElement {
  static override properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    cases: { state: true },
    sought: { state: true },
  };

  private cases: readonly CaseSummary[] | null = null;
  private sought = '';

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(async () => {
      const cases = await this.session.client.cases();
      this.cases = [...cases].sort((one, other) => other.createdAt.localeCompare(one.createdAt));
    });
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  protected override render(): TemplateResult {
    const { cases } = this.words;
    const sought = this.sought.trim().toLocaleLowerCase();
    const shown = (this.cases ?? []).filter((one) => one.reference.toLocaleLowerCase().includes(sought));
    return html`<main id="content" class="wide">
      <h1 tabindex="-1">${cases.title}</h1>
      <p>${cases.lead}</p>
      ${this.session.self.registersCases
        ? html`<p><button class="primary" @click=${() => this.session.go({ name: 'new-case' })}>${cases.new}</button></p>`
        : html`<p>${cases.fromSystem}</p>`}
      ${this.renderRefusal()} ${this.cases === null ? nothing : html`<console-stale .session=${this.session}></console-stale>`}
      <div class="field narrow">
        <label for="case-find">${cases.find}</label>
        <input id="case-find" type="search" autocomplete="off" @input=${(event: Event) => (this.sought = (event.target as HTMLInputElement).value)} />
      </div>
      ${this.cases === null
        ? html`<p role="status">${this.reading ? this.words.loading : nothing}</p>`
        : shown.length === 0
          ? html`<p class="card" role="status">${cases.empty}</p>`
          : html`<ul class="queue">
              ${shown.map((one) => this.renderCase(one))}
            </ul>`}
    </main>`;
  }

  private renderCase(one: CaseSummary): TemplateResult {
    const { cases } = this.words;
    const opened = one.charterVersion > 0;
    return html`<li class="card">
      <button class="queue-open" @click=${() => this.session.go(opened ? { name: 'case', case: one.case } : { name: 'new-case', case: one.case })}>
        <strong>${one.reference}</strong>
        <span>${opened ? cases.isOpened : cases.notOpened}</span>
      </button>
      <p class="quiet facts">
        <span>${dateOnly(one.createdAt, this.session.language)}</span>
        ${opened ? html`<span>${cases.approvals(one.approvals)}</span>` : nothing}
        ${one.changeAsked ? html`<strong>${cases.changeAsked}</strong>` : nothing}
      </p>
    </li>`;
  }
}

customElements.define('console-cases', ConsoleCases);

/** The history of a case, one sentence per row of relay's log; shown only if every row follows from the one before. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { LogEntry, Person, Uuid } from '../client/contract';
import { moment } from '../ui/amounts';
import { ConsoleElement } from './element';
import { actor, shortId } from './people';

export class ConsoleTimeline extends ConsoleElement {
  static override properties = reactive(['case', 'people'], ['entries']);

  case: Uuid = '';
  people: readonly Person[] = [];
  private entries: readonly LogEntry[] | null = null;

  protected override render(): TemplateResult {
    const { case: texts } = this.texts;
    return html`<section>
      <h2>${texts.timeline}</h2>
      <p>${texts.timelineLead}</p>
      ${this.renderRefusal()}
      ${this.entries === null
        ? html`<p><button ?disabled=${this.reading} @click=${() => this.load()}>${texts.timelineShow}</button></p>`
        : this.renderEntries(this.entries)}
    </section>`;
  }

  private async load(): Promise<void> {
    await this.read(async () => {
      this.entries = await this.session.client.log(this.case);
    });
  }

  private renderEntries(entries: readonly LogEntry[]): TemplateResult {
    const { event, eventOther, eventMessage } = this.texts;
    const names: Readonly<Record<string, string>> = event;
    const latestFirst = [...entries].reverse();
    const known = new Map(this.people.map((one) => [one.participant, one]));
    return html`<ol class="timeline" reversed>
      ${latestFirst.map(
        (entry) => html`<li>
          <time class="quiet" datetime=${entry.at}>${moment(entry.at, this.session.language)}</time>
          <span>${actor(this.session, entry.actor, known)}</span>
          <span>
            ${names[entry.kind] ?? eventOther(entry.kind)}
            ${entry.message === null ? nothing : html`<small>(${eventMessage(shortId(entry.message))})</small>`}
          </span>
        </li>`,
      )}
    </ol>`;
  }
}

customElements.define('console-timeline', ConsoleTimeline);

/** The review queue: how much there is, what waits longest first, live, with filters and the keyboard. */

import { proxy } from 'comlink';
import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { CaseSummary, Language, QueueFilter, QueueItem, State, Stop, Time } from '../client/contract';
import { ageOf } from './ages';
import { asRefusal, ConsoleElement } from './element';
import { mediator, person } from './people';
import type { Shortcut } from './shortcuts';

/** The states in which a message is somebody's to do, or may still be recalled. */
export const QUEUE_STATES = ['queued', 'claimed', 'held', 'approved', 'offered', 'released', 'returned', 'processing', 'failed'] as const satisfies readonly State[];

interface Figure {
  readonly state: State;
  readonly messages: number;
  readonly oldest: Time | null;
}

const HOUR_SECONDS = 3600;
const AGES = { hour: HOUR_SECONDS, day: 24 * HOUR_SECONDS, threeDays: 72 * HOUR_SECONDS, week: 168 * HOUR_SECONDS };
const TICK_MS = 30_000;

/** Kept while the page lives, so that coming back from a message shows the same queue. */
let filter: QueueFilter = { state: 'queued' };

export class ConsoleQueue extends ConsoleElement {
  static override properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    items: { state: true },
    next: { state: true },
    figures: { state: true },
    cases: { state: true },
    broken: { state: true },
    now: { state: true },
  };

  private items: readonly QueueItem[] | null = null;
  private next: string | null = null;
  private figures: readonly Figure[] = [];
  private cases: readonly CaseSummary[] = [];
  private broken = false;
  /** The first page is to be fetched. */
  private stale = false;
  private now = Date.now();
  private stopWatching: Promise<Stop> | null = null;
  private ticking: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticking = setInterval(() => (this.now = Date.now()), TICK_MS);
    void this.load();
    void this.session.client.cases().then(
      (cases) => (this.cases = cases),
      (thrown: unknown) => this.refused(asRefusal(thrown)),
    );
    this.stopWatching = this.session.client.watchQueue(
      proxy((figures: readonly Figure[]) => {
        const first = this.figures.length === 0;
        this.figures = figures;
        this.broken = false;
        if (!first) void this.load(); // what waits longest comes first, so rows do not jump under a finger
      }),
      proxy(() => (this.broken = true)),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticking);
    void this.stopWatching?.then((stop) => stop()).catch(() => undefined); // the keys may be locked by now
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  shortcut(does: Shortcut): void {
    if (does === 'next') this.step(1);
    else if (does === 'previous') this.step(-1);
    else if (does === 'refresh') void this.load();
    else if (does === 'open') this.querySelector<HTMLButtonElement>('.queue-open')?.click();
  }

  private step(by: 1 | -1): void {
    const buttons = [...this.querySelectorAll<HTMLButtonElement>('.queue-open')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = at < 0 ? (by === 1 ? 0 : buttons.length - 1) : Math.min(buttons.length - 1, Math.max(0, at + by));
    buttons[to]?.focus();
  }

  /** Fetches the first page; asked for again before that began, it is still fetched once. */
  private async load(): Promise<void> {
    if (this.stale) return;
    this.stale = true;
    await this.read(async () => {
      this.stale = false;
      const asked = filter;
      const page = await this.session.client.queue(asked);
      if (asked !== filter) return; // another filter was chosen meanwhile
      this.items = page.items;
      this.next = page.next;
      this.now = Date.now();
    });
  }

  private async more(): Promise<void> {
    await this.attempt(async () => {
      const asked = filter;
      if (this.next === null) return;
      const page = await this.session.client.queue({ ...asked, after: this.next });
      if (asked !== filter) return;
      this.items = [...(this.items ?? []), ...page.items];
      this.next = page.next;
    });
  }

  private choose(changed: Partial<Record<keyof QueueFilter, string | number | undefined>>): void {
    const merged = { ...filter, ...changed };
    filter = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as unknown as QueueFilter;
    this.items = null;
    void this.load();
  }

  protected override render(): TemplateResult {
    const { queue } = this.words;
    return html`<main id="content" class="wide">
      <h1 tabindex="-1">${queue.title}</h1>
      ${this.renderFigures()} ${this.renderFilters()} ${this.renderRefusal()}
      ${this.broken ? html`<p class="note" role="status">${queue.broken}</p>` : nothing} ${this.renderItems()}
    </main>`;
  }

  private renderFigures(): TemplateResult {
    const shown = QUEUE_STATES.filter((one) => one === 'queued' || one === filter.state || this.count(one) > 0);
    return html`<section aria-label=${this.words.queue.figures}>
      <ul class="figures">
        ${repeat(shown, (one) => one, (one) => this.renderFigure(one))}
      </ul>
    </section>`;
  }

  private renderFigure(one: (typeof QUEUE_STATES)[number]): TemplateResult {
    const { queue, state, age } = this.words;
    const figure = this.figures.find((found) => found.state === one);
    const oldest = figure?.oldest == null ? null : ageOf(figure.oldest, this.now);
    return html`<li>
      <button aria-pressed=${filter.state === one ? 'true' : 'false'} @click=${() => this.choose({ state: one })}>
        <span class="figure-count">${figure?.messages ?? 0}</span>
        <span>${state[one]}</span>
        ${oldest === null ? nothing : html`<small>${queue.oldest(age[oldest.unit](oldest.count))}</small>`}
      </button>
    </li>`;
  }

  private count(state: State): number {
    return this.figures.find((figure) => figure.state === state)?.messages ?? 0;
  }

  private renderFilters(): TemplateResult {
    const { queue, languageName, state } = this.words;
    const pick = (name: keyof QueueFilter, number = false) => (event: Event): void => {
      const { value } = event.target as HTMLSelectElement;
      this.choose({ [name]: value === '' ? undefined : number ? Number(value) : value });
    };
    return html`<details class="filters" ?open=${filter.case !== undefined || filter.language !== undefined || filter.olderThanSeconds !== undefined}>
      <summary>${queue.filters}</summary>
      <div class="columns">
      <div class="field">
        <label for="filter-state">${queue.state}</label>
        <select id="filter-state" @change=${pick('state')}>
          ${QUEUE_STATES.map((one) => html`<option value=${one} ?selected=${filter.state === one}>${state[one]}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="filter-case">${queue.case}</label>
        <select id="filter-case" @change=${pick('case')}>
          <option value="">${queue.anyCase}</option>
          ${this.cases.map((one) => html`<option value=${one.case} ?selected=${filter.case === one.case}>${one.reference}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="filter-language">${queue.language}</label>
        <select id="filter-language" @change=${pick('language')}>
          <option value="">${queue.anyLanguage}</option>
          ${(['en', 'fr'] satisfies Language[]).map(
            (one) => html`<option value=${one} ?selected=${filter.language === one}>${languageName[one]}</option>`,
          )}
        </select>
      </div>
      <div class="field">
        <label for="filter-age">${queue.age}</label>
        <select id="filter-age" @change=${pick('olderThanSeconds', true)}>
          <option value="">${queue.anyAge}</option>
          ${(Object.keys(AGES) as (keyof typeof AGES)[]).map(
            (one) => html`<option value=${AGES[one]} ?selected=${filter.olderThanSeconds === AGES[one]}>${queue.ages[one]}</option>`,
          )}
        </select>
      </div>
      </div>
    </details>`;
  }

  private renderItems(): TemplateResult {
    const { queue } = this.words;
    if (this.items === null) return this.refusal === null ? html`<p role="status">${this.words.loading}</p>` : html``;
    if (this.items.length === 0) {
      return html`<p class="card" role="status">${filter.state === 'queued' ? queue.emptyQueued : queue.empty}</p>`;
    }
    return html`<p class="quiet" role="status">${queue.shown(this.items.length)}</p>
      <ol class="queue">
        ${repeat(this.items, (item) => item.message, (item) => this.renderItem(item))}
      </ol>
      ${this.next === null
        ? nothing
        : html`<button ?disabled=${this.running} @click=${() => this.more()}>${this.words.more}</button>`}`;
  }

  private renderItem(item: QueueItem): TemplateResult {
    const { queue, kind, inLanguage, age, state } = this.words;
    const waits = ageOf(item.waitingSince, this.now);
    return html`<li class="card">
      <button class="queue-open" @click=${() => this.session.go({ name: 'review', message: item.message })}>
        <span><strong>${kind[item.form]}</strong> ${inLanguage[item.language]}</span>
        <span>${queue.from} ${person(this.words, item.fromRole, item.from)} ${queue.to} ${person(this.words, item.toRole, item.to)}</span>
      </button>
      <p class="quiet facts">
        <span>${item.reference}</span>
        <span>${filter.state === 'queued' ? queue.waiting(age[waits.unit](waits.count)) : state[item.state]}</span>
        ${item.revision > 1 ? html`<span>${queue.revision(item.revision)}</span>` : nothing}
        ${item.approvalsNeeded > 1 ? html`<span>${queue.approvals(item.approvals, item.approvalsNeeded)}</span>` : nothing}
        ${item.lease === null
          ? nothing
          : html`<span>${item.lease.mine ? queue.leasedMine : queue.leasedOther(mediator(this.session, item.lease.holder))}</span>`}
        ${item.failure === null ? nothing : html`<span>${item.failure[this.session.language]}</span>`}
      </p>
    </li>`;
  }
}

customElements.define('console-queue', ConsoleQueue);

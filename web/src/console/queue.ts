/** The review queue: how much waits for whom, the longest first, live, with filters and keyboard control; and what has ended. */

import { proxy } from 'comlink';
import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import {
  asRefusal,
  type CaseSummary,
  type Language,
  type QueueFigure,
  type QueueFilter,
  type QueueItem,
  type State,
  type Stop,
  type WaitsFor,
} from '../client/contract';
import { day } from '../ui/amounts';
import { ageOf } from './ages';
import { ConsoleElement } from './element';
import { byReference } from './finding';
import { caseName, mediator, recipient, sender } from './people';
import type { Shortcut } from './shortcuts';

/** Whom messages wait for, mediators first; with the possible states. */
const TURNS: readonly { readonly turn: WaitsFor; readonly states: readonly State[] }[] = [
  { turn: 'you', states: ['queued', 'claimed', 'held', 'approved', 'released'] },
  { turn: 'mediator', states: ['queued', 'claimed'] },
  { turn: 'sender', states: ['returned', 'draft', 'failed'] },
  { turn: 'recipient', states: ['offered', 'released'] },
  { turn: 'relay', states: ['processing'] },
];
const WAITING: readonly State[] = [...new Set(TURNS.flatMap(({ states }) => states))];
/** States that wait for nobody. */
const ENDED = ['viewed', 'closed', 'declined', 'refused', 'withdrawn', 'recalled', 'expired'] as const satisfies readonly State[];

const HOUR_SECONDS = 3600;
const AGES = { hour: HOUR_SECONDS, day: 24 * HOUR_SECONDS, threeDays: 72 * HOUR_SECONDS, week: 168 * HOUR_SECONDS };
const TICK_MS = 30_000;

/** Remembered while the page lives, so that returning from a message shows the same queue. */
let filter: QueueFilter = { waitsFor: 'you' };

export class ConsoleQueue extends ConsoleElement {
  static override properties = reactive([], ['items', 'next', 'figures', 'cases', 'broken', 'now']);

  private items: readonly QueueItem[] | null = null;
  private next: string | null = null;
  private figures: readonly QueueFigure[] = [];
  private cases: readonly CaseSummary[] = [];
  private broken = false;
  /** The counts have loaded. */
  private watched = false;
  /** The first page has to be fetched. */
  private stale = false;
  private now = Date.now();
  private stopWatching: Promise<Stop> | null = null;
  private ticking: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticking = setInterval(() => (this.now = Date.now()), TICK_MS);
    void this.load();
    void this.session.client.cases().then(
      (cases) => (this.cases = byReference(cases, this.session.language)),
      (thrown: unknown) => this.refused(asRefusal(thrown)),
    );
    this.stopWatching = this.session.client.watchQueue(
      proxy((figures: readonly QueueFigure[], cases: readonly string[] | null) => {
        const first = !this.watched;
        this.watched = true;
        this.figures = figures;
        this.broken = false;
        const isShown = cases === null || filter.case === undefined || cases.includes(filter.case);
        if (!first && isShown) void this.load(); // the longest waiting come first, so rows do not jump under a finger
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

  /** Fetches the first page; repeated requests before it starts are merged. */
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
    const merged: Record<string, unknown> = { ...filter, ...changed };
    if (merged['state'] === undefined && merged['waitsFor'] === undefined) merged['waitsFor'] = 'you';
    filter = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
    this.items = null;
    void this.load();
  }

  protected override render(): TemplateResult {
    const { queue } = this.texts;
    return html`<main id="content" class="wide">
      <h1 tabindex="-1">${queue.title}</h1>
      ${this.renderFigures()}
      <div class="narrowing">
        ${this.renderFilters()}
        <p class="quiet" role="status">${this.items === null || this.items.length === 0 ? nothing : queue.shown(this.items.length)}</p>
      </div>
      ${this.renderRefusal()}
      ${this.broken ? html`<p class="note" role="status">${queue.broken}</p>` : nothing} ${this.renderItems()}
    </main>`;
  }

  private renderFigures(): TemplateResult {
    const { turn: names } = this.texts;
    const { state, waitsFor } = filter;
    const shown = TURNS.filter(({ turn }) => turn === 'you' || turn === waitsFor || this.count(turn) > 0);
    const past = isEnded(state);
    return html`<section aria-label=${this.texts.queue.figures}>
      <ul class="turns">
        ${repeat(shown, ({ turn }) => turn, ({ turn, states }) => this.renderTurn(turn, states))}
        <li>
          <ul class="figures">
            <li><button class="turn" aria-pressed=${past ? 'true' : 'false'} @click=${() => this.choose({ state: 'viewed', waitsFor: undefined })}>${names.ended}</button></li>
            ${past ? ENDED.map((one) => html`<li>${this.renderChoice(one, undefined, html`${this.texts.state[one]}`)}</li>`) : nothing}
          </ul>
        </li>
      </ul>
    </section>`;
  }

  /** The total that waits for somebody, and the count per state. */
  private renderTurn(turn: WaitsFor, states: readonly State[]): TemplateResult {
    const { state: names, turn: turns, queue, age } = this.texts;
    const shown = states.filter((state) => this.count(turn, state) > 0 || (turn === filter.waitsFor && state === filter.state) || state === FIRST[turn]);
    const oldest = this.figures.flatMap((one) => (one.waitsFor === turn && one.oldest !== null ? [one.oldest] : [])).sort()[0];
    const waits = oldest === undefined ? null : ageOf(oldest, this.now);
    return html`<li>
      <ul class="figures">
        <li>
          ${this.renderChoice(
            undefined,
            turn,
            html`<strong>${turns[turn]}</strong> <span class="figure-count">${this.count(turn)}</span>
              ${waits === null ? nothing : html`<small>${queue.oldest(age[waits.unit](waits.count))}</small>`}`,
          )}
        </li>
        ${repeat(
          shown,
          (state) => state,
          (state) => html`<li>${this.renderChoice(state, turn, html`${names[state]} <span class="figure-count">${this.count(turn, state)}</span>`)}</li>`,
        )}
      </ul>
    </li>`;
  }

  private renderChoice(state: State | undefined, waitsFor: WaitsFor | undefined, content: TemplateResult): TemplateResult {
    const isChosen = filter.state === state && filter.waitsFor === waitsFor;
    return html`<button class=${state === undefined ? 'turn' : ''} aria-pressed=${isChosen ? 'true' : 'false'} @click=${() => this.choose({ state, waitsFor })}>
      ${content}
    </button>`;
  }

  private count(turn: WaitsFor, state?: State): number {
    return this.figures
      .filter((figure) => figure.waitsFor === turn && (state === undefined || figure.state === state))
      .reduce((sum, { messages }) => sum + messages, 0);
  }

  private renderFilters(): TemplateResult {
    const { queue, languageName, state, turn, lists } = this.texts;
    const pick = (name: keyof QueueFilter, number = false) => (event: Event): void => {
      const { value } = event.target as HTMLSelectElement;
      this.choose({ [name]: value === '' ? undefined : number ? Number(value) : value });
    };
    return html`<details class="filters" ?open=${filter.case !== undefined || filter.language !== undefined || filter.olderThanSeconds !== undefined}>
      <summary>${queue.filters}</summary>
      <div class="columns">
      <div class="field">
        <label for="filter-turn">${lists.waits}</label>
        <select id="filter-turn" @change=${pick('waitsFor')}>
          <option value="" ?selected=${filter.waitsFor === undefined}>${lists.anybody}</option>
          ${TURNS.map((one) => html`<option value=${one.turn} ?selected=${filter.waitsFor === one.turn}>${turn[one.turn]}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="filter-state">${queue.state}</label>
        <select id="filter-state" @change=${this.statePicked}>
          <option value="" ?selected=${filter.state === undefined}>${lists.all}</option>
          ${WAITING.map((one) => html`<option value=${one} ?selected=${filter.state === one}>${state[one]}</option>`)}
          <optgroup label=${lists.past}>
            ${ENDED.map((one) => html`<option value=${one} ?selected=${filter.state === one}>${state[one]}</option>`)}
          </optgroup>
        </select>
      </div>
      <div class="field">
        <label for="filter-case">${queue.case}</label>
        <select id="filter-case" @change=${pick('case')}>
          <option value="">${queue.anyCase}</option>
          ${this.cases.map((one) => html`<option value=${one.case} ?selected=${filter.case === one.case}>${caseName(this.session, one)}</option>`)}
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

  /** Ended messages wait for nobody. */
  private readonly statePicked = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    const state = value === '' ? undefined : (value as State);
    this.choose(isEnded(state) ? { state, waitsFor: undefined } : { state });
  };

  private renderItems(): TemplateResult {
    const { queue, lists } = this.texts;
    if (this.items === null) return this.refusal === null ? html`<p role="status">${this.texts.loading}</p>` : html``;
    if (this.items.length === 0) {
      const none = filter.waitsFor !== 'you' ? queue.empty : filter.state === 'queued' ? queue.emptyQueued : lists.emptyYou;
      return html`<p class="card" role="status">${none}</p>`;
    }
    return html`<ol class="queue lines">
        ${repeat(this.items, (item) => item.message, (item) => this.renderItem(item))}
      </ol>
      ${this.next === null
        ? nothing
        : html`<button ?disabled=${this.running} @click=${() => this.more()}>${this.texts.more}</button>`}`;
  }

  private renderItem(item: QueueItem): TemplateResult {
    const { queue, kind, inLanguage } = this.texts;
    return html`<li>
      <button class="queue-open" @click=${() => this.session.go({ name: 'review', message: item.message })}>
        <strong>${kind[item.form]}</strong> <span>${inLanguage[item.language]}</span>
        <span>${queue.from} ${sender(this.session, item)} ${queue.to} ${recipient(this.session, item)}</span>
        <strong>${caseName(this.session, item)}</strong>
      </button>
      <p class="quiet facts">
        ${this.renderStanding(item)}
        ${item.revision > 1 ? html`<span>${queue.revision(item.revision)}</span>` : nothing}
        ${item.approvalsNeeded > 1 ? html`<span>${queue.approvals(item.approvals, item.approvalsNeeded)}</span>` : nothing}
        ${item.failure === null ? nothing : html`<span>${item.failure[this.session.language]}</span>`}
      </p>
    </li>`;
  }

  /** The state, whom it waits for and why, and since when. */
  private renderStanding({ lease, state, stateSince, waitingSince, waitsFor }: QueueItem): TemplateResult {
    const { queue, lists, state: names, age } = this.texts;
    if (waitsFor === null) return html`<span>${lists.endedOn(names[state], day(stateSince, this.session.language))}</span>`;
    const waits = ageOf(waitingSince, this.now);
    const approved = state === 'queued' && waitsFor === 'mediator';
    const said = approved
      ? lists.approvedByYou
      : lease === null
        ? names[state]
        : lease.mine
          ? queue.leasedMine
          : queue.leasedOther(mediator(this.session, lease.holder));
    return html`<span>${said}</span> <span>${age.since(age[waits.unit](waits.count))}</span>`;
  }
}

/** What is shown of a group even if it is empty. */
const FIRST: Readonly<Partial<Record<WaitsFor, State>>> = { you: 'queued' };

function isEnded(state: State | undefined): boolean {
  return ENDED.some((one) => one === state);
}

customElements.define('console-queue', ConsoleQueue);

/** Home: what is waiting, what is in progress, what was sent, and what can be started. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import type { LetterDraft, ReceivedMessage, SentMessage, Side, Take, UnfinishedVideo } from '../client/contract';
import { day, moment, size } from '../ui/amounts';
import { offeredSince, receivedLine, titleOf, whoIs } from './people';
import { ScreenElement } from './screen';
import { countWords } from './counting';
import './takes';

export class RelayHome extends ScreenElement {
  static override properties = reactive([], ['drafts', 'looked', 'unfinished']);

  private drafts: readonly LetterDraft[] = [];
  private unfinished: readonly UnfinishedVideo[] = [];
  private looked = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(() => this.look()).then(() => (this.looked = true));
  }

  private async look(): Promise<void> {
    const { client } = this.visit;
    [this.drafts, this.unfinished] = await Promise.all([client.drafts(), client.unfinishedVideos()]);
  }

  /** Something was discarded together with the focused button: focuses the heading. */
  private async lookAfresh(): Promise<void> {
    await this.look();
    await this.updateComplete;
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  protected override render(): TemplateResult {
    const { visit } = this;
    const { home } = visit.texts.home;
    // Rendered at once: content that loads later would move a button from under a finger.
    const ready = this.looked && (visit.correspondence !== null || visit.broken);
    const correspondence = ready ? visit.correspondence : null;
    const waiting = correspondence?.received.filter((message) => message.view === 'waiting') ?? [];
    const received = correspondence?.received.filter((message) => message.view !== 'waiting') ?? [];
    const sent = correspondence?.sent ?? [];
    const nothingYet = correspondence !== null && waiting.length + received.length + sent.length === 0;
    return html`<h1 tabindex="-1">${home.heading}</h1>
      ${this.renderConsent()} ${this.renderRecovered()} ${this.renderWords()} ${visit.broken ? html`<p class="note" role="status">${home.connection}</p>` : nothing} ${this.renderRefusal()}
      ${ready ? nothing : html`<p role="status">${home.loading}</p>`}
      ${repeat(waiting, ({ message }) => message, (message) => this.renderWaiting(message))}
      ${ready ? this.renderGoOn() : nothing}
      <relay-takes .visit=${visit} @take-used=${(event: CustomEvent<Take>) => this.use(event.detail)}></relay-takes>
      ${nothingYet ? html`<p>${home.nothingYet}</p>` : nothing}
      ${ready ? this.renderNew() : nothing}
      ${received.length === 0 && correspondence?.more.received !== true
        ? nothing
        : html`<h2>${home.opened}</h2>
            <ul class="plain">${repeat(received, ({ message }) => message, (message) => this.renderReceived(message))}</ul>
            ${this.renderMore('received')}`}
      ${sent.length === 0
        ? nothing
        : html`<h2>${home.sentHeading}</h2>
            <ul class="plain">${repeat(sent, ({ message }) => message, (message) => this.renderSent(message))}</ul>
            ${this.renderMore('sent')}`}
      <p class="after"><button class="plain" type="button" @click=${() => visit.go({ name: 'taking-part' })}>${home.takingPart}</button></p>
      ${this.renderQuestion()}`;
  }

  private renderMore(side: Side): TemplateResult | typeof nothing {
    const { correspondence, texts } = this.visit;
    if (correspondence?.more[side] !== true) return nothing;
    const { home } = texts.home;
    return html`<p><button class="plain" type="button" @click=${() => this.attempt(() => this.more(side))}>${home.more[side]}</button></p>`;
  }

  /** Focuses the first newly loaded entry, since the button may have moved or gone. */
  private async more(side: Side): Promise<void> {
    const { visit } = this;
    const before = new Set(visit.correspondence?.[side].map(({ message }) => message));
    await visit.more(side);
    await this.updateComplete;
    const first = this.visit.correspondence?.[side].find(({ message }) => !before.has(message));
    if (first !== undefined) this.querySelector<HTMLElement>(`#m-${first.message} :is(h2, h3)`)?.focus();
  }

  private renderConsent(): TemplateResult | typeof nothing {
    const { correspondence, texts } = this.visit;
    if (correspondence?.closed === true) return html`<p class="note">${texts.home.home.closed}</p>`;
    if (correspondence?.consent === 'paused') return html`<p class="note">${texts.home.home.paused}</p>`;
    return correspondence?.consent === 'withdrawn' ? html`<p class="note">${texts.home.home.withdrawn}</p>` : nothing;
  }

  /** Everybody in a case is told who can read it, also after a recovery key changed that. */
  private renderRecovered(): TemplateResult | typeof nothing {
    const { arrival, language, texts } = this.visit;
    if (arrival.recoveredAt === null) return nothing;
    return html`<p class="note">${texts.home.home.recovered(day(arrival.recoveredAt, language))}</p>`;
  }

  private renderWords(): TemplateResult | typeof nothing {
    const { correspondence, texts, language } = this.visit;
    const { unverified } = texts.home;
    const spoken = correspondence?.words?.[language];
    if (spoken === undefined) return nothing;
    return html`<section class="card calls" aria-labelledby="words-heading">
      <h2 id="words-heading">${unverified.heading}</h2>
      <p>${unverified.why}</p>
      <ol class="spoken" lang=${language}>
        ${spoken.map((word) => html`<li>${word}</li>`)}
      </ol>
      <p>${unverified.until}</p>
      <p>${unverified.differ}</p>
    </section>`;
  }

  private renderWaiting(message: ReceivedMessage): TemplateResult {
    const { visit } = this;
    const { home } = visit.texts.home;
    return html`<section class="card calls" id="m-${message.message}">
      <h2 tabindex="-1">${home.waitingHeading}</h2>
      <p>${home.waiting}</p>
      <p class="quiet">${receivedLine(message, visit)}</p>
      <button class="primary" type="button" @click=${() => visit.go({ name: 'waiting', message: message.message })}>${home.look}</button>
    </section>`;
  }

  private renderReceived(message: ReceivedMessage): TemplateResult {
    const { visit } = this;
    const { home, kind, received, from } = visit.texts.home;
    const since = offeredSince(message, visit);
    const opens = message.actions.includes('open');
    const view = received[message.view];
    return html`<li class="card" id="m-${message.message}">
      <h3 tabindex="-1">
        ${kind[message.form]}<small>
          ${from(whoIs(visit.arrival, message.from, visit.texts.home))}${since === null ? nothing : html`, ${since}`}</small
        >
      </h3>
      <p><strong>${view.name}.</strong> ${view.means}</p>
      ${opens
        ? html`<button type="button" @click=${() => visit.go({ name: 'waiting', message: message.message })}>
            ${message.view === 'opened' ? home.readAgain : home.openAgain}
          </button>`
        : nothing}
    </li>`;
  }

  private renderSent(message: SentMessage): TemplateResult {
    const { visit } = this;
    const texts = visit.texts.home;
    const title = titleOf(message, visit);
    const view = texts.author[message.view];
    const back = message.actions.includes('revise');
    return html`<li class=${back ? 'card calls' : 'card'} id="m-${message.message}">
      <h3 tabindex="-1">
        ${title}<small>
          ${texts.to(whoIs(visit.arrival, message.to, texts))}${message.revision === 1 ? nothing : html`, ${texts.sent.revision(message.revision)}`}</small
        >
      </h3>
      <p><strong>${view.name}.</strong> ${view.means}</p>
      <button
        class=${back ? 'primary' : ''}
        type="button"
        aria-label="${texts.home.see}: ${title}"
        @click=${() => visit.go({ name: 'message', message: message.message })}
      >
        ${texts.home.see}
      </button>
    </li>`;
  }

  private renderGoOn(): TemplateResult | typeof nothing {
    const { visit } = this;
    const { home } = visit.texts.home;
    const { progress } = visit.texts.sending;
    // A video that this page is sending is not offered a second time.
    const unfinished = visit.transfer === null ? this.unfinished : [];
    if (visit.transfer === null && unfinished.length === 0 && this.drafts.length === 0) return nothing;
    return html`<h2>${home.goOnHeading}</h2>
      <ul class="plain">
        ${visit.transfer === null
          ? nothing
          : html`<li class="card">
              <p>${progress.heading}</p>
              <button type="button" @click=${() => visit.go({ name: 'video', to: null, revises: null, resume: null })}>${home.see}</button>
            </li>`}
        ${repeat(unfinished, ({ id }) => id, (video) => this.renderUnfinished(video))}
        ${repeat(this.drafts, ({ id }) => id, (draft) => this.renderDraft(draft))}
      </ul>`;
  }

  /** For the message that it was recorded for, if another revision of that is still requested. */
  private use({ id, revises }: Take): void {
    const { visit } = this;
    const back = visit.correspondence?.sent.find(({ message }) => message === revises);
    visit.go({ name: 'video', to: null, revises: back?.actions.includes('revise') === true ? revises : null, resume: null, take: id });
  }

  private renderUnfinished(video: UnfinishedVideo): TemplateResult {
    const { visit } = this;
    const { home } = visit.texts.home;
    const discard = async (): Promise<void> => {
      await visit.client.discardVideo(video.id);
      await this.lookAfresh();
    };
    return html`<li class="card">
      <p>
        ${home.unfinished(size(video.sentBytes, visit.language), size(video.totalBytes, visit.language))}
        <small>${moment(video.startedAt, visit.language)}</small>
      </p>
      <div class="row">
        <button class="primary" type="button" @click=${() => visit.go({ name: 'video', to: video.to, revises: null, resume: video.id })}>${home.resume}</button>
        <button
          class="plain"
          type="button"
          @click=${() => (this.question = { heading: home.discardVideo, text: home.discardVideoSure, yes: home.discardVideo, no: home.cancel, act: discard })}
        >
          ${home.discardVideo}
        </button>
      </div>
    </li>`;
  }

  private renderDraft(draft: LetterDraft): TemplateResult {
    const { visit } = this;
    const { home } = visit.texts.home;
    const discard = async (): Promise<void> => {
      await visit.client.discardDraft(draft.id);
      await this.lookAfresh();
    };
    return html`<li class="card">
      <p>${home.draft(countWords(draft.text))} <small>${moment(draft.changedAt, visit.language)}</small></p>
      <div class="row">
        <button type="button" @click=${() => visit.go({ name: 'write', draft: draft.id, to: draft.to, revises: draft.revises })}>${home.goOnWriting}</button>
        <button
          class="plain"
          type="button"
          @click=${() => (this.question = { heading: home.discardDraft, text: home.discardDraftSure, yes: home.discardDraft, no: home.cancel, act: discard })}
        >
          ${home.discardDraft}
        </button>
      </div>
    </li>`;
  }

  private renderNew(): TemplateResult | typeof nothing {
    const { visit } = this;
    const { home } = visit.texts.home;
    if (visit.correspondence?.consent === 'withdrawn' || visit.correspondence?.closed === true) return nothing;
    if (visit.arrival.correspondents.length === 0) return html`<p class="note">${home.noOne}</p>`;
    return html`<h2>${home.newHeading}</h2>
      <div class="row">
        <button class="primary" type="button" @click=${() => visit.go({ name: 'write', draft: null, to: null, revises: null })}>${home.newLetter}</button>
        ${visit.arrival.takesVideo
          ? html`<button class="primary" type="button" @click=${() => visit.go({ name: 'video', to: null, revises: null, resume: null })}>${home.newVideo}</button>`
          : nothing}
      </div>`;
  }
}

customElements.define('relay-home', RelayHome);

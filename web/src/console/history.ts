/** What came before a message: what the two sent each other, and its earlier versions that were returned. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import type { EarlierRevision, History, PastMessage, ReviewItem, Uuid } from '../client/contract';
import { transcript } from '../playback/transcript';
import { moment } from '../ui/amounts';
import { differences, type Piece } from './differences';
import { brokenText, ConsoleElement } from './element';
import { recipient, sender } from './people';

/** The text of a message opened for reading here. */
interface Read {
  readonly message: Uuid;
  readonly paragraphs: readonly string[];
}

export class ConsoleHistory extends ConsoleElement {
  static override properties = reactive(['item', 'text', 'history'], ['shown', 'asked']);

  item!: ReviewItem;
  /** The text of the version shown. */
  text: string | null = null;
  history!: History;
  /** One is shown at a time. */
  private shown: Read | null = null;
  private asked: Uuid | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('history') && this.shown !== null && this.history.others.every(({ message }) => message !== this.shown?.message)) this.shown = null;
  }

  protected override render(): TemplateResult {
    return html`${this.renderRevisions()} ${this.renderOthers()}`;
  }

  private renderOthers(): TemplateResult {
    const { review } = this.texts;
    const { answers, others } = this.history;
    const answered = others.find(({ message }) => message === answers);
    return html`<section class="card">
      <h2>${review.between}</h2>
      <p>${answered === undefined ? review.answersNothing : review.answers(this.name(answered))}</p>
      ${others.length === 0
        ? html`<p>${review.betweenNothing}</p>`
        : html`<ol class="past">
            ${repeat(others, ({ message }) => message, (other) => html`<li>${this.renderOther(other)}</li>`)}
          </ol>`}
    </section>`;
  }

  private name({ form, createdAt }: PastMessage): string {
    return this.texts.review.named(this.texts.kind[form], moment(createdAt, this.session.language));
  }

  private renderOther(other: PastMessage): TemplateResult {
    const { review, state } = this.texts;
    const { item } = this;
    const isOpen = this.shown?.message === other.message;
    const name = this.name(other);
    const opened = other.openedAt === null ? nothing : html`<br />${review.openedAt(moment(other.openedAt, this.session.language))}`;
    return html`<p>
        <strong>${name}</strong><br />
        <span class="quiet">
          ${review.fromWhom(other.from === item.from ? sender(this.session, item) : recipient(this.session, item))}<br />
          ${state[other.state]}${opened}
        </span>
      </p>
      <p class="row">
        <button aria-expanded=${isOpen ? 'true' : 'false'} aria-label="${isOpen ? review.putAway : review.readPast}: ${name}" @click=${() => this.toggle(other)}>
          ${isOpen ? review.putAway : review.readPast}
        </button>
        <button class="plain" aria-label="${review.openPast}: ${name}" @click=${() => this.session.go({ name: 'review', message: other.message })}>
          ${review.openPast}
        </button>
      </p>
      ${isOpen ? this.renderRead(other) : nothing} ${this.asked === other.message ? this.renderRefusal() : nothing}`;
  }

  private renderRead({ language }: PastMessage): TemplateResult {
    const paragraphs = this.shown?.paragraphs ?? [];
    return paragraphs.length === 0
      ? html`<p>${this.texts.review.noWords}</p>`
      : html`<div class="letter" lang=${language}>${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}</div>`;
  }

  private async toggle({ message, kind }: PastMessage): Promise<void> {
    if (this.shown?.message === message) {
      this.shown = null;
      return;
    }
    this.asked = message;
    this.shown = null;
    await this.attempt(async () => {
      const { client } = this.session;
      const text = await client.text(message);
      const captions = kind === 'video' ? await client.captionsText(message) : null;
      this.shown = { message, paragraphs: [...(text === null || text === '' ? [] : [text]), ...(captions === null ? [] : transcript(captions))] };
    });
  }

  private renderRevisions(): TemplateResult | typeof nothing {
    const { revisions } = this.history;
    if (revisions.length === 0) return nothing;
    return html`<section class="card">
      <h2>${this.texts.review.earlier}</h2>
      ${revisions.map((revision, place) => this.renderRevision(revision, place === 0 ? this.text : (revisions[place - 1]?.text ?? null)))}
    </section>`;
  }

  /** A version, and what changed in the following one, whose text is `next`. */
  private renderRevision({ revision, sentAt, text, fault }: EarlierRevision, next: string | null): TemplateResult {
    const { review } = this.texts;
    return html`<details>
      <summary>${review.version(revision, moment(sentAt, this.session.language))}</summary>
      ${fault !== null
        ? html`<p class="note warn">${brokenText(this.texts, fault)}</p>`
        : text === null
          ? html`<p>${this.item.kind === 'video' ? review.earlierVideo : review.noWords}</p>`
          : next === null
            ? html`<div class="letter" lang=${this.item.language}>${text}</div>`
            : html`<p class="quiet">${review.changedIn(revision + 1)}</p>
                <div class="letter" lang=${this.item.language}>${differences(text, next).map((piece) => this.renderPiece(piece))}</div>`}
    </details>`;
  }

  private renderPiece({ kind, text }: Piece): TemplateResult | string {
    const { review } = this.texts;
    const { language } = this.session;
    // As text, since most screen readers do not announce insertions.
    const said = (words: string): TemplateResult => html`<span class="unseen" lang=${language}>${` ${words} `}</span>`;
    if (kind === 'same') return text;
    return kind === 'removed'
      ? html`<del>${said(review.removed)}${text}${said(review.removedEnd)}</del>`
      : html`<ins>${said(review.added)}${text}${said(review.addedEnd)}</ins>`;
  }
}

customElements.define('console-history', ConsoleHistory);

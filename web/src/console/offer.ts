/** The dialog of an offer: a content note that the recipient reads first, a summary if wanted, and when. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Refusal, ReviewItem } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import { actionDraft, type ActionDraft } from './choices';
import '../ui/dialog';
import { refusalText } from './element';
import type { Session } from './session';

export class ConsoleOffer extends PlainElement {
  static override properties = reactive(
    ['session', 'item', 'about', 'draft', 'running', 'problem'],
    ['later', 'wanting'],
  );

  session!: Session;
  item!: ReviewItem;
  /** Identifies the message and its recipient. */
  about: TemplateResult | typeof nothing = nothing;
  draft: ActionDraft = actionDraft();
  running = false;
  problem: Refusal | null = null;
  private later = false;
  private wanting: 'note' | 'date' | null = null;

  protected override render(): TemplateResult {
    const { confirm, thisOne } = this.session.texts;
    return html`<relay-dialog
      .heading=${confirm.offer.title(thisOne[this.item.form])}
      .content=${this.renderForm()}
      @dismissed=${() => this.tell('given-up')}
    ></relay-dialog>`;
  }

  private renderForm(): TemplateResult {
    const { texts } = this.session;
    const { offer, confirm } = texts;
    return html`<form method="dialog" @submit=${this.submit}>
      ${this.about}
      <p>${confirm.offer.what} ${this.later ? confirm.offer.later : nothing}</p>
      <div class="field">
        <label for="offer-note">${offer.contentNote}</label>
        <textarea
          id="offer-note"
          autocomplete="off"
          class="short"
          aria-describedby="offer-note-hint offer-note-fault"
          .value=${this.draft.contentNote}
          @input=${(event: Event) => this.typed('contentNote', event)}
        ></textarea>
        <small id="offer-note-hint">${offer.contentNoteHint}</small>
        <p id="offer-note-fault" class="fault" role="alert">${this.wanting === 'note' ? offer.contentNoteNeeded : nothing}</p>
      </div>
      <div class="field">
        <label for="offer-summary">${offer.summary} <small>(${texts.optional})</small></label>
        <textarea
          id="offer-summary"
          autocomplete="off"
          class="short"
          aria-describedby="offer-summary-hint"
          .value=${this.draft.summary}
          @input=${(event: Event) => this.typed('summary', event)}
        ></textarea>
        <small id="offer-summary-hint">${offer.summaryHint}</small>
      </div>
      <fieldset>
        <legend>${offer.when}</legend>
        <label class="choice">
          <input type="radio" name="offer-when" .checked=${!this.later} @change=${() => (this.later = false)} />
          <span>${offer.now}</span>
        </label>
        <label class="choice">
          <input type="radio" name="offer-when" .checked=${this.later} @change=${() => (this.later = true)} />
          <span>${offer.later}</span>
        </label>
        ${this.later
          ? html`<div class="field">
              <label for="offer-date">${offer.notBefore}</label>
              <input
                id="offer-date"
                autocomplete="off"
                type="datetime-local"
                aria-describedby="offer-date-fault"
                .value=${this.draft.notBefore}
                @input=${(event: Event) => this.typed('notBefore', event)}
              />
              <p id="offer-date-fault" class="fault" role="alert">${this.wanting === 'date' ? offer.notBeforeBad : nothing}</p>
            </div>`
          : nothing}
      </fieldset>
      ${this.problem === null ? nothing : html`<p class="note warn" role="alert">${refusalText(texts, this.problem)}</p>`}
      <p class="row">
        <button class="primary" ?disabled=${this.running}>${offer.do}</button>
        <button type="button" @click=${() => this.tell('given-up')}>${texts.cancel}</button>
      </p>
      <p role="status">${this.running ? texts.working : nothing}</p>
      <p class="quiet">${texts.kept}</p>
    </form>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.later = this.draft.notBefore !== '';
  }

  private typed(name: 'contentNote' | 'summary' | 'notBefore', event: Event): void {
    this.draft[name] = (event.target as HTMLTextAreaElement | HTMLInputElement).value;
    this.tell('typed');
  }

  private readonly submit = (event: Event): void => {
    event.preventDefault(); // it closes once the offer was accepted
    const contentNote = this.draft.contentNote.trim();
    const summary = this.draft.summary.trim();
    const date = new Date(this.draft.notBefore);
    this.wanting = null;
    if (contentNote === '') this.wanting = 'note';
    else if (this.later && !(date.getTime() > Date.now())) this.wanting = 'date';
    if (this.wanting !== null) {
      this.querySelector<HTMLElement>(`#offer-${this.wanting}`)?.focus();
      return;
    }
    const given = { contentNote, summary: summary === '' ? null : summary, notBefore: this.later ? date.toISOString() : null };
    this.tell('chosen', () => this.session.client.offer(this.item.message, given));
  };
}

customElements.define('console-offer', ConsoleOffer);

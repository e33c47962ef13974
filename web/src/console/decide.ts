/** The dialog of a decision: says exactly what it does, asks for reason and words where needed; signing happens later. */

import { html, nothing, type TemplateResult } from 'lit';
import type { DecisionKind, NewDecision, Refusal, ReviewItem } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import { actionDraft, GRAVE, NEEDS_REASON, TELLS_AUTHOR, type ActionDraft } from './choices';
import '../ui/dialog';
import { refusalText } from './element';
import type { Session } from './session';

export class ConsoleDecide extends PlainElement {
  static override properties = reactive(
    ['session', 'item', 'decision', 'about', 'unwatched', 'draft', 'running', 'problem'],
    ['wanting'],
  );

  session!: Session;
  item!: ReviewItem;
  decision: DecisionKind = 'approve';
  /** Which message it is. */
  about: TemplateResult | typeof nothing = nothing;
  /** A video that this mediator has not played at all. */
  unwatched = false;
  draft: ActionDraft = actionDraft();
  running = false;
  problem: Refusal | null = null;
  private wanting: 'reason' | 'words' | 'unwatched' | null = null;

  protected override render(): TemplateResult {
    const { confirm, thisOne } = this.session.texts;
    return html`<relay-dialog
      .heading=${confirm[this.decision].title(thisOne[this.item.form])}
      .content=${this.renderForm()}
      @dismissed=${() => this.tell('given-up')}
    ></relay-dialog>`;
  }

  private renderForm(): TemplateResult {
    const { texts } = this.session;
    const { decision } = this;
    const { confirm, form, choice } = texts;
    return html`<form method="dialog" @submit=${this.submit}>
      ${this.about}
      <p>${confirm[decision].what}</p>
      ${decision === 'approve' && this.item.approvalsNeeded > 1
        ? html`<p>${this.item.approvals + 1 < this.item.approvalsNeeded ? confirm.approve.second : confirm.approve.last}</p>`
        : nothing}
      ${this.isUnwatched ? this.renderUnwatched() : nothing} ${NEEDS_REASON.includes(decision) ? this.renderReason() : nothing}
      ${TELLS_AUTHOR.includes(decision)
        ? html`<div class="field">
            <label for="decision-words">${form.words}</label>
            <textarea
              id="decision-words"
              autocomplete="off"
              class="short"
              aria-describedby="decision-words-hint decision-words-fault"
              lang=${this.item.language}
              .value=${this.draft.words}
              @input=${(event: Event) => this.typed('words', event)}
            ></textarea>
            <small id="decision-words-hint">${form.wordsHint}</small>
            ${this.item.authorReady ? nothing : html`<p class="note">${texts.broken.authorNotReady}</p>`}
            <p id="decision-words-fault" class="fault" role="alert">${this.wanting === 'words' ? form.wordsNeeded : nothing}</p>
          </div>`
        : nothing}
      <div class="field">
        <label for="decision-note">${form.note} <small>(${texts.optional})</small></label>
        <textarea
          id="decision-note"
          autocomplete="off"
          class="short"
          aria-describedby="decision-note-hint"
          .value=${this.draft.note}
          @input=${(event: Event) => this.typed('note', event)}
        ></textarea>
        <small id="decision-note-hint">${form.noteHint}</small>
      </div>
      ${this.problem === null ? nothing : html`<p class="note warn" role="alert">${refusalText(texts, this.problem)}</p>`}
      <p class="row">
        <button class=${GRAVE.includes(decision) ? 'grave' : 'primary'} ?disabled=${this.running}>${choice[decision]}</button>
        <button type="button" @click=${() => this.tell('given-up')}>${texts.cancel}</button>
      </p>
      <p role="status">${this.running ? texts.working : nothing}</p>
      <p class="quiet">${texts.kept}</p>
    </form>`;
  }

  private get isUnwatched(): boolean {
    return this.decision === 'approve' && this.unwatched;
  }

  private renderUnwatched(): TemplateResult {
    const { confirm } = this.session.texts;
    return html`<div class="note warn">
      <p>${confirm.unwatched}</p>
      <label class="choice">
        <input type="checkbox" id="decision-unwatched" aria-describedby="decision-unwatched-fault" />
        <span>${confirm.unwatchedSure}</span>
      </label>
      <p id="decision-unwatched-fault" class="fault" role="alert">${this.wanting === 'unwatched' ? confirm.unwatchedNeeded : nothing}</p>
    </div>`;
  }

  private renderReason(): TemplateResult {
    const { texts, reasons } = this.session;
    const { form } = texts;
    const offered = reasons[this.decision as keyof typeof reasons];
    const chosen = this.reason();
    return html`<div class="field">
      <label for="decision-reason">${form.reason}</label>
      <select id="decision-reason" aria-describedby="decision-reason-fault" @change=${(event: Event) => this.typed('reason', event)}>
        <option value="">${form.chooseReason}</option>
        ${Object.entries(offered).map(([code, text]) => html`<option value=${code} ?selected=${code === chosen}>${text}</option>`)}
      </select>
      <p id="decision-reason-fault" class="fault" role="alert">${this.wanting === 'reason' ? form.reasonNeeded : nothing}</p>
    </div>`;
  }

  private typed(name: 'words' | 'note' | 'reason', event: Event): void {
    this.draft[name] = (event.target as HTMLTextAreaElement | HTMLSelectElement).value;
    this.tell('typed');
  }

  /** The chosen reason, if this decision allows it. */
  private reason(): string {
    const offered: Readonly<Record<string, string>> = this.session.reasons[this.decision as keyof typeof this.session.reasons];
    return this.draft.reason in offered ? this.draft.reason : '';
  }

  private readonly submit = (event: Event): void => {
    event.preventDefault(); // it closes once the decision was accepted
    const { decision } = this;
    const reason = NEEDS_REASON.includes(decision) ? this.reason() : '';
    const words = TELLS_AUTHOR.includes(decision) ? this.draft.words.trim() : '';
    const note = this.draft.note.trim();
    this.wanting = null;
    if (NEEDS_REASON.includes(decision) && reason === '') this.wanting = 'reason';
    else if (TELLS_AUTHOR.includes(decision) && words === '') this.wanting = 'words';
    else if (this.isUnwatched && this.querySelector<HTMLInputElement>('#decision-unwatched')?.checked !== true) this.wanting = 'unwatched';
    if (this.wanting !== null) {
      this.querySelector<HTMLElement>(`#decision-${this.wanting}`)?.focus();
      return;
    }
    const given: NewDecision = {
      decision,
      ...(reason === '' ? {} : { reason }),
      ...(words === '' ? {} : { words }),
      ...(note === '' ? {} : { note }),
    };
    this.tell('chosen', () => this.session.client.decide(this.item.message, given));
  };
}

customElements.define('console-decide', ConsoleDecide);

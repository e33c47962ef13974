/** An offered message: first the mediator's note and a free choice; after accepting, the steps of opening. */

import { html, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { Answer, OfferNotes, ReceivedMessage } from '../client/contract';
import './opening';
import { receivedLine } from './people';
import { ScreenElement } from './screen';

export class RelayWaiting extends ScreenElement {
  static override properties = reactive([], ['notes', 'tellAuthor', 'answered', 'broken']);

  private notes: OfferNotes | null = null;
  private tellAuthor = false;
  private answered: 'waited' | 'refused' | null = null;
  /** The offer is invalid, so the message could not be opened. */
  private broken = false;

  override connectedCallback(): void {
    super.connectedCallback();
    const { screen } = this;
    if (screen.name !== 'waiting') return;
    const read = async (): Promise<void> => {
      this.notes = await this.visit.client.offerNotes(screen.message);
    };
    void this.attempt(read).then(() => {
      this.broken = this.refusal?.broken !== undefined;
    });
  }

  private message(): ReceivedMessage | undefined {
    const { screen } = this;
    return screen.name === 'waiting' ? this.visit.correspondence?.received.find((one) => one.message === screen.message) : undefined;
  }

  protected override render(): TemplateResult {
    const { visit } = this;
    const message = this.message();
    const { home } = visit.texts.home;
    if (message === undefined) {
      // It was withdrawn meanwhile, or has not loaded yet.
      return html`${this.renderBack()}<h1 tabindex="-1">${visit.correspondence === null ? home.loading : visit.texts.home.received['not-available'].name}</h1>`;
    }
    if (message.actions.includes('open')) {
      return html`${this.renderBack()}<relay-opening .visit=${visit} .message=${message} .notes=${this.notes}></relay-opening>`;
    }
    if (message.actions.includes('accept') && this.answered === null) return this.renderOffer(message);
    const view = visit.texts.home.received[message.view];
    return html`<h1 tabindex="-1">${view.name}</h1>
      <p class="quiet">${receivedLine(message, visit)}</p>
      <p class="note" role="status">${this.answered === null ? view.means : visit.texts.opening.offer[this.answered]}</p>
      <p><button class="primary" type="button" @click=${() => visit.replace({ name: 'home' })}>${visit.texts.sending.done.home}</button></p>`;
  }

  /** Three answers with the same style: none is suggested. */
  private renderOffer(message: ReceivedMessage): TemplateResult {
    const { visit } = this;
    const { offer } = visit.texts.opening;
    return html`${this.renderBack()}
      <h1 tabindex="-1">${offer.heading}</h1>
      <p>${offer[message.form]} <span class="quiet">${receivedLine(message, visit)}</span></p>
      <p>${offer.yours}</p>
      <section class="note">
        <h2>${offer.noteHeading}</h2>
        ${this.notes === null
          ? html`<p role="status">${this.running ? visit.texts.home.home.loading : offer.noNote}</p>`
          : html`<p class="said">${this.notes.contentNote ?? offer.noNote}</p>`}
      </section>
      <section class="card">
        <h2>${offer.companyHeading}</h2>
        <ul>
          ${offer.company.map((sentence) => html`<li>${sentence}</li>`)}
        </ul>
      </section>
      <fieldset>
        <legend>${offer.tellHeading}</legend>
        <label class="choice"
          ><input
            type="checkbox"
            aria-describedby="tell-how"
            .checked=${this.tellAuthor}
            @change=${(event: Event) => (this.tellAuthor = (event.target as HTMLInputElement).checked)}
          />
          ${offer.tell}</label
        >
        <p id="tell-how" class="quiet">${offer.tellHow}</p>
      </fieldset>
      ${this.renderRefusal()}
      <div class="choices">
        <div>
          <button type="button" aria-describedby="accept-means" ?disabled=${this.running || this.broken} @click=${() => this.answer(message, 'accept')}>${offer.accept}</button>
          <p id="accept-means" class="quiet">${offer.acceptMeans}</p>
        </div>
        <div>
          <button type="button" aria-describedby="wait-means" ?disabled=${this.running} @click=${() => this.answer(message, 'wait')}>${offer.wait}</button>
          <p id="wait-means" class="quiet">${offer.waitMeans}</p>
        </div>
        <div>
          <button type="button" aria-describedby="refuse-means" ?disabled=${this.running} @click=${() => this.askRefuse(message)}>${offer.refuse}</button>
          <p id="refuse-means" class="quiet">${offer.refuseMeans}</p>
        </div>
      </div>
      ${this.renderQuestion()}`;
  }

  private askRefuse(message: ReceivedMessage): void {
    const { offer } = this.visit.texts.opening;
    this.question = {
      heading: offer.refuseSure,
      about: receivedLine(message, this.visit),
      text: offer.refuseSureMeans,
      yes: offer.refuseDo,
      no: this.visit.texts.home.home.cancel,
      act: () => this.respond(message, 'refuse'),
    };
  }

  private answer(message: ReceivedMessage, answer: 'accept' | 'wait'): Promise<boolean> {
    return this.attempt(() => this.respond(message, answer));
  }

  private async respond(message: ReceivedMessage, answer: Exclude<Answer, 'close'>): Promise<void> {
    const { visit } = this;
    await visit.client.respond(message.message, answer, answer !== 'wait' && this.tellAuthor);
    if (answer !== 'accept') this.answered = answer === 'wait' ? 'waited' : 'refused';
    await visit.renew().catch(() => undefined);
    await this.updateComplete;
    await new Promise((painted) => requestAnimationFrame(painted));
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>('h1')?.focus();
  }
}

customElements.define('relay-waiting', RelayWaiting);

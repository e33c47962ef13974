/** Stored recordings that are not being sent: watch, use, delete. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { repeat } from 'lit/directives/repeat.js';
import type { Take } from '../client/contract';
import { allStored, setFragile } from '../ui/activity';
import { timeOf } from '../ui/amounts';
import { clock } from '../i18n/clock';
import { isVoice } from './forms';
import { ScreenElement } from './screen';
import './takes.css';
import type { Visit } from './visit';

/** Tells somebody who left a recording that it is stored, on the next screen. */
let justKept = false;

/** A recording was left before it was used. */
export function leftStored(visit: Visit): void {
  justKept = true;
  visit.say(visit.texts.sending.takes.justKept);
}

/** All stored recordings, after pending writes; records whether closing the page would lose any. */
export async function storedTakes({ client }: Pick<Visit, 'client'>): Promise<readonly Take[]> {
  await allStored();
  const takes = await client.takes();
  setFragile(takes.some(({ lasting }) => !lasting));
  return takes;
}

export class RelayTakes extends ScreenElement {
  static override properties = reactive([], ['takes', 'shown', 'told']);

  private takes: readonly Take[] = [];
  private shown: { readonly id: string; readonly url: string } | null = null;
  private told = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(async () => {
      this.takes = await storedTakes(this.visit);
      // It is told where the person is now, not on a screen that they have left.
      if (!this.isConnected) return;
      this.told = justKept;
      justKept = false;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.hide();
  }

  private async watch(take: Take): Promise<void> {
    await this.attempt(async () => {
      const url = URL.createObjectURL(await this.visit.client.takeBlob(take.id));
      this.hide();
      if (this.isConnected) this.shown = { id: take.id, url };
      else URL.revokeObjectURL(url);
    });
  }

  private hide(): void {
    if (this.shown !== null) URL.revokeObjectURL(this.shown.url);
    this.shown = null;
  }

  private async discard(take: Take): Promise<void> {
    this.hide();
    await this.visit.client.discardTake(take.id);
    this.takes = await storedTakes(this.visit);
    this.told = false;
    // The focused button was removed with it: focuses the heading.
    document.querySelector<HTMLElement>('h1')?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const texts = this.visit.texts.sending.takes;
    if (this.takes.length === 0) return html`${this.renderRefusal()}`;
    return html`<h2>${texts.heading}</h2>
      ${this.told ? html`<p class="note good" role="status">${texts.justKept}</p>` : nothing} ${this.renderRefusal()}
      <ul class="plain">
        ${repeat(this.takes, ({ id }) => id, (take) => this.renderTake(take))}
      </ul>
      ${this.renderQuestion()}`;
  }

  private renderTake(take: Take): TemplateResult {
    const { visit, shown } = this;
    const texts = visit.texts.sending.takes;
    const voice = isVoice(take.mediaType);
    const name = texts[voice ? 'voice' : 'video'](clock(take.seconds), timeOf(take.startedAt, visit.language));
    const named = `take-${take.id}`;
    const isShown = shown?.id === take.id;
    return html`<li class="card">
      <p id=${named}>${name}</p>
      <p class="quiet">${take.lasting ? texts.lasting : visit.assistant === null ? texts.fleeting : texts.assisted}</p>
      ${!isShown
        ? nothing
        : voice
          ? html`<audio controls src=${shown.url} aria-labelledby=${named}></audio>`
          : html`<video controls playsinline src=${shown.url} aria-labelledby=${named}></video>`}
      <div class="row">
        <button class="primary" type="button" aria-describedby=${named} @click=${() => this.tell('take-used', take)}>${texts.use}</button>
        <button type="button" aria-describedby=${named} aria-expanded=${isShown ? 'true' : 'false'} @click=${() => (isShown ? this.hide() : this.watch(take))}>
          ${isShown ? texts.hide : voice ? texts.listen : texts.watch}
        </button>
        <button class="plain" type="button" aria-describedby=${named} @click=${() => this.askDiscard(take)}>${texts.discard}</button>
      </div>
    </li>`;
  }

  private askDiscard(take: Take): void {
    const { takes } = this.visit.texts.sending;
    this.question = {
      heading: takes.discard,
      text: takes.discardSure,
      yes: takes.discard,
      no: this.visit.texts.home.home.cancel,
      act: () => this.discard(take),
    };
  }
}

customElements.define('relay-takes', RelayTakes);

/** In assisted mode, first: who helps, so that the mediators know. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { PlainElement } from '../ui/element';
import type { Arriving } from './words';

export class RelayAssistant extends PlainElement {
  static override properties: PropertyDeclarations = { words: { attribute: false }, missing: { state: true } };

  words!: Arriving;
  private missing = false;

  protected override render(): TemplateResult {
    const words = this.words.assistant;
    return html`<h1 tabindex="-1">${words.heading}</h1>
      <p>${words.text}</p>
      <form class="card" @submit=${(event: Event) => this.go(event)}>
        <div class="field">
          <label for="assistant">${words.field}</label>
          <input id="assistant" type="text" autocomplete="off" maxlength="120" aria-describedby="assistant-said" aria-invalid=${this.missing ? 'true' : 'false'} />
          <div id="assistant-said">${this.missing ? html`<p class="fault" role="alert">${words.missing}</p>` : nothing}</div>
        </div>
        <button class="primary">${words.go}</button>
      </form>
      <p class="note">${words.nothing}</p>
      <p>${words.privacy}</p>`;
  }

  private go(event: Event): void {
    event.preventDefault();
    const field = this.querySelector('input');
    const who = field?.value.trim() ?? '';
    this.missing = who === '';
    if (this.missing) field?.focus();
    else this.tell('named', who);
  }
}

customElements.define('relay-assistant', RelayAssistant);

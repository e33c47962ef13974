/** First in assisted mode: who helps, so that the mediators know. */

import { html, nothing, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import type { Arriving } from './i18n';

export class RelayAssistant extends PlainElement {
  static override properties = reactive(['texts'], ['missing']);

  texts!: Arriving;
  private missing = false;

  protected override render(): TemplateResult {
    const texts = this.texts.assistant;
    return html`<h1 tabindex="-1">${texts.heading}</h1>
      <p>${texts.text}</p>
      <form class="card" @submit=${(event: Event) => this.go(event)}>
        <div class="field">
          <label for="assistant">${texts.field}</label>
          <input id="assistant" type="text" autocomplete="off" maxlength="120" aria-describedby="assistant-said" aria-invalid=${this.missing ? 'true' : 'false'} />
          <div id="assistant-said">${this.missing ? html`<p class="fault" role="alert">${texts.missing}</p>` : nothing}</div>
        </div>
        <button class="primary">${texts.go}</button>
      </form>
      <p class="note">${texts.nothing}</p>
      <p>${texts.privacy}</p>`;
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

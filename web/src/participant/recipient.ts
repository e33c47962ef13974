/** Who a message is for, and its language: asked only if there is more than one answer. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Language, Uuid } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import { nameOf } from './people';
import type { Visit } from './visit';

const LANGUAGES = ['en', 'fr'] as const;

export class RelayRecipient extends PlainElement {
  static override properties = reactive(['visit', 'to', 'language', 'fixed']);

  visit!: Visit;
  to: Uuid | null = null;
  language: Language = 'en';
  /** A revision has the recipient of the previous one. */
  fixed = false;

  protected override render(): TemplateResult {
    const { arrival, texts } = this.visit;
    const { home } = texts;
    const choice = arrival.correspondents.length > 1 && !this.fixed;
    return html`${choice
        ? html`<fieldset>
            <legend>${home.recipient}</legend>
            ${arrival.correspondents.map(
              ({ participant }) =>
                html`<label class="choice">
                  <input type="radio" name="to" .checked=${participant === this.to} @change=${() => this.tell('addressed', participant)} />
                  ${nameOf(arrival, participant, home)}
                </label>`,
            )}
          </fieldset>`
        : this.to === null
          ? nothing
          : html`<p class="quiet">${home.to(nameOf(arrival, this.to, home) ?? '')}</p>`}
      <div class="field">
        <label for="message-language">${home.language}</label>
        <select id="message-language" @change=${(event: Event) => this.tell('language-chosen', (event.target as HTMLSelectElement).value)}>
          ${LANGUAGES.map((language) => html`<option value=${language} ?selected=${language === this.language}>${home.languageName[language]}</option>`)}
        </select>
      </div>`;
  }
}

customElements.define('relay-recipient', RelayRecipient);

/** A field for a passphrase: can be shown, may be pasted and filled in, and says in words how strong it is. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { PlainElement } from './element';
import { strengthOf, type Strength } from './strength';

const METER: Readonly<Record<Strength, number>> = { empty: 0, weak: 1, fair: 2, good: 3, strong: 4 };

export class RelayPassphrase extends PlainElement {
  static override properties: PropertyDeclarations = {
    label: { attribute: false },
    showLabel: { attribute: false },
    strengthWords: { attribute: false },
    fault: { attribute: false },
    shown: { state: true },
    value: { state: true },
  };

  label = '';
  /** What the box says that shows the signs. */
  showLabel = '';
  /** Only where a new one is chosen. */
  strengthWords: Readonly<Record<Strength | 'label', string>> | null = null;
  fault: string | null = null;
  value = '';
  private shown = false;

  override focus(): void {
    this.querySelector('input')?.focus();
  }

  protected override render(): TemplateResult {
    const strength = strengthOf(this.value);
    // A browser keeps what stands in a field for text, to bring it back after a crash, unless that is `off`.
    return html`<div class="field">
      <label for="passphrase">${this.label}</label>
      <input
        id="passphrase"
        type=${this.shown ? 'text' : 'password'}
        autocomplete=${this.shown ? 'off' : this.strengthWords === null ? 'current-password' : 'new-password'}
        autocapitalize="none"
        spellcheck="false"
        aria-describedby="passphrase-said"
        aria-invalid=${this.fault === null ? 'false' : 'true'}
        .value=${this.value}
        @input=${(event: Event) => (this.value = (event.target as HTMLInputElement).value)}
      />
      <label class="choice"
        ><input type="checkbox" .checked=${this.shown} @change=${() => (this.shown = !this.shown)} /> ${this.showLabel}</label
      >
      <div id="passphrase-said">
        ${this.strengthWords === null
          ? nothing
          : html`<meter min="0" max="4" low="1.5" high="2.5" optimum="4" .value=${METER[strength]} aria-label=${this.strengthWords.label}></meter>
              <p class="quiet" aria-live="polite">${this.strengthWords[strength]}</p>`}
        ${this.fault === null ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
      </div>
    </div>`;
  }
}

customElements.define('relay-passphrase', RelayPassphrase);

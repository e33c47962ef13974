/** Tells a screen reader what changed, without moving anybody's focus. */

import { html, type PropertyDeclarations, type TemplateResult } from 'lit';
import { PlainElement } from './element';

export class RelayAnnouncer extends PlainElement {
  static override properties: PropertyDeclarations = { text: { state: true } };

  private text = '';

  say(text: string): void {
    // The same sentence twice would be no change: a no-break space at its end makes it one.
    this.text = text === this.text ? `${text}\u00a0` : text;
  }

  protected override render(): TemplateResult {
    return html`<div class="unseen" role="status" aria-live="polite">${this.text}</div>`;
  }
}

customElements.define('relay-announcer', RelayAnnouncer);

/** Tells screen readers what changed, without moving the focus. */

import { html, type TemplateResult } from 'lit';
import { PlainElement, reactive } from './element';

export class RelayAnnouncer extends PlainElement {
  static override properties = reactive([], ['text']);

  private text = '';

  say(text: string): void {
    // Repeating a sentence would be no change: a trailing no-break space makes it one.
    this.text = text === this.text ? `${text}\u00a0` : text;
  }

  protected override render(): TemplateResult {
    return html`<div class="unseen" role="status" aria-live="polite">${this.text}</div>`;
  }
}

customElements.define('relay-announcer', RelayAnnouncer);

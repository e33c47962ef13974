/** A link was opened as an address on a shared computer: why the page stops, and how to continue without leaving a trace. */

import { html, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import { whoToCall } from './explaining';
import type { Arriving, LinkTexts } from './i18n';

export class RelayExposed extends PlainElement {
  static override properties = reactive(['texts', 'linkTexts']);

  texts!: Arriving;
  linkTexts!: LinkTexts;

  protected override render(): TemplateResult {
    const { exposed } = this.linkTexts;
    return html`<h1 tabindex="-1">${exposed.heading}</h1>
      <p class="note warn">${exposed.text}</p>
      <section class="card">
        <h2>${exposed.steps}</h2>
        <ol>
          <li>${exposed.guest} ${exposed.clear}</li>
          <li>${exposed.then}</li>
        </ol>
        <p>${exposed.renew}</p>
        <p><a class="button" href="/kiosk">${exposed.kiosk}</a></p>
      </section>
      ${whoToCall(this.texts)}`;
  }
}

customElements.define('relay-exposed', RelayExposed);

/** Shown when an address names another root than the one stored with the link on this device: asks which one to trust. */

import { html, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import { whoToCall } from './explaining';
import type { Arriving, LinkTexts } from './i18n';

export class RelayAnother extends PlainElement {
  static override properties = reactive(['texts', 'linkTexts']);

  texts!: Arriving;
  linkTexts!: LinkTexts;

  protected override render(): TemplateResult {
    const { another } = this.linkTexts;
    return html`<h1 tabindex="-1">${another.heading}</h1>
      <div class="note warn">
        <p>${another.text}</p>
        <p><strong>${another.nothing}</strong></p>
        <p>${another.todo}</p>
      </div>
      <p><button class="primary" type="button" @click=${() => this.tell('kept')}>${another.kept}</button></p>
      <details class="card">
        <summary>${another.told}</summary>
        <p>${another.toldText}</p>
        <p><button class="grave" type="button" @click=${() => this.tell('replaced')}>${another.replace}</button></p>
      </details>
      ${whoToCall(this.texts)}`;
  }
}

customElements.define('relay-another', RelayAnother);

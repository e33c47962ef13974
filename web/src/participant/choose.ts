/** Through an upload link: a letter, a video or a voice message, once. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Take } from '../client/contract';
import { ScreenElement } from './screen';
import './takes';

export class RelayChoose extends ScreenElement {
  protected override render(): TemplateResult {
    const { visit } = this;
    const words = visit.words.sending.choose;
    return html`<h1 tabindex="-1">${words.heading}</h1>
      <p>${words.once}</p>
      <div class="row">
        <button class="primary" type="button" @click=${() => visit.go({ name: 'write', draft: null, to: null, revises: null })}>${words.letter}</button>
        ${visit.arrival.takesVideo
          ? html`<button class="primary" type="button" @click=${() => visit.go({ name: 'video', to: null, revises: null, resume: null })}>${words.video}</button>`
          : nothing}
      </div>
      <relay-takes
        .visit=${visit}
        @take-used=${({ detail }: CustomEvent<Take>) => visit.go({ name: 'video', to: null, revises: null, resume: null, take: detail.id })}
      ></relay-takes>`;
  }
}

customElements.define('relay-choose', RelayChoose);

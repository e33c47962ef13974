/** Through an upload link: a letter, a video or a voice message, once; after that, its state. */

import { html, nothing, type TemplateResult } from 'lit';
import type { SentMessage, Take } from '../client/contract';
import { ScreenElement } from './screen';
import './takes';
import { isOver } from './timeline';

export class RelayChoose extends ScreenElement {
  private forgotten = false;

  protected override updated(): void {
    const sent = this.sent();
    if (this.forgotten || sent === undefined || !isOver(sent.view)) return;
    this.forgotten = true;
    void this.forgetCopy(sent).catch(() => undefined);
  }

  protected override render(): TemplateResult {
    return this.visit.arrival.spent ? this.renderSent() : this.renderChoice();
  }

  private renderChoice(): TemplateResult {
    const { visit } = this;
    const texts = visit.texts.sending.choose;
    return html`<h1 tabindex="-1">${texts.heading}</h1>
      <p>${texts.once}</p>
      <div class="row">
        <button class="primary" type="button" @click=${() => visit.go({ name: 'write', draft: null, to: null, revises: null })}>${texts.letter}</button>
        ${visit.arrival.takesVideo
          ? html`<button class="primary" type="button" @click=${() => visit.go({ name: 'video', to: null, revises: null, resume: null })}>${texts.video}</button>`
          : nothing}
      </div>
      <relay-takes
        .visit=${visit}
        @take-used=${({ detail }: CustomEvent<Take>) => visit.go({ name: 'video', to: null, revises: null, resume: null, take: detail.id })}
      ></relay-takes>`;
  }

  private renderSent(): TemplateResult {
    const { visit } = this;
    const texts = visit.texts.sending.choose;
    const sent = this.sent();
    if (sent === undefined) return html`<h1 tabindex="-1">${texts.used}</h1><p role="status">${visit.texts.home.home.loading}</p>`;
    return html`<relay-message .visit=${visit} .screen=${{ name: 'message', message: sent.message }}></relay-message>
      <p class="after">${texts.another}</p>`;
  }

  private sent(): SentMessage | undefined {
    return this.visit.arrival.spent ? this.visit.correspondence?.sent[0] : undefined;
  }

  /** Removes what was stored in case it is returned, once that can no longer happen. */
  private async forgetCopy({ message }: SentMessage): Promise<void> {
    const { client } = this.visit;
    for (const { id, revises } of await client.drafts()) if (revises === message) await client.discardDraft(id);
  }
}

customElements.define('relay-choose', RelayChoose);

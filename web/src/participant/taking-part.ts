/** Taking part: pause, end contact, resume; each explains what it does first. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Consent } from '../client/contract';
import { ScreenElement } from './screen';

export class RelayTakingPart extends ScreenElement {
  protected override render(): TemplateResult {
    const { home, part } = this.visit.texts.home;
    const { correspondence } = this.visit;
    const heading = html`${this.renderBack()}
      <h1 tabindex="-1">${part.heading}</h1>
      <p>${part.voluntary}</p>`;
    if (correspondence === null) return html`${heading}<p role="status">${home.loading}</p>`;
    const consent = correspondence.consent ?? 'active';
    return html`${heading}
      <p class="note" role="status">${part.now[consent]}</p>
      ${this.renderRefusal()}
      ${consent === 'active'
        ? nothing
        : html`<section class="card">
            <h2>${part.resumeHeading}</h2>
            <p>${part.resumeMeans}</p>
            <button class="primary" type="button" ?disabled=${this.running} @click=${() => this.say('active')}>${part.resume}</button>
          </section>`}
      ${consent === 'active'
        ? html`<section class="card">
            <h2>${part.pauseHeading}</h2>
            <p>${part.pauseMeans}</p>
            <button type="button" ?disabled=${this.running} @click=${() => this.say('paused')}>${part.pause}</button>
          </section>`
        : nothing}
      ${consent === 'withdrawn'
        ? nothing
        : html`<section class="card">
            <h2>${part.endHeading}</h2>
            <p>${part.endMeans}</p>
            <button
              class="grave"
              type="button"
              ?disabled=${this.running}
              @click=${() =>
                (this.question = {
                  heading: part.endSure,
                  text: part.endMeans,
                  yes: part.endDo,
                  no: home.cancel,
                  act: () => this.consent('withdrawn'),
                })}
            >
              ${part.end}
            </button>
          </section>`}
      ${this.renderQuestion()}`;
  }

  private say(status: Consent): Promise<boolean> {
    return this.attempt(() => this.consent(status));
  }

  private async consent(status: Consent): Promise<void> {
    await this.visit.client.consent(status);
    this.visit.consented(status);
    this.visit.say(this.visit.texts.home.part.changed[status]);
    await this.visit.renew().catch(() => undefined);
  }
}

customElements.define('relay-taking-part', RelayTakingPart);

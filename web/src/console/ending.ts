/** Asks why a link ends before ending it, since the reason decides whether what came through it counts. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { LinkEndReason, Uuid } from '../client/contract';
import '../ui/dialog';
import { ConsoleElement } from './element';
import { capital } from './people';

const REASONS = ['replaced', 'misused'] as const satisfies readonly LinkEndReason[];

export class ConsoleEnding extends ConsoleElement {
  static override properties = reactive(['case', 'link', 'which', 'person', 'reference', 'only'], ['reason', 'missing']);

  case: Uuid = '';
  link: Uuid = '';
  /** Describes which of their links it is. */
  which = '';
  /** Describes whose it is. */
  person = '';
  /** Of the case. */
  reference = '';
  /** The only reason offered, if there is no choice. */
  only: LinkEndReason | null = null;
  private reason: LinkEndReason | null = null;
  private missing = false;

  protected override render(): TemplateResult {
    const { ending } = this.texts;
    const chosen = this.only ?? this.reason;
    return html`<relay-dialog
      .heading=${(this.only === 'misused' ? ending.titleMisused : ending.title)(this.person, this.reference)}
      .content=${html`<form novalidate @submit=${this.submit}>
        <p>${capital(this.which)}</p>
        ${this.only === null ? this.renderReasons() : html`<p>${ending[this.only]}.</p>`}
        <p class="note warn">${chosen === 'misused' ? ending.whatMisused : ending.what}</p>
        ${this.renderRefusal()}
        <p class="row">
          <button class="grave" ?disabled=${this.running}>${ending.do}</button>
          <button type="button" @click=${() => this.tell('given-up')}>${this.texts.cancel}</button>
        </p>
      </form>`}
      @dismissed=${() => this.tell('given-up')}
    ></relay-dialog>`;
  }

  private renderReasons(): TemplateResult {
    const { ending } = this.texts;
    return html`<fieldset aria-describedby="ending-fault">
      <legend>${ending.why}</legend>
      ${REASONS.map(
        (reason) => html`<label class="choice">
          <input
            type="radio"
            name="reason"
            value=${reason}
            @change=${() => {
              this.reason = reason;
              this.missing = false;
            }}
          />
          <span>${ending[reason]}</span>
        </label>`,
      )}
      <p id="ending-fault" class="fault" role="alert">${this.missing ? ending.choose : nothing}</p>
    </fieldset>`;
  }

  private readonly submit = (event: Event): void => {
    event.preventDefault();
    const reason = this.only ?? this.reason;
    this.missing = reason === null;
    if (reason === null) return;
    void this.attempt(() => this.session.client.endLink(this.case, this.link, reason)).then((done) => {
      if (done) this.tell('link-ended');
    });
  };
}

customElements.define('console-ending', ConsoleEnding);

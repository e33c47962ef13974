/** Every later time: the passphrase, and what to do without it. */

import { html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Refusal } from '../client/contract';
import { duration } from '../ui/amounts';
import { PlainElement } from '../ui/element';
import '../ui/passphrase';
import type { RelayPassphrase } from '../ui/passphrase';
import type { Language } from '../words/catalogue';
import { whoToCall } from './explaining';
import { keys } from './keys';
import { asRefusal, refusalText } from './refusals';
import type { Arriving } from './words';

export type Why = 'locked' | 'lockedIdle' | 'taken';

export class RelayComeBack extends PlainElement {
  static override properties: PropertyDeclarations = {
    words: { attribute: false },
    language: { attribute: false },
    why: { attribute: false },
    ready: { attribute: false },
    typed: { attribute: false },
    mayAssist: { attribute: false },
    running: { state: true },
    refusal: { state: true },
  };

  words!: Arriving;
  language: Language = 'en';
  why: Why | null = null;
  /** False while the link is still being looked up. */
  ready = true;
  typed = '';
  mayAssist = false;
  private running = false;
  private refusal: Refusal | null = null;
  /** Somebody was quicker than the answer about their link. */
  private wanted = false;

  protected override render(): TemplateResult {
    const { words, refusal } = this;
    const wrong = refusal?.refusal === 'wrong-passphrase';
    return html`<h1 tabindex="-1">${words.back.heading}</h1>
      ${this.why === null ? nothing : html`<p class=${this.why === 'taken' ? 'note warn' : 'note'}>${words.back[this.why]}</p>`}
      <form class="card" @submit=${(event: Event) => this.open(event)}>
        <p>${words.back.text}</p>
        <relay-passphrase
          .label=${words.back.field}
          .showLabel=${words.choose.show}
          .value=${this.typed}
          .fault=${wrong ? words.back.wrong : null}
        ></relay-passphrase>
        ${refusal === null || wrong ? nothing : html`<p class="note warn" role="alert">${this.refusalText(refusal)}</p>`}
        <button class="primary" ?disabled=${this.running}>${words.back.open}</button>
        <p class="quiet" role="status">${this.running ? words.back.opening : nothing}</p>
      </form>
      <details class="card">
        <summary>${words.back.lost}</summary>
        <p>${words.choose.lostText}</p>
      </details>
      ${whoToCall(words)}
      ${this.mayAssist
        ? html`<section class="card">
            <h2>${words.assistedSwitch.heading}</h2>
            <p>${words.assistedSwitch.text}</p>
            <p><button type="button" @click=${() => this.tell('assist')}>${words.assistedSwitch.button}</button></p>
          </section>`
        : nothing}`;
  }

  private refusalText(refusal: Refusal): string {
    if (refusal.refusal !== 'wait' || refusal.waitSeconds === undefined) return refusalText(this.words, refusal);
    return this.words.back.wait(duration(refusal.waitSeconds, this.language));
  }

  protected override updated(): void {
    if (!this.wanted || !this.ready) return;
    this.wanted = false;
    this.running = false;
    void this.open();
  }

  private async open(event?: Event): Promise<void> {
    event?.preventDefault();
    const field = this.querySelector<RelayPassphrase>('relay-passphrase');
    if (this.running || field === null) return;
    this.running = true;
    this.refusal = null;
    this.wanted = !this.ready;
    if (this.wanted) return;
    try {
      this.tell('entered', await keys.unlock(field.value));
    } catch (thrown) {
      const refusal = asRefusal(thrown);
      if (refusal.refusal === 'untrusted' || refusal.refusal === 'no-such-link') this.tell('refused', refusal);
      else this.refusal = refusal;
      field.focus();
    } finally {
      this.running = false;
    }
  }
}

customElements.define('relay-come-back', RelayComeBack);

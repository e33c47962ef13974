/** Every later visit: the passphrase, and what to do without it. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, type Refusal } from '../client/contract';
import { duration } from '../ui/amounts';
import { PlainElement, reactive } from '../ui/element';
import '../ui/passphrase';
import type { RelayPassphrase } from '../ui/passphrase';
import type { Language } from '../i18n/catalogue';
import { assistedSwitch, whoToCall } from './explaining';
import { keys } from './keys';
import { refusalText } from './refusals';
import type { Arriving } from './i18n';

export type Why = 'locked' | 'lockedIdle' | 'taken';

export class RelayComeBack extends PlainElement {
  static override properties = reactive(
    ['texts', 'language', 'why', 'ready', 'typed', 'mayAssist'],
    ['running', 'refusal'],
  );

  texts!: Arriving;
  language: Language = 'en';
  why: Why | null = null;
  /** False while the link is still being looked up. */
  ready = true;
  typed = '';
  mayAssist = false;
  private running = false;
  private refusal: Refusal | null = null;
  /** The user submitted before the link was looked up. */
  private wanted = false;

  protected override render(): TemplateResult {
    const { texts, refusal } = this;
    const wrong = refusal?.refusal === 'wrong-passphrase';
    return html`<h1 tabindex="-1">${texts.back.heading}</h1>
      ${this.why === null ? nothing : html`<p class=${this.why === 'taken' ? 'note warn' : 'note'}>${texts.back[this.why]}</p>`}
      <form class="card" @submit=${(event: Event) => this.open(event)}>
        <p>${texts.back.text}</p>
        <relay-passphrase
          .label=${texts.back.field}
          .showLabel=${texts.choose.show}
          .value=${this.typed}
          .fault=${wrong ? texts.back.wrong : null}
        ></relay-passphrase>
        ${refusal === null || wrong ? nothing : html`<p class="note warn" role="alert">${this.refusalText(refusal)}</p>`}
        <button class="primary" ?disabled=${this.running}>${texts.back.open}</button>
        <p class="quiet" role="status">${this.running ? texts.back.opening : nothing}</p>
      </form>
      <details class="card">
        <summary>${texts.back.lost}</summary>
        <p>${texts.choose.lostText}</p>
      </details>
      ${whoToCall(texts)}
      ${this.mayAssist ? assistedSwitch(texts, () => this.tell('assist')) : nothing}`;
  }

  private refusalText(refusal: Refusal): string {
    if (refusal.refusal !== 'wait' || refusal.waitSeconds === undefined) return refusalText(this.texts, refusal);
    return this.texts.back.wait(duration(refusal.waitSeconds, this.language));
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

/** Base class of the screens behind the passphrase: one action at a time, refusals as sentences, and a question. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, type Broken, type Refusal } from '../client/contract';
import '../ui/dialog';
import { PlainElement, reactive } from '../ui/element';
import { refusalText } from './refusals';
import type { Screen, Visit } from './visit';

export interface Question {
  readonly heading: string;
  /** What it is about, if there may be several. */
  readonly about?: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
  readonly act: () => Promise<void>;
}

export abstract class ScreenElement extends PlainElement {
  static override properties = reactive(['visit', 'screen'], ['running', 'refusal', 'question']);

  visit!: Visit;
  screen!: Screen;
  protected running = false;
  protected refusal: Refusal | null = null;
  protected question: Question | null = null;

  /** Runs an action that may be refused; true if it succeeded. Refusals about the whole page are passed up. */
  protected async attempt(act: () => Promise<void>): Promise<boolean> {
    if (this.running) return false;
    this.running = true;
    this.refusal = null;
    try {
      await act();
      return true;
    } catch (thrown) {
      const refusal = asRefusal(thrown);
      if (refusal.refusal === 'untrusted' || refusal.refusal === 'signed-out') this.visit.refused(refusal);
      else this.refusal = refusal;
      return false;
    } finally {
      this.running = false;
    }
  }

  protected renderRefusal(): TemplateResult | typeof nothing {
    if (this.refusal === null) return nothing;
    if (this.refusal.broken !== undefined) return this.renderBroken(this.refusal.broken);
    return html`<p class="note warn" role="alert">${refusalText(this.visit.arriving, this.refusal)}</p>`;
  }

  /** One invalid message: reported calmly and about it alone, since its reader need not do anything. */
  protected renderBroken({ fault }: Broken): TemplateResult {
    const { broken } = this.visit.texts.home;
    return html`<section class="note" role="alert">
      <h2>${broken.heading}</h2>
      <p>${broken.fault[fault]} ${broken.rest}</p>
      <p>${broken.todo}</p>
    </section>`;
  }

  protected renderBack(): TemplateResult {
    return html`<p><button class="plain" type="button" @click=${() => this.visit.back()}>${this.visit.texts.home.home.back}</button></p>`;
  }

  protected renderQuestion(): TemplateResult | typeof nothing {
    const asked = this.question;
    if (asked === null) return nothing;
    const close = (): void => {
      this.question = null;
    };
    const act = async (): Promise<void> => {
      close();
      await this.attempt(asked.act);
    };
    return html`<relay-dialog
      .heading=${asked.heading}
      .content=${html`${asked.about === undefined ? nothing : html`<p><strong>${asked.about}</strong></p>`}
        <p>${asked.text}</p>
        <div class="row">
          <button type="button" @click=${close}>${asked.no}</button>
          <button class="grave" type="button" @click=${act}>${asked.yes}</button>
        </div>`}
      @dismissed=${close}
    ></relay-dialog>`;
  }
}

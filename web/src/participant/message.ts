/** One's own message: its state and what usually comes next, what the mediator says, revising it, withdrawing it. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { SentMessage } from '../client/contract';
import { day } from '../ui/amounts';
import { isRefusal } from '../client/contract';
import { newId } from '../client/stamps';
import { whatComesNext } from './explaining';
import { guidanceText, type Guidance } from './guidance';
import { sentLine, titleOf, whoIs } from './people';
import { ScreenElement } from './screen';
import { timeline } from './timeline';
import type { Home } from './i18n';

type Unread = keyof Home['sent']['unread'];

export class RelayMessage extends ScreenElement {
  static override properties = reactive([], ['guidance', 'ownText', 'unread']);

  private guidance: Guidance | null = null;
  private ownText: string | null = null;
  /** Why one's own text cannot be read here although nothing is wrong with it. */
  private unread: Unread | null = null;
  private askedFor = '';

  protected override updated(): void {
    const sent = this.message();
    // Fetched again after every revision, and when it was returned.
    const key = sent?.hasGuidance === true ? `${sent.message} ${sent.revision} ${sent.view}` : '';
    if (sent === undefined || key === this.askedFor) return;
    this.askedFor = key;
    this.guidance = null;
    if (key === '') return;
    void this.attempt(async () => {
      this.guidance = await this.visit.client.guidance(sent.message);
    });
  }

  private message(): SentMessage | undefined {
    const { screen } = this;
    return screen.name === 'message' ? this.visit.correspondence?.sent.find((sent) => sent.message === screen.message) : undefined;
  }

  protected override render(): TemplateResult {
    const { visit } = this;
    const texts = visit.texts.home;
    const sent = this.message();
    if (sent === undefined) return html`${this.renderBack()}<h1 tabindex="-1">${texts.home.loading}</h1>`;
    return html`${visit.arrival.purpose === 'upload' ? nothing : this.renderBack()}
      <h1 tabindex="-1">${titleOf(sent, visit)}</h1>
      <p class="quiet">${texts.to(whoIs(visit.arrival, sent.to, texts))} · ${texts.sent.revision(sent.revision)}</p>
      ${this.renderGuidance()} ${this.renderView(sent)} ${this.renderRefusal()} ${this.renderRevise(sent)} ${this.renderOwn(sent)}
      ${sent.actions.includes('withdraw')
        ? html`<p class="after"><button class="grave" type="button" ?disabled=${this.running} @click=${() => this.askWithdraw(sent)}>${texts.sent.withdraw}</button></p>`
        : nothing}
      ${this.renderQuestion()}`;
  }

  private renderGuidance(): TemplateResult | typeof nothing {
    if (this.guidance === null) return nothing;
    return html`<section class="note">
      <h2>${this.visit.texts.home.sent.guidanceHeading}</h2>
      ${guidanceText(this.guidance, this.visit)}
    </section>`;
  }

  private renderView(sent: SentMessage): TemplateResult {
    const { visit } = this;
    const texts = visit.texts.home;
    const view = texts.author[sent.view];
    return html`<section class="card">
      <h2>${texts.sent.what}</h2>
      <ol class="way">
        ${timeline(sent.kind, sent.view).map(
          (step) =>
            html`<li class=${step.when} aria-current=${step.when === 'now' ? 'step' : 'false'}>
              ${texts.author[step.view].name}
              ${step.when === 'now'
                ? html`<small>${texts.sent.since(day(sent.viewSince, visit.language))}</small>
                    <p>${view.means}</p>
                    ${sent.failure === null ? nothing : html`<p>${sent.failure[visit.language]}</p>`}
                    ${sent.processing === null
                      ? nothing
                      : html`<progress max="1" .value=${sent.processing.fraction} aria-label=${texts.sent.progress}></progress>`}`
                : nothing}
            </li>`,
        )}
      </ol>
      <h3>${texts.sent.next}</h3>
      <p>${whatComesNext(sent.view, view.next, visit.arriving.programme)}</p>
    </section>`;
  }

  private renderRevise(sent: SentMessage): TemplateResult | typeof nothing {
    if (!sent.actions.includes('revise')) return nothing;
    const { visit } = this;
    const texts = visit.texts.home.sent;
    return sent.kind === 'letter'
      ? html`<p><button class="primary" type="button" @click=${() => void this.revise(sent)}>${texts.reviseLetter}</button></p>`
      : html`<p>
          <button class="primary" type="button" @click=${() => visit.go({ name: 'video', to: sent.to, revises: sent.message, resume: null })}>
            ${texts.reviseVideo}
          </button>
        </p>`;
  }

  private renderOwn(sent: SentMessage): TemplateResult | typeof nothing {
    if (sent.kind !== 'letter') return nothing;
    const texts = this.visit.texts.home.sent;
    if (this.ownText !== null) {
      return html`<p><button type="button" aria-expanded="true" @click=${() => (this.ownText = null)}>${texts.hideOwn}</button></p>
        <article class="card letter" lang=${sent.language}>${this.ownText}</article>`;
    }
    const read = (): Promise<boolean> => this.attempt(() => this.read(sent));
    return html`<p><button type="button" aria-expanded="false" ?disabled=${this.running} @click=${read}>${texts.readOwn}</button></p>
      <div role="status">${this.unread === null ? nothing : html`<p class="note">${texts.unread[this.unread]}</p>`}</div>`;
  }

  /** One's own text, or why it cannot be read here. */
  private async read(sent: SentMessage): Promise<void> {
    this.unread = null;
    try {
      this.ownText = await this.visit.client.ownText(sent.message);
    } catch (thrown) {
      const code = isRefusal(thrown) ? thrown.code : undefined;
      const known = (Object.keys(this.visit.texts.home.sent.unread) as Unread[]).find((one) => one === code);
      if (known === undefined) throw thrown;
      this.unread = known;
    }
  }

  /** Resumes a revision in progress. */
  private async revise(sent: SentMessage): Promise<void> {
    await this.attempt(async () => {
      const begun = (await this.visit.client.drafts()).find((draft) => draft.revises === sent.message);
      if (begun === undefined) await this.read(sent);
      if (this.unread === null) this.visit.go({ name: 'write', draft: begun?.id ?? null, to: sent.to, revises: sent.message });
      else this.askAgain(sent, this.unread);
    });
  }

  /** A revision of a text that cannot be read here starts empty. */
  private askAgain(sent: SentMessage, unread: Unread): void {
    const { visit } = this;
    const texts = visit.texts.home;
    this.question = {
      heading: texts.sent.reviseEmpty,
      text: texts.sent.unread[unread],
      yes: texts.sent.reviseEmptyDo,
      no: texts.home.cancel,
      act: async () => {
        const id = newId();
        const changedAt = new Date().toISOString();
        await visit.client.saveDraft({ id, to: sent.to, language: sent.language, text: '', revises: sent.message, changedAt });
        visit.go({ name: 'write', draft: id, to: sent.to, revises: sent.message });
      },
    };
  }

  private askWithdraw(sent: SentMessage): void {
    const texts = this.visit.texts.home.sent;
    this.question = {
      heading: texts.withdrawHeading,
      about: sentLine(sent, this.ownText, this.visit),
      text: texts.withdrawMeans,
      yes: texts.withdrawDo,
      no: texts.keep,
      act: async () => {
        await this.visit.client.withdraw(sent.message);
        await this.visit.renew();
        this.visit.say(texts.withdrawn);
      },
    };
  }
}

customElements.define('relay-message', RelayMessage);

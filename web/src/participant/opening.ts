/** Opening what was accepted, in steps that the recipient chooses, the gentlest first; stopping at any point; hiding it. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { Broken, Form, OfferNotes, OpenedMessage, Playback, ReceivedMessage } from '../client/contract';
import { day } from '../ui/amounts';
import { receivedLine } from './people';
import { ScreenElement } from './screen';
import { transcript } from '../playback/transcript';

type Step = 'summary' | 'text' | 'transcript' | 'sound' | 'video' | 'voice';

const STEPS: Readonly<Record<Form, readonly Step[]>> = {
  letter: ['summary', 'text'],
  video: ['summary', 'transcript', 'sound', 'video'],
  voice: ['summary', 'transcript', 'voice'],
};

export class RelayOpening extends ScreenElement {
  static override properties = reactive(['message', 'notes'], ['open', 'opened', 'stopped']);

  message!: ReceivedMessage;
  notes: OfferNotes | null = null;
  /** One at a time: a closed step is removed from the page. */
  private open: Step | null = null;
  private opened: OpenedMessage | null = null;
  private stopped = false;

  protected override render(): TemplateResult {
    const { visit, message } = this;
    const { steps, offer } = visit.texts.opening;
    if (this.stopped) return this.renderStopped();
    const order = STEPS[this.opened?.form ?? message.form];
    return html`<h1 tabindex="-1">${steps.heading}</h1>
      <p class="quiet">${receivedLine(message, visit)}</p>
      <p>${message.kind === 'letter' ? steps.letterHow : steps.order}</p>
      ${this.notes?.contentNote == null
        ? nothing
        : html`<section class="note">
            <h2>${offer.noteHeading}</h2>
            <p class="said">${this.notes.contentNote}</p>
          </section>`}
      ${this.renderRefusal()} ${this.renderFaults()}
      <ol class="steps">
        ${order.filter((step) => step !== 'summary' || this.notes?.summary != null).map((step) => this.renderStep(step))}
      </ol>
      <p class="quiet" role="status">${this.running ? steps.opening : this.opened === null ? nothing : steps.checked}</p>
      <p class="row after">
        <button class="primary" type="button" @click=${() => this.stop()}>${steps.stop}</button>
      </p>`;
  }

  /** Parts that cannot be shown; the others can. */
  private renderFaults(): TemplateResult | typeof nothing {
    const faults = this.opened?.faults ?? [];
    const { broken } = this.visit.texts.home;
    const without: Readonly<Partial<Record<Broken['record'], string>>> = broken.without;
    if (faults.length === 0) return nothing;
    return html`<section class="note" role="alert">
      <ul>
        ${faults.map(({ record, fault }) => html`<li>${without[record] ?? broken.heading} ${broken.fault[fault]}</li>`)}
      </ul>
      <p>${broken.rest} ${broken.todo}</p>
    </section>`;
  }

  private renderStep(step: Step): TemplateResult {
    const { steps } = this.visit.texts.opening;
    const shown = this.open === step;
    return html`<li class="card">
      <div class="row apart">
        <h2 id="step-${step}">${steps[step]}</h2>
        <button
          type="button"
          id="open-${step}"
          aria-labelledby="open-${step} step-${step}"
          aria-expanded=${shown ? 'true' : 'false'}
          ?disabled=${this.running}
          @click=${() => (shown ? (this.open = null) : this.show(step))}
        >
          ${shown ? steps.hide : steps.show}
        </button>
      </div>
      ${shown ? this.renderContent(step) : nothing}
    </li>`;
  }

  private renderContent(step: Step): TemplateResult {
    const { visit, opened } = this;
    const { steps } = visit.texts.opening;
    if (step === 'summary') return html`<p class="said">${this.notes?.summary}</p>`;
    if (opened === null) return html``;
    const language = opened.language;
    switch (step) {
      case 'text':
        return html`${opened.relayed ? html`<p class="quiet">${steps.relayed}</p>` : nothing}
          <p class="quiet">${steps.written(day(opened.writtenAt, visit.language))}</p>
          <article class="letter" lang=${language}>${(opened.text ?? '') === '' ? steps.none : opened.text}</article>`;
      case 'transcript': {
        const paragraphs = opened.captions === null ? [] : transcript(opened.captions);
        const words = opened.text ?? '';
        if (words === '' && paragraphs.length === 0) return html`<p>${steps.none}</p>`;
        return html`${words === '' ? nothing : html`<article class="letter" lang=${language}>${words}</article>`}
        ${paragraphs.length === 0
          ? nothing
          : html`<article class="reading" lang=${language}>${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}</article>`}`;
      }
      case 'sound':
      case 'voice':
      case 'video':
        if (opened.video === null) return html`<p>${steps.none}</p>`;
        return html`<relay-player
          .client=${this.playback()}
          .video=${opened.video}
          .captions=${opened.captions}
          .mode=${step === 'video' ? 'picture' : 'sound'}
          .guarded=${false}
          .language=${visit.language}
        ></relay-player>`;
    }
  }

  private renderStopped(): TemplateResult {
    const { visit } = this;
    const { steps } = visit.texts.opening;
    // Relay cannot close what was never opened.
    const isOpened = this.opened !== null || this.message.actions.includes('close');
    return html`<h1 tabindex="-1">${steps.stopHeading}</h1>
      <p class="quiet">${receivedLine(this.message, visit)}</p>
      <p>${isOpened ? steps.stopText : steps.stopTextUnopened}</p>
      <p class="note">${steps.breathe}</p>
      ${this.renderRefusal()}
      <div class="choices">
        <button class="primary" type="button" @click=${() => visit.replace({ name: 'home' })}>${steps.leave}</button>
        ${isOpened ? html`<button type="button" @click=${() => this.askKeep()}>${steps.keep}</button>` : nothing}
        <button class="plain" type="button" @click=${() => this.goOn()}>${steps.comeBack}</button>
      </div>
      ${this.renderQuestion()}`;
  }

  private far: Playback | null = null;

  /** The remote worker, wrapped in a plain object: Lit would take its proxy for a directive. */
  private playback(): Playback {
    const { client } = this.visit;
    this.far ??= { serve: (part, port) => client.serve(part, port), blob: (part) => client.blob(part) };
    return this.far;
  }

  private show(step: Step): Promise<boolean> {
    return this.attempt(async () => {
      if (step === 'sound' || step === 'voice' || step === 'video') await import('../playback/player');
      // The summary is the mediator's: reading it opens nothing of the message.
      if (step !== 'summary') this.opened ??= await this.visit.client.open(this.message.message);
      this.open = step;
    });
  }

  private async stop(): Promise<void> {
    this.open = null;
    this.stopped = true;
    await this.headed();
  }

  private async goOn(): Promise<void> {
    this.stopped = false;
    await this.headed();
  }

  private askKeep(): void {
    const { visit, message } = this;
    const { steps } = visit.texts.opening;
    this.question = {
      heading: steps.keepSure,
      about: receivedLine(message, visit),
      text: steps.keepMeans,
      yes: steps.keepDo,
      no: visit.texts.home.home.cancel,
      act: async () => {
        await visit.client.respond(message.message, 'close', false);
        this.opened = null;
        visit.say(steps.kept);
        await visit.renew().catch(() => undefined);
        visit.replace({ name: 'home' });
      },
    };
  }

  private async headed(): Promise<void> {
    await this.updateComplete;
    window.scrollTo(0, 0);
    this.querySelector<HTMLElement>('h1')?.focus();
  }
}

customElements.define('relay-opening', RelayOpening);

/** One message under review: what it is and who wrote it, then its text, then, on request, the video. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import { asRefusal, type Broken, type History, type Lease, type ReviewItem, type Uuid } from '../client/contract';
import { countdown } from './ages';
import { actionDraft, choicesFor, standing, TELLS_AUTHOR, waitsForAnother, type ActionDraft, type Choice } from './choices';
import '../ui/dialog';
import './decide';
import { ConsoleElement, grantedText, isConflict } from './element';
import { renderAccess, renderDecisions, renderFacts, renderFaults, renderGoing, renderOrigin, renderSubject } from './facts';
import './history';
import { FormSaver } from './form-saver';
import { wasPlayed } from './media';
import './offer';
import { capital, mediator, recipientOf, sender, senderOf } from './people';
import type { Shortcut } from './shortcuts';
import { textsFor } from './form-texts';
import type { Texts } from './i18n';
import { renderCalled, renderWhom } from './whom';
import { transcript } from '../playback/transcript';

const TICK_MS = 1000;
const SOON_MS = 2 * 60_000;
const PROCESSING_MS = 4000;
const ASKABLE = ['approve', 'return', 'decline', 'hold'] as const satisfies readonly Choice[];

export class ConsoleReview extends ConsoleElement {
  static override properties = reactive(
    ['message'],
    ['item', 'text', 'captions', 'history', 'lost', 'changed', 'asking', 'withdrawing', 'now'],
  );

  message: Uuid = '';

  protected override get texts(): Texts {
    return textsFor(this.session.texts, this.item?.form);
  }

  private item: ReviewItem | null = null;
  private text: string | null = null;
  private captions: string | null = null;
  /** Null before it has loaded. */
  private history: History | 'failed' | null = null;
  private lost = false;
  private changed = false;
  private asking: Choice | null = null;
  private withdrawing = false;
  private now = Date.now();
  /** What was typed into a dialog; it outlives the dialog, so a lost lease loses no text. */
  private draft: ActionDraft = actionDraft();
  private readonly saver = new FormSaver(this, () => `review:${this.message}`, () => ({ ...this.draft }));
  private ticking: ReturnType<typeof setInterval> | undefined;
  private lookedAt = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticking = setInterval(() => this.tick(), TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticking);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('message')) return;
    this.item = null;
    this.text = null;
    this.captions = null;
    this.history = null;
    this.asking = null;
    this.lost = false;
    this.changed = false;
    this.draft = actionDraft();
    void this.load();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('item') && changed.get('item') === null) this.focusHeading();
  }

  shortcut(does: Shortcut): void {
    if (this.item === null || this.asking !== null) return;
    const choices = choicesFor(standing(this.item, this.now));
    if (does === 'refresh') void this.load();
    else if (does === 'lease' && choices.includes('lease')) void this.take();
    const asked = ASKABLE.find((one) => one === does);
    if (asked !== undefined && choices.includes(asked)) this.asking = asked;
  }

  private tick(): void {
    this.now = Date.now();
    const lease = this.item?.lease ?? null;
    if (lease?.mine === true && Date.parse(lease.expiresAt) <= this.now && !this.lost && !this.busy) {
      this.lost = true;
      this.asking = null;
      void this.load();
    }
    // A colleague's lease expired: ask relay what may be done now.
    const isFree = lease !== null && Date.parse(lease.expiresAt) <= this.now && this.item?.actions.includes('lease') === false;
    if ((isFree || this.item?.state === 'processing') && this.now - this.lookedAt > PROCESSING_MS && !this.busy) void this.load();
  }

  private async load(): Promise<void> {
    const { message, item: before } = this;
    this.lookedAt = Date.now();
    await this.read(async () => {
      // Load what was typed here before, so that nobody types over it.
      const [item] = await Promise.all([this.session.client.review(message), before === null ? this.findDraft(message) : undefined]);
      if (message === this.message) await this.takeIn(item);
    });
    // While a video is processed this is polled, and nothing before it changes meanwhile.
    const isSame = this.history !== null && before?.state === 'processing' && this.item?.state === 'processing';
    if (message === this.message && this.item !== null && !isSame) await this.lookBack(message);
  }

  /** The history, loaded in the background: the message can be read and decided without it. */
  private async lookBack(message: Uuid): Promise<void> {
    try {
      const history = await this.session.client.history(message);
      if (message === this.message) this.history = history;
    } catch (thrown) {
      const refusal = asRefusal(thrown);
      if (refusal.refusal === 'untrusted' || refusal.refusal === 'signed-out') this.refused(refusal);
      else if (message === this.message) this.history = 'failed';
    }
  }

  /** What was typed about this message and not sent. */
  private async findDraft(message: Uuid): Promise<void> {
    const kept = await this.saver.find().catch(() => null);
    if (kept !== null && message === this.message) this.draft = actionDraft(kept);
  }

  /** Shows the message as relay has it now; its text is fetched again if it may have changed. */
  private async takeIn(item: ReviewItem): Promise<void> {
    const same = this.item?.message === item.message && this.item.revision === item.revision;
    const holds = (record: Broken['record']): boolean => item.faults.every((fault) => fault.record !== record);
    this.item = item;
    this.session.entitle((texts) => texts.place.message(texts.kind[item.form], item.reference));
    this.now = Date.now();
    if (!item.hasText || !holds('body')) this.text = null;
    else if (!(same && this.text !== null)) this.text = await this.session.client.text(item.message);
    const captioned = item.captions?.exception === null && holds('captions');
    this.captions = captioned ? await this.session.client.captionsText(item.message) : null;
  }

  /** An action on this message; if it has changed meanwhile, shows what changed instead. */
  private async act(run: () => Promise<ReviewItem>): Promise<boolean> {
    this.changed = false;
    const done = await this.attempt(async () => {
      await this.takeIn(await run());
      this.lost = false;
    });
    if (!done && this.refusal !== null && isConflict(this.refusal)) {
      const why = this.refusal;
      this.asking = null;
      await this.load();
      this.refusal ??= why;
      this.changed = true;
    }
    return done;
  }

  private async take(): Promise<void> {
    if (await this.act(() => this.session.client.lease(this.message))) this.session.say(this.texts.form.done.lease);
  }

  private async letGo(): Promise<void> {
    const done = await this.attempt(async () => {
      await this.session.client.letGo(this.message);
    });
    if (!done) return;
    this.session.say(this.texts.form.done['let-go']);
    this.session.go({ name: 'queue' });
  }

  private async grantAgain(item: ReviewItem): Promise<void> {
    const done = await this.attempt(async () => {
      this.session.say(grantedText(this.texts, await this.session.client.grantAgain(item.case, item.to)));
    });
    if (done) await this.load();
  }

  private async withdraw(): Promise<void> {
    this.withdrawing = false;
    const done = await this.attempt(async () => {
      await this.session.client.recordWithdrawal(this.message);
      this.session.say(this.texts.form.recordedWithdrawal);
    });
    if (done) await this.load();
  }

  private readonly choose = (choice: Choice): void => {
    if (this.item === null) return;
    if (choice === 'lease') void this.take();
    else if (choice === 'let-go') void this.letGo();
    else if (choice === 'grant-again') void this.grantAgain(this.item);
    else if (choice === 'caption') this.session.go({ name: 'captions', message: this.message });
    else this.asking = choice;
  };

  protected override render(): TemplateResult {
    const item = this.item === null ? null : standing(this.item, this.now);
    const { review, kind } = this.texts;
    if (item === null) {
      return html`<main id="content" class="wide">
        ${this.renderRefusal()} ${this.refusal === null ? html`<p role="status">${this.texts.loading}</p>` : nothing}
      </main>`;
    }
    return html`<main id="content" class="wide">
      <p class="back">
        <button class="plain" @click=${() => this.session.go({ name: 'queue' })}>← ${this.texts.nav.queue}</button>
        <button class="plain" @click=${() => this.session.next()}>${this.texts.lists.next} <span aria-hidden="true">→</span></button>
      </p>
      <h1 tabindex="-1">${review.title(kind[item.form], this.sender(item))}</h1>
      ${this.changed ? html`<p class="note" role="alert">${this.texts.conflict}</p>` : nothing} ${this.renderRefusal()}
      ${this.lost && item.lease?.mine !== true ? html`<p class="note warn" role="alert">${review.leaseLost}</p>` : nothing}
      <div class="beside review">
        <div>${renderFacts(this.session, item)} ${renderOrigin(this.session, item)} ${this.renderAccess(item)}</div>
        <div class="words-first">
          ${renderFaults(this.session, item)} ${this.renderStanding(item)} ${this.renderContent(item)} ${this.renderLease(item)}
          ${this.renderGates(item)} ${this.renderChoices(item)}
        </div>
        <div>${renderDecisions(this.session, item)} ${this.renderHistory(item)}</div>
      </div>
      ${this.renderAsking(item)}
    </main>`;
  }

  private renderAccess(item: ReviewItem): TemplateResult | typeof nothing {
    if (this.history === null || this.history === 'failed') return nothing;
    return html`<section class="card">
      <h2>${this.texts.review.access}</h2>
      ${renderWhom(this.session, recipientOf(item))} ${renderAccess(this.session, item, this.history.access)}
    </section>`;
  }

  private renderHistory(item: ReviewItem): TemplateResult {
    const { history } = this;
    if (history === null) return html`<p role="status">${this.texts.loading}</p>`;
    if (history === 'failed') return html`<p class="note" role="status">${this.texts.review.historyFailed}</p>`;
    return html`<console-history .session=${this.session} .item=${item} .text=${this.text} .history=${history}></console-history>`;
  }

  private sender(item: ReviewItem): string {
    return sender(this.session, item);
  }

  private renderStanding(item: ReviewItem): TemplateResult | typeof nothing {
    const { review } = this.texts;
    // If it is unknown, the faults say so.
    if (item.standing === 'verified' || item.standing === null) return nothing;
    const who = this.sender(item);
    if (item.standing === 'ended') {
      return html`<section class="note warn">
        <h2>${review.ended}</h2>
        <p>${review.endedWhat}</p>
      </section>`;
    }
    const link = item.origin?.by === 'participant' ? item.origin.link : null;
    return html`<section class="note warn">
      <h2>${review.unchecked(who)}</h2>
      <p>${review.uncheckedWhat}</p>
      ${link === null
        ? nothing
        : html`<button @click=${() => this.session.go({ name: 'case', case: item.case, claim: link })}>${this.texts.claim.check}</button>`}
    </section>`;
  }

  private renderContent(item: ReviewItem): TemplateResult {
    const { review } = this.texts;
    const stages: Readonly<Record<string, string>> = this.texts.stage;
    const parts: TemplateResult[] = [];
    if (this.text !== null) {
      const words = html`<div class="card letter" lang=${item.language}>${this.text === '' ? review.noWords : this.text}</div>`;
      parts.push(item.kind === 'letter' ? words : html`<h3>${review.textOfVideo}</h3>${words}`);
    }
    if (item.state === 'processing') {
      const { processing } = item;
      const percent = Math.round((processing?.fraction ?? 0) * 100);
      const name = processing === null ? '' : (stages[processing.stage] ?? processing.stage);
      parts.push(html`<div class="card">
        <p role="status">${review.processing}${name === '' ? nothing : html`: ${review.processingAt(name, percent)}`}</p>
        <progress max="100" value=${percent} aria-label=${review.processing}></progress>
      </div>`);
    }
    if (item.failure !== null) {
      parts.push(html`<div class="note warn"><p>${review.failed}</p><p>${item.failure[this.session.language]}</p></div>`);
    }
    if (item.video !== null) parts.push(html`${this.renderTranscript(item)} ${this.renderMedia(item)}`);
    return html`<section><h2>${review.content}</h2>${parts}</section>`;
  }

  private renderTranscript(item: ReviewItem): TemplateResult {
    const { review, captions } = this.texts;
    if (this.captions === null) {
      const exception = item.captions?.exception ?? null;
      if (item.captions !== null && exception === null) return html``; // invalid ones: the faults above say so
      const known: Readonly<Record<string, string>> = captions.exceptions;
      return html`<p class="quiet">${exception === null ? review.noCaptions : review.captionException(known[exception] ?? exception)}</p>`;
    }
    return html`<details class="card" open>
      <summary>${review.transcript}</summary>
      ${item.captions?.by === 'author' ? html`<p class="quiet">${review.captionsByAuthor}</p>` : nothing}
      <div class="reading" lang=${item.captions?.language ?? item.language}>
        ${transcript(this.captions).map((paragraph) => html`<p>${paragraph}</p>`)}
      </div>
    </details>`;
  }

  private renderMedia(item: ReviewItem): TemplateResult {
    return html`<console-media .session=${this.session} .video=${item.video} .captions=${this.captions}></console-media>`;
  }

  private renderLease(item: ReviewItem): TemplateResult | typeof nothing {
    const { review } = this.texts;
    const { lease } = item;
    if (item.state === 'queued' && item.waitsFor === 'mediator') return html`<p class="note">${this.texts.lists.approvedByYou}</p>`;
    if (item.state !== 'claimed' || lease === null) return nothing;
    if (!lease.mine) return html`<p class="note">${capital(review.leaseOther(mediator(this.session, lease.holder)))}</p>`;
    return this.renderMine(lease);
  }

  private renderMine(lease: Lease): TemplateResult {
    const { review } = this.texts;
    const soon = Date.parse(lease.expiresAt) - this.now < SOON_MS;
    return html`<div class=${soon ? 'note warn' : 'note'}>
      <p class="row">
        <span role="timer">${review.leaseLeft(countdown(lease.expiresAt, this.now))}</span>
        <button ?disabled=${this.running} @click=${() => this.take()}>${review.leaseRenew}</button>
      </p>
      <p role="status">${soon ? review.leaseSoon : nothing}</p>
    </div>`;
  }

  private renderGates(item: ReviewItem): TemplateResult | typeof nothing {
    const { review, gate } = this.texts;
    const before = item.state === 'approved' || item.state === 'offered';
    return html`${before && item.gates.length > 0
      ? html`<section class="note warn">
          <h2>${review.gates}</h2>
          <ul>
            ${item.gates.map((one) => html`<li>${gate[one].is} ${gate[one].todo}</li>`)}
          </ul>
        </section>`
      : nothing}
    ${before && !item.recipientReady ? html`<p class="note">${review.notReady}</p>` : nothing}
    ${item.grantAgain ? html`<p class="note">${review.grantAgain}</p>` : nothing}`;
  }

  private renderChoices(item: ReviewItem): TemplateResult | typeof nothing {
    const { review, choice } = this.texts;
    const choices = choicesFor(item);
    const withdrawable = item.actions.includes('withdraw');
    if (choices.length === 0 && !withdrawable) return nothing;
    const takes = choices.includes('lease');
    const waits = waitsForAnother(item);
    return html`<section>
      <h2>${review.decide}</h2>
      ${waits ? html`<p class="note">${takes ? review.approvedByYou : review.approvedByYouMine}</p>` : nothing}
      ${takes && !waits ? html`<p>${review.leaseWhat}</p>` : nothing}
      <div class="row">
        ${choices.map(
          (one, index) => html`<button
            class=${one === 'decline' || one === 'recall' ? 'grave' : index === 0 && !waits ? 'primary' : ''}
            ?disabled=${this.running}
            @click=${() => this.choose(one)}
          >
            ${choice[one]}
          </button>`,
        )}
        ${withdrawable
          ? html`<button class="plain" @click=${() => (this.withdrawing = true)}>${this.texts.form.recordWithdrawal}</button>`
          : nothing}
      </div>
      ${this.withdrawing ? this.renderWithdrawing(item) : nothing}
    </section>`;
  }

  private renderWithdrawing(item: ReviewItem): TemplateResult {
    const { confirm, form, thisOne } = this.texts;
    return html`<relay-dialog
      .heading=${confirm.withdrawal.title(thisOne[item.form])}
      .content=${html`${renderSubject(this.session, item, this.text)}
        <p>${confirm.withdrawal.what}</p>
        <p class="row">
          <button class="grave" ?disabled=${this.running} @click=${() => this.withdraw()}>${form.recordWithdrawal}</button>
          <button @click=${() => (this.withdrawing = false)}>${this.texts.cancel}</button>
        </p>`}
      @dismissed=${() => (this.withdrawing = false)}
    ></relay-dialog>`;
  }

  /**
   * A video that the mediator has not played at all here, and that no mediator has captioned: captions that came with it
   * say what their author wants.
   */
  private isUnwatched({ captions, video }: ReviewItem): boolean {
    const isRead = this.captions !== null && captions?.by === 'mediator';
    return video !== null && !isRead && !wasPlayed(this.session, video);
  }

  private renderAsking(item: ReviewItem): TemplateResult | typeof nothing {
    const { asking } = this;
    if (asking === null) return nothing;
    const end = (): void => void (this.asking = null);
    const accept = (event: CustomEvent<() => Promise<ReviewItem>>): void => {
      void this.act(event.detail).then((done) => {
        if (!done) return;
        this.session.say(this.texts.form.done[asking as keyof typeof this.texts.form.done]);
        this.asking = null;
        this.draft = actionDraft();
        this.saver.drop();
      });
    };
    const about = renderSubject(this.session, item, this.text);
    return asking === 'offer'
      ? html`<console-offer
          .session=${this.session}
          .item=${item}
          .about=${html`${about}${renderGoing(this.session, item, this.history)}`}
          .draft=${this.draft}
          .running=${this.running}
          .problem=${this.refusal}
          @typed=${() => this.saver.changed()}
          @given-up=${end}
          @chosen=${accept}
        ></console-offer>`
      : html`<console-decide
          .session=${this.session}
          .item=${item}
          .decision=${asking}
          .about=${TELLS_AUTHOR.some((one) => one === asking) ? html`${about} ${renderCalled(this.session, senderOf(item))}` : about}
          .unwatched=${this.isUnwatched(item)}
          .draft=${this.draft}
          .running=${this.running}
          .problem=${this.refusal}
          @typed=${() => this.saver.changed()}
          @given-up=${end}
          @chosen=${accept}
        ></console-decide>`;
  }
}

customElements.define('console-review', ConsoleReview);

/** When a closed case is deleted, what keeps it longer, and the form to keep it. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseDetail, Hold } from '../client/contract';
import { day } from '../ui/amounts';
import '../ui/dialog';
import { ConsoleElement } from './element';
import { caseName } from './people';

/** As the service limits them. */
const NAME_MOST = 100;
const REASON_MOST = 500;

export class ConsoleHolds extends ConsoleElement {
  static override properties = reactive(['detail'], ['holds', 'placing', 'missing']);

  detail!: CaseDetail;
  private holds: readonly Hold[] | null = null;
  private placing = false;
  private missing = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(() => this.load());
  }

  private async load(): Promise<void> {
    this.holds = await this.session.client.holds(this.detail.case);
  }

  protected override render(): TemplateResult {
    const { holds: texts } = this.texts;
    const { holds, detail } = this;
    const due = detail.disposalDueAt;
    return html`${this.placing ? nothing : this.renderRefusal()}
      ${holds === null || due === null
        ? nothing
        : holds.length === 0
          ? html`<p>${texts.due(day(due, this.session.language))}</p>`
          : html`<p>${texts.held(day(due, this.session.language))}</p>
              <ul class="plain-list">
                ${holds.map((hold) => this.renderHold(hold))}
              </ul>`}
      <p><button @click=${() => (this.placing = true)}>${texts.place}</button></p>
      ${this.placing ? this.renderForm() : nothing}`;
  }

  private renderHold(hold: Hold): TemplateResult {
    const { holds: texts, lists } = this.texts;
    const at = day(hold.placedAt, this.session.language);
    return html`<li>
      <p>
        <strong>${hold.name}</strong>: ${hold.reason}<br />
        <span class="quiet">${(hold.bySystem ? texts.bySystem : texts.byMediator)(at)}</span>
      </p>
      ${hold.bySystem
        ? nothing
        : html`<p>
            <button
              aria-disabled=${this.running ? 'true' : nothing}
              aria-label=${lists.about(texts.lift, hold.name)}
              @click=${() => this.lift(hold)}
            >
              ${texts.lift}
            </button>
          </p>`}
    </li>`;
  }

  private renderForm(): TemplateResult {
    const { holds: texts } = this.texts;
    return html`<relay-dialog
      .heading=${texts.placeTitle(caseName(this.session, this.detail))}
      .content=${html`<form novalidate @submit=${this.submit}>
        <p>${texts.placeWhat}</p>
        ${this.renderRefusal()}
        <p id="hold-fault" class="fault" role="alert">${this.missing ? texts.missing : nothing}</p>
        <div class="field">
          <label for="hold-name">${texts.name}</label>
          <input id="hold-name" autocomplete="off" maxlength=${NAME_MOST} aria-describedby="hold-name-hint hold-fault" />
          <small id="hold-name-hint">${texts.nameHint}</small>
        </div>
        <div class="field">
          <label for="hold-reason">${texts.reason}</label>
          <input id="hold-reason" autocomplete="off" maxlength=${REASON_MOST} aria-describedby="hold-fault" />
        </div>
        <p class="row">
          <button class="primary" ?disabled=${this.running}>${texts.do}</button>
          <button type="button" @click=${this.giveUp}>${this.texts.cancel}</button>
        </p>
      </form>`}
      @dismissed=${this.giveUp}
    ></relay-dialog>`;
  }

  private readonly giveUp = (): void => {
    this.placing = false;
    this.missing = false;
  };

  private readonly submit = (event: Event): void => {
    event.preventDefault();
    const typed = (id: string): string => this.querySelector<HTMLInputElement>(id)?.value.trim() ?? '';
    const name = typed('#hold-name');
    const reason = typed('#hold-reason');
    this.missing = name === '' || reason === '';
    if (this.missing) return;
    void this.attempt(async () => {
      await this.session.client.placeHold(this.detail.case, { name, reason });
      this.giveUp();
      this.session.say(this.texts.holds.placed);
      await this.load();
    });
  };

  private async lift({ hold }: Hold): Promise<void> {
    await this.attempt(async () => {
      await this.session.client.liftHold(this.detail.case, hold);
      this.session.say(this.texts.holds.lifted);
      await this.load();
    });
  }
}

customElements.define('console-holds', ConsoleHolds);

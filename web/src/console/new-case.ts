/** Opening a case: a new one, or one that the case system registered; who is in it, and its rules. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { Colleague, ParticipantRole, Uuid } from '../client/contract';
import { ConsoleElement } from './element';
import { caseName, shortId } from './people';

const ROLES = ['harmed', 'harmed-family', 'representative', 'responsible', 'responsible-family'] as const satisfies readonly ParticipantRole[];
const RETENTION_DAYS = 365;
const RETENTION_MOST_DAYS = 36_500;

export class ConsoleNewCase extends ConsoleElement {
  static override properties = reactive(['registered'], ['reference', 'roles', 'colleagues', 'faults']);

  /** The case registered by the case system, or null for a new one. */
  registered: Uuid | null = null;
  private reference = '';
  private roles: readonly ParticipantRole[] = ['harmed', 'responsible'];
  private colleagues: readonly Colleague[] | null = null;
  private faults: readonly string[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read(async () => {
      const { client } = this.session;
      this.colleagues = (await client.colleagues()).filter((one) => !one.self);
      const cases = this.registered === null ? [] : await client.cases();
      const found = cases.find((one) => one.case === this.registered);
      if (found !== undefined && found.charterVersion > 0) {
        this.session.replace({ name: 'case', case: found.case }); // by way back, or opened by a colleague meanwhile
        return;
      }
      const { reference } = found ?? { reference: '' };
      this.reference = reference;
      if (reference !== '') this.session.entitle((texts) => texts.newCase.titleRegistered(reference));
    });
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  protected override render(): TemplateResult {
    const { newCase } = this.texts;
    return html`<main id="content">
      <h1 tabindex="-1">${this.registered === null ? newCase.title : newCase.titleRegistered(caseName(this.session, { case: this.registered, reference: this.reference }))}</h1>
      <p>${newCase.lead}</p>
      <form novalidate @submit=${this.submit}>
        ${this.registered === null ? this.renderWho() : nothing} ${this.renderColleagues()} ${this.renderRules()}
        ${this.faults.length === 0
          ? nothing
          : html`<ul class="note warn" role="alert">${this.faults.map((fault) => html`<li>${fault}</li>`)}</ul>`}
        ${this.renderRefusal()}
        <button class="primary" ?disabled=${this.running}>${newCase.do}</button>
        <p role="status">${this.running ? this.texts.working : nothing}</p>
      </form>
    </main>`;
  }

  private renderWho(): TemplateResult {
    const { newCase, people } = this.texts;
    return html`<div class="field">
        <label for="new-reference">${newCase.reference}</label>
        <input id="new-reference" type="text" maxlength="200" autocomplete="off" aria-describedby="new-reference-hint" />
        <small id="new-reference-hint">${newCase.referenceHint}</small>
      </div>
      <fieldset>
        <legend>${newCase.people}</legend>
        ${this.roles.map(
          (role, index) => html`<div class="field">
            <label for="new-role-${index}">${newCase.person(index + 1)}</label>
            <div class="row">
              <select
                id="new-role-${index}"
                class="grow"
                @change=${(event: Event) => {
                  const chosen = (event.target as HTMLSelectElement).value as ParticipantRole;
                  this.roles = this.roles.map((old, at) => (at === index ? chosen : old));
                }}
              >
                ${ROLES.map((one) => html`<option value=${one} ?selected=${one === role}>${people.role[one]}</option>`)}
              </select>
              ${this.roles.length > 2
                ? html`<button type="button" class="plain" aria-label=${newCase.removePerson(index + 1)} @click=${() => (this.roles = this.roles.filter((_, at) => at !== index))}>
                    ${this.texts.captions.remove}
                  </button>`
                : nothing}
            </div>
          </div>`,
        )}
        <button type="button" @click=${() => (this.roles = [...this.roles, 'representative'])}>${newCase.addPerson}</button>
      </fieldset>`;
  }

  private renderColleagues(): TemplateResult {
    const { newCase, people } = this.texts;
    return html`<fieldset>
      <legend>${newCase.colleagues}</legend>
      <small>${newCase.colleaguesHint}</small>
      ${this.colleagues === null
        ? html`<p role="status">${this.texts.loading}</p>`
        : this.colleagues.length === 0
          ? html`<p>${newCase.noColleagues}</p>`
          : this.colleagues.map(
              (one) => html`<label class="choice">
                <input type="checkbox" name="colleague" value=${one.credential} />
                <span>${people.colleague(shortId(one.credential))}</span>
              </label>`,
            )}
    </fieldset>`;
  }

  private renderRules(): TemplateResult {
    const { newCase } = this.texts;
    const choice = (name: string, value: string, text: string, chosen: boolean): TemplateResult =>
      html`<label class="choice"><input type="radio" name=${name} value=${value} ?checked=${chosen} /><span>${text}</span></label>`;
    return html`<fieldset>
        <legend>${newCase.approvals}</legend>
        ${choice('approvals', '1', newCase.one, true)} ${choice('approvals', '2', newCase.two, false)}
      </fieldset>
      <fieldset>
        <legend>${newCase.captions}</legend>
        ${choice('captions', 'required', newCase.captionsRequired, true)} ${choice('captions', 'optional', newCase.captionsOptional, false)}
      </fieldset>
      <fieldset>
        <legend>${newCase.video}</legend>
        ${choice('video', 'yes', newCase.videoYes, true)} ${choice('video', 'no', newCase.videoNo, false)}
        <small>${newCase.videoWhat}</small>
      </fieldset>
      <div class="field narrow">
        <label for="new-retention">${newCase.retention}</label>
        <input id="new-retention" autocomplete="off" type="number" min="1" max=${RETENTION_MOST_DAYS} value=${RETENTION_DAYS} />
      </div>`;
  }

  private readonly submit = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const { newCase } = this.texts;
    const reference = this.querySelector<HTMLInputElement>('#new-reference')?.value.trim() ?? '';
    const retentionDays = Number(this.querySelector<HTMLInputElement>('#new-retention')?.value);
    const colleagues = form.getAll('colleague').filter((value): value is string => typeof value === 'string');
    const approvals = form.get('approvals') === '2' ? 2 : 1;
    const faults: string[] = [];
    if (this.registered === null && reference === '') faults.push(newCase.referenceNeeded);
    if (approvals === 2 && colleagues.length === 0) faults.push(newCase.twoNeeds);
    if (!Number.isInteger(retentionDays) || retentionDays < 1 || retentionDays > RETENTION_MOST_DAYS) faults.push(newCase.retentionBad);
    this.faults = faults;
    if (faults.length > 0) return;
    const rules = {
      colleagues,
      approvals,
      captions: form.get('captions') === 'optional' ? 'optional' : 'required',
      serverProcessing: form.get('video') !== 'no',
      retentionDays,
    } as const;
    void this.attempt(async () => {
      const { client } = this.session;
      const opened =
        this.registered === null
          ? await client.newCase({ ...rules, reference, roles: this.roles })
          : await client.openCase(this.registered, rules);
      this.session.say(newCase.done);
      this.session.go({ name: 'case', case: opened.case });
    });
  };
}

customElements.define('console-new-case', ConsoleNewCase);

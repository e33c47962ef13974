/** Who can read a case under the charter in force; and the next charter: people who join or leave, new keys, the system's request. */

import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseDetail, CaseMember, Colleague, Uuid } from '../client/contract';
import { day } from '../ui/amounts';
import '../ui/dialog';
import { ConsoleElement } from './element';
import { capital, caseName, mediator, shortId } from './people';

const ROLES = ['mediator', 'media', 'recovery'] as const satisfies readonly CaseMember['role'][];

type Asking =
  | { readonly about: 'change'; readonly colleagues: readonly Colleague[] }
  | { readonly about: 'proposal'; readonly mediators: readonly Uuid[] }
  | { readonly about: 'let-back'; readonly member: CaseMember; readonly newer: Uuid };

type Fault = 'needsOne' | 'needsTwo' | 'same';

export class ConsoleReaders extends ConsoleElement {
  static override properties = reactive(['detail'], ['asking', 'fault', 'staying']);

  detail!: CaseDetail;
  private asking: Asking | null = null;
  private fault: Fault | null = null;
  /** The credentials ticked while mediators are changed. */
  private staying: ReadonlySet<Uuid> = new Set();

  private get mediators(): readonly CaseMember[] {
    return this.detail.members.filter(({ role }) => role === 'mediator');
  }

  protected override render(): TemplateResult {
    const { readers } = this.texts;
    const { detail } = this;
    return html`<section class="card" aria-labelledby="readers-heading">
      <h2 id="readers-heading">${readers.title}</h2>
      <p class="quiet">${readers.lead(detail.charterVersion, day(detail.charterAt, this.session.language))}</p>
      ${this.asking === null ? this.renderRefusal() : nothing}
      ${detail.recoveries.map((one) => this.renderRecovery(one))} ${this.renderProposal()}
      ${detail.outdated
        ? html`<div class="note warn">
            <p>${readers.outdated}</p>
            <button ?disabled=${this.running} @click=${() => this.sign(this.mediators.map(({ credential }) => credential), readers.updated)}>${readers.update}</button>
          </div>`
        : nothing}
      ${ROLES.map((role) => this.renderRole(role))}
      <p><button aria-disabled=${this.running ? 'true' : nothing} @click=${() => this.change()}>${readers.change}</button></p>
      ${this.asking === null ? nothing : this.renderAsking(this.asking)}
    </section>`;
  }

  private renderRole(role: CaseMember['role']): TemplateResult {
    const { readers } = this.texts;
    const members = this.detail.members.filter((one) => one.role === role);
    return html`<h3>${readers.role[role]}</h3>
      ${members.length === 0
        ? html`<p>${readers.nobody}</p>`
        : html`<ul class="plain-list">
            ${members.map((one) => this.renderMember(one))}
          </ul>`}`;
  }

  private renderMember(member: CaseMember): TemplateResult {
    const { readers } = this.texts;
    const { newer, standing, endsAt } = member;
    const said = readers.standing[standing](day(endsAt, this.session.language));
    const isOwn = member.credential === this.session.self.credential;
    return html`<li class=${standing === 'valid' ? '' : 'note warn'}>
      <strong>${capital(this.name(member))}</strong>, ${said}
      ${newer === null
        ? nothing
        : html`<br />${readers.newer(capital(this.name(member)))}
            ${isOwn
              ? html`<button @click=${() => this.session.go({ name: 'keys' })}>${this.texts.ownKeys.see}</button>`
              : html`<button ?disabled=${this.running} @click=${() => (this.asking = { about: 'let-back', member, newer })}>${readers.letBack}</button>`}`}
    </li>`;
  }

  private renderRecovery({ at, mediators }: CaseDetail['recoveries'][number]): TemplateResult {
    const { readers } = this.texts;
    const date = day(at, this.session.language);
    const who = mediators.map((id) => mediator(this.session, id)).join(', ');
    return html`<p class="note warn">${who === '' ? readers.recoveredNobody(date) : readers.recovered(date, who)} ${readers.recoveredAsk}</p>`;
  }

  private renderProposal(): TemplateResult | typeof nothing {
    const { readers } = this.texts;
    const { proposal } = this.detail;
    if (proposal === null) return nothing;
    return html`<section class="note">
      <h3>${readers.proposal}</h3>
      ${this.renderDifference(proposal.mediators)}
      <p>${readers.proposalWhat}</p>
      ${proposal.signable
        ? html`<button ?disabled=${this.running} @click=${() => (this.asking = { about: 'proposal', mediators: proposal.mediators })}>${readers.sign}</button>`
        : html`<p>${readers.proposalNot}</p>`}
    </section>`;
  }

  private renderDifference(mediators: readonly Uuid[]): TemplateResult {
    const { readers } = this.texts;
    const listed = this.mediators.map(({ credential }) => credential);
    const joining = mediators.filter((id) => !listed.includes(id));
    const leaving = listed.filter((id) => !mediators.includes(id));
    return html`<ul>
      ${joining.map((id) => html`<li>${readers.proposalJoin(mediator(this.session, id))}</li>`)}
      ${leaving.map((id) => html`<li>${readers.proposalLeave(mediator(this.session, id))}</li>`)}
    </ul>`;
  }

  private renderAsking(asking: Asking): TemplateResult {
    const { readers } = this.texts;
    const end = (): void => void (this.asking = null);
    const dialog = (heading: string, content: TemplateResult): TemplateResult =>
      html`<relay-dialog .heading=${heading} .content=${html`${this.renderRefusal()} ${content}`} @dismissed=${end}></relay-dialog>`;
    const actions = (text: string, act: () => Promise<void>): TemplateResult =>
      html`<p class="row">
        <button class="primary" ?disabled=${this.running} @click=${act}>${text}</button>
        <button @click=${end}>${this.texts.cancel}</button>
      </p>`;
    switch (asking.about) {
      case 'change':
        return dialog(readers.changeTitle(caseName(this.session, this.detail)), this.renderChange(asking.colleagues, end));
      case 'proposal':
        return dialog(
          readers.signTitle(caseName(this.session, this.detail)),
          html`${this.renderDifference(asking.mediators)}
            <p>${readers.changeWhat}</p>
            ${this.leaves(asking.mediators) ? html`<p class="note warn">${readers.withdrawYou}</p>` : nothing}
            ${actions(readers.sign, () => this.sign(asking.mediators, readers.changed))}`,
        );
      case 'let-back': {
        const who = this.name(asking.member);
        return dialog(
          readers.letBackTitle(who, caseName(this.session, this.detail)),
          html`<p>${readers.letBackWhat}</p>
            ${actions(readers.letBack, () => this.letBack(asking.member.credential, asking.newer))}`,
        );
      }
    }
  }

  private renderChange(colleagues: readonly Colleague[], end: () => void): TemplateResult {
    const { readers } = this.texts;
    const listed = new Set(this.mediators.map(({ person }) => person));
    const others = colleagues.filter(({ person }) => !listed.has(person));
    const tick = (credential: Uuid, text: string): TemplateResult =>
      html`<label class="choice">
        <input
          type="checkbox"
          .checked=${this.staying.has(credential)}
          @change=${(event: Event) => {
            const staying = new Set(this.staying);
            if ((event.target as HTMLInputElement).checked) staying.add(credential);
            else staying.delete(credential);
            this.staying = staying;
            this.fault = null;
          }}
        />
        <span>${text}</span>
      </label>`;
    return html`<form
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        this.submitChange();
      }}
    >
      <p>${readers.changeWhat}</p>
      <fieldset aria-describedby="readers-fault">
        <legend>${readers.who}</legend>
        ${this.mediators.map((one) => tick(one.credential, this.name(one)))}
        ${others.map((one) => tick(one.credential, mediator(this.session, one.credential)))}
        ${others.length === 0 ? html`<p>${readers.noMore}</p>` : nothing}
        <p id="readers-fault" class="fault" role="alert">${this.fault === null ? nothing : readers[this.fault]}</p>
      </fieldset>
      ${this.leaves([...this.staying]) ? html`<p class="note warn">${readers.withdrawYou}</p>` : nothing}
      <p class="row">
        <button class="primary" ?disabled=${this.running}>${readers.sign}</button>
        <button type="button" @click=${end}>${this.texts.cancel}</button>
      </p>
    </form>`;
  }

  private name({ role, credential }: CaseMember): string {
    if (role === 'media') return this.texts.people.worker(shortId(credential));
    return role === 'recovery' ? this.texts.readers.recoveryKey(shortId(credential)) : mediator(this.session, credential);
  }

  /** Whether the mediator would remove themself. */
  private leaves(mediators: readonly Uuid[]): boolean {
    return !mediators.includes(this.session.self.credential);
  }

  private async change(): Promise<void> {
    await this.attempt(async () => {
      const colleagues = await this.session.client.colleagues();
      this.staying = new Set(this.mediators.map(({ credential }) => credential));
      this.fault = null;
      this.asking = { about: 'change', colleagues };
    });
  }

  private submitChange(): void {
    const before = this.mediators;
    const chosen = [...this.staying];
    // People who join have valid keys, or they would not be listed.
    const ended = new Set(before.filter(({ standing }) => standing === 'ended').map(({ credential }) => credential));
    const able = chosen.filter((credential) => !ended.has(credential)).length;
    const isSame = chosen.length === before.length && before.every(({ credential }) => this.staying.has(credential));
    if (able === 0) this.fault = 'needsOne';
    else if (able < this.detail.approvals) this.fault = 'needsTwo';
    else if (isSame) this.fault = 'same';
    else void this.sign(chosen, this.texts.readers.changed);
  }

  private async sign(mediators: readonly Uuid[], said: string): Promise<void> {
    const { case: id, charterVersion } = this.detail;
    const done = await this.attempt(() => this.session.client.changeMediators(id, charterVersion, mediators));
    if (done) this.signed(said, this.leaves(mediators));
  }

  private async letBack(old: Uuid, newer: Uuid): Promise<void> {
    const { case: id, charterVersion } = this.detail;
    const done = await this.attempt(() => this.session.client.replaceKeys(id, charterVersion, old, newer));
    if (done) this.signed(this.texts.readers.letBackDone, false);
  }

  private signed(said: string, left: boolean): void {
    this.asking = null;
    this.session.say(said);
    if (left) this.session.go({ name: 'cases' });
    else this.tell('charter-signed');
  }
}

customElements.define('console-readers', ConsoleReaders);

/** One's own keys: when they expire, their renewal, and moving cases to the new ones. */

import { proxy } from 'comlink';
import { html, nothing, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseOutcome, KnownKeyring, OwnKeys } from '../client/contract';
import '../ui/passphrase';
import type { Choosing, RelayPassphrase } from '../ui/passphrase';
import { day } from '../ui/amounts';
import { ConsoleElement } from './element';
import { allDone, type Reached, renderOutcomes, renderReached } from './outcomes';
import { download } from './saving';

interface Made {
  readonly keyring: KnownKeyring;
  readonly request: string;
}

export class ConsoleKeys extends ConsoleElement {
  static override properties = reactive([], ['own', 'made', 'fault', 'at', 'outcomes']);

  private own: OwnKeys | null = null;
  private made: Made | null = null;
  private fault: { readonly where: 'new' | 'again'; readonly text: string } | null = null;
  private at: Reached = null;
  private outcomes: readonly CaseOutcome[] | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  protected override firstUpdated(): void {
    this.focusHeading();
  }

  private async load(): Promise<void> {
    await this.read(async () => {
      this.own = await this.session.client.ownKeys();
      const { requested } = this.own;
      if (requested?.renewal !== undefined) this.made = { keyring: requested, request: requested.renewal.request };
    });
  }

  protected override render(): TemplateResult {
    const { ownKeys } = this.texts;
    const { own } = this;
    return html`<main id="content">
      <h1 tabindex="-1">${ownKeys.title}</h1>
      ${this.renderRefusal()} ${own === null ? html`<p role="status">${this.reading ? this.texts.loading : nothing}</p>` : this.renderOwn(own)}
    </main>`;
  }

  private renderOwn(own: OwnKeys): TemplateResult {
    const { ownKeys } = this.texts;
    const { outcomes } = this;
    const until = day(own.endsAt, this.session.language);
    return html`<p class=${own.endSoon ? 'note warn' : ''}>${own.endSoon ? ownKeys.soon(until) : ownKeys.until(until)}</p>
      ${own.endSoon || own.next !== null ? nothing : html`<p>${ownKeys.notYet}</p>`}
      ${renderReached(this.texts, this.at)}
      ${outcomes === null ? nothing : renderOutcomes(this.session, outcomes, allDone(outcomes) ? ownKeys.allDone : ownKeys.someFailed)}
      <section>
        <h2>${ownKeys.steps}</h2>
        ${own.next === null ? this.renderMake() : nothing} ${this.renderBring(own)}
      </section>`;
  }

  private renderMake(): TemplateResult {
    const { ownKeys } = this.texts;
    const { made } = this;
    if (made !== null) {
      return html`<section class="note good">
        <h3>${ownKeys.made}</h3>
        <p>${ownKeys.madeWhat}</p>
        <p class="row">
          <button @click=${() => download('relay-request.json', made.request, 'application/json')}>${ownKeys.saveRequest}</button>
          <button @click=${() => download('relay-keyring.age', made.keyring.keyring, 'application/octet-stream')}>${ownKeys.saveKeyring}</button>
        </p>
      </section>`;
    }
    return html`<form class="card" novalidate @submit=${this.make}>
      <h3>${ownKeys.make}</h3>
      <p>${ownKeys.makeWhat}</p>
      <div class="field">
        <label for="renew-name">${ownKeys.name}</label>
        <input id="renew-name" type="text" maxlength="60" autocomplete="off" value=${ownKeys.nameNew} />
      </div>
      <relay-passphrase
        .name=${'renew-passphrase'}
        .label=${ownKeys.passphrase}
        .showLabel=${this.texts.unlock.showPassphrase}
        .choosing=${{ texts: this.texts.shared, language: this.session.language, link: '', suggest: 'six' } satisfies Choosing}
        .hint=${ownKeys.passphraseHint}
        .fault=${this.fault?.where === 'new' ? this.fault.text : null}
        @changed=${() => (this.fault = null)}
      ></relay-passphrase>
      <div class="field">
        <label for="renew-again">${ownKeys.again}</label>
        <input id="renew-again" type="password" autocomplete="new-password" required aria-describedby="renew-again-fault" />
        <p id="renew-again-fault" class="fault" role="alert">${this.fault?.where === 'again' ? this.fault.text : nothing}</p>
      </div>
      <button class="primary" ?disabled=${this.running}>${ownKeys.do}</button>
    </form>`;
  }

  private renderBring({ next, cases }: OwnKeys): TemplateResult {
    const { ownKeys } = this.texts;
    if (next === null) {
      return html`<section class="card">
        <h3>${ownKeys.bring}</h3>
        <p>${ownKeys.bringWaits}</p>
        <button ?disabled=${this.reading} @click=${() => this.load()}>${ownKeys.look}</button>
      </section>`;
    }
    return html`<section class="card">
      <h3>${ownKeys.bring}</h3>
      ${cases === 0
        ? html`<p>${ownKeys.noCases}</p>
            <button class="primary" @click=${() => this.session.lock()}>${ownKeys.lock}</button>`
        : html`<p>${ownKeys.bringWhat(day(next.endsAt, this.session.language))}</p>
            ${next.here ? nothing : html`<p class="note warn">${ownKeys.notHere}</p>`}
            <button class="primary" ?disabled=${this.running} @click=${() => this.bringOver()}>${ownKeys.bringDo(cases)}</button>`}
    </section>`;
  }

  private readonly make = (event: Event): void => {
    event.preventDefault();
    const [name, again] = ['name', 'again'].map((id) => this.querySelector<HTMLInputElement>(`#renew-${id}`));
    const passphrase = this.querySelector<RelayPassphrase>('relay-passphrase');
    const { unlock, ownKeys, shared } = this.texts;
    if (name == null || passphrase == null || again == null) return;
    const { weakness } = passphrase;
    this.fault = null;
    if (weakness !== null) {
      this.fault = { where: 'new', text: passphrase.value === '' ? unlock.makeMissing : shared.weakness[weakness] };
      passphrase.focus();
      return;
    }
    if (passphrase.value !== again.value) {
      this.fault = { where: 'again', text: unlock.makeDiffer };
      again.focus();
      return;
    }
    void this.attempt(async () => {
      const label = name.value.trim() === '' ? ownKeys.nameNew : name.value.trim();
      this.made = await this.session.client.renewKeys(passphrase.value, label, !this.session.handed);
      passphrase.clear();
      again.value = '';
    });
  };

  private async bringOver(): Promise<void> {
    await this.attempt(async () => {
      this.outcomes = await this.session.client.bringOver(proxy((done: number, total: number) => (this.at = { done, total })));
      this.own = await this.session.client.ownKeys();
    });
    this.at = null;
  }
}

customElements.define('console-keys', ConsoleKeys);

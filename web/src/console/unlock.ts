/** Unlocking: sealed keys stored in this browser, a file with them, or new ones; opened with a passphrase. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { asRefusal, isRefusal, type KnownKeyring, type Refusal } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import type { Language } from '../i18n/catalogue';
import '../ui/dialog';
import '../ui/passphrase';
import type { Choosing, RelayPassphrase } from '../ui/passphrase';
import { refusalText } from './element';
import { download } from './saving';
import type { Mediator } from './session';
import type { Texts } from './i18n';

const AGE_FILE = 'age-encryption.org/v1\n';
const KEYRING_MOST_BYTES = 64 * 1024;

export class ConsoleUnlock extends PlainElement {
  static override properties = reactive(
    ['door', 'texts', 'language', 'fingerprint', 'roots', 'handed', 'notice'],
    ['known', 'chosen', 'running', 'refusal', 'fault', 'made', 'forgetting', 'forgettingRoot'],
  );

  /** The worker with the keys, wrapped in a plain object: Lit would take the remote proxy itself for a directive. */
  door!: { readonly client: Mediator };
  texts!: Texts;
  language: Language = 'en';
  /** The root in use. */
  fingerprint = '';
  /** Every root that this browser trusts. */
  roots: readonly string[] = [];
  /** Keys provided by a case system; then nothing is stored and nothing else is offered. */
  handed: KnownKeyring | null = null;
  /** Why the page was locked, if it was open before. */
  notice: string | null = null;
  private known: readonly KnownKeyring[] | null = null;
  private chosen: string | null = null;
  private running = false;
  private refusal: Refusal | null = null;
  private fault: { readonly where: 'import' | 'make' | 'again'; readonly text: string } | null = null;
  private made: { readonly keyring: KnownKeyring; readonly request: string } | null = null;
  private forgetting: KnownKeyring | null = null;
  private forgettingRoot = false;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('fingerprint') || changed.has('handed')) void this.look();
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>('h1')?.focus();
  }

  private async look(): Promise<void> {
    if (this.handed !== null) {
      this.known = [this.handed];
    } else {
      try {
        this.known = (await this.door.client.keyrings()).filter((keyring) => keyring.fingerprint === this.fingerprint);
      } catch (thrown) {
        this.known = [];
        this.refusal = asRefusal(thrown);
      }
    }
    this.chosen = this.known.find((keyring) => keyring.id === this.chosen)?.id ?? this.known[0]?.id ?? null;
  }

  protected override render(): TemplateResult {
    const { unlock } = this.texts;
    return html`<main id="content" class="console-unlock">
      <h1 tabindex="-1">${unlock.title}</h1>
      <p>${unlock.lead}</p>
      ${this.notice === null ? nothing : html`<p class="note" role="status">${this.notice}</p>`}
      ${this.handed === null && this.roots.length > 1 ? this.renderRoots() : nothing}
      ${this.renderRefusal()} ${this.made === null ? nothing : this.renderMade(this.made)} ${this.renderKnown()}
      ${this.handed === null ? html`${this.renderImport()} ${this.renderMake()}` : nothing}
      <p class="quiet">${unlock.fingerprint(this.fingerprint)}</p>
      ${this.forgetting === null ? nothing : this.renderForgetting(this.forgetting)}
      ${this.forgettingRoot ? this.renderForgettingRoot() : nothing}
    </main>`;
  }

  private renderRoots(): TemplateResult {
    const { roots } = this.texts;
    return html`<div class="card">
      <div class="field">
        <label for="root">${roots.choose}</label>
        <select id="root" class="code" @change=${(event: Event) => this.tell('root-chosen', (event.target as HTMLSelectElement).value)}>
          ${this.roots.map((one) => html`<option value=${one} ?selected=${one === this.fingerprint}>${one}</option>`)}
        </select>
      </div>
      <p><button type="button" class="plain" @click=${() => (this.forgettingRoot = true)}>${roots.forget}</button></p>
    </div>`;
  }

  private renderForgettingRoot(): TemplateResult {
    const { roots } = this.texts;
    const forget = (): void => {
      this.forgettingRoot = false;
      this.tell('root-forgotten', this.fingerprint);
    };
    return html`<relay-dialog
      .heading=${roots.forgetTitle}
      .content=${html`<p class="code">${this.fingerprint}</p>
        <p>${roots.forgetWhat}</p>
        <p class="row">
          <button class="grave" @click=${forget}>${roots.forgetYes}</button>
          <button @click=${() => (this.forgettingRoot = false)}>${this.texts.cancel}</button>
        </p>`}
      @dismissed=${() => (this.forgettingRoot = false)}
    ></relay-dialog>`;
  }

  private renderRefusal(): TemplateResult | typeof nothing {
    if (this.refusal === null) return nothing;
    const notVouched = this.refusal.code === 'unknown-signer' || this.refusal.refusal === 'signed-out'; // no session for this key
    return html`<p class="note warn" role="alert">
      ${notVouched ? this.texts.unlock.notVouched : refusalText(this.texts, this.refusal)}
    </p>`;
  }

  private renderKnown(): TemplateResult | typeof nothing {
    const { unlock } = this.texts;
    if (this.known === null) return html`<p role="status">${this.texts.loading}</p>`;
    if (this.known.length === 0) return html`<p>${unlock.none}</p>`;
    const chosen = this.known.find((keyring) => keyring.id === this.chosen);
    return html`<form class="card" @submit=${this.open}>
      ${this.known.length === 1
        ? html`<p><strong>${chosen?.label ?? ''}</strong></p>`
        : html`<div class="field">
            <label for="keyring">${unlock.keyring}</label>
            <select id="keyring" @change=${(event: Event) => (this.chosen = (event.target as HTMLSelectElement).value)}>
              ${this.known.map(
                (keyring) => html`<option value=${keyring.id} ?selected=${keyring.id === this.chosen}>${keyring.label}</option>`,
              )}
            </select>
          </div>`}
      <div class="field">
        <label for="passphrase">${unlock.passphrase}</label>
        <input id="passphrase" type="password" autocomplete="current-password" required />
      </div>
      <p class="row">
        <button class="primary" ?disabled=${this.running}>${unlock.open}</button>
        ${this.handed === null && chosen !== undefined
          ? html`<button type="button" class="plain" @click=${() => (this.forgetting = chosen)}>${unlock.forget}</button>`
          : nothing}
      </p>
      <p role="status">${this.running ? unlock.opening : nothing}</p>
    </form>`;
  }

  private renderImport(): TemplateResult {
    const { unlock } = this.texts;
    return html`<details class="card" ?open=${this.known?.length === 0 && this.made === null}>
      <summary>${unlock.import}</summary>
      <form @submit=${this.importFile}>
        <div class="field">
          <label for="keyring-file">${unlock.importLabel}</label>
          <input id="keyring-file" type="file" required aria-describedby="import-fault" />
          <p id="import-fault" class="fault" role="alert">${this.fault?.where === 'import' ? this.fault.text : nothing}</p>
        </div>
        <div class="field">
          <label for="keyring-name">${unlock.importName}</label>
          <input id="keyring-name" type="text" maxlength="60" aria-describedby="name-hint" autocomplete="off" />
          <small id="name-hint">${unlock.importNameHint}</small>
        </div>
        <button ?disabled=${this.running}>${unlock.importDo}</button>
      </form>
    </details>`;
  }

  private renderMake(): TemplateResult {
    const { unlock } = this.texts;
    return html`<details class="card">
      <summary>${unlock.make}</summary>
      <form @submit=${this.makeKeys}>
        <p>${unlock.makeWhat}</p>
        <div class="field">
          <label for="new-name">${unlock.importName}</label>
          <input id="new-name" type="text" maxlength="60" aria-describedby="new-name-hint" autocomplete="off" />
          <small id="new-name-hint">${unlock.importNameHint}</small>
        </div>
        <relay-passphrase
          .name=${'new-passphrase'}
          .label=${unlock.makePassphrase}
          .showLabel=${unlock.showPassphrase}
          .choosing=${{ texts: this.texts.shared, language: this.language, link: '', suggest: 'six' } satisfies Choosing}
          .hint=${unlock.makePassphraseHint}
          .fault=${this.fault?.where === 'make' ? this.fault.text : null}
          @changed=${() => (this.fault = null)}
        ></relay-passphrase>
        <div class="field">
          <label for="new-again">${unlock.makeAgain}</label>
          <input id="new-again" type="password" autocomplete="new-password" required aria-describedby="again-fault" />
          <p id="again-fault" class="fault" role="alert">${this.fault?.where === 'again' ? this.fault.text : nothing}</p>
        </div>
        <button ?disabled=${this.running}>${unlock.makeDo}</button>
        <p role="status">${this.running ? this.texts.working : nothing}</p>
      </form>
    </details>`;
  }

  private renderMade(made: { readonly keyring: KnownKeyring; readonly request: string }): TemplateResult {
    const { unlock } = this.texts;
    return html`<section class="note good" aria-live="polite">
      <h2>${unlock.made}</h2>
      <p>${unlock.madeWhat}</p>
      <p class="row">
        <button @click=${() => download('relay-request.json', made.request, 'application/json')}>${unlock.saveRequest}</button>
        <button @click=${() => download('relay-keyring.age', made.keyring.keyring, 'application/octet-stream')}>${unlock.saveKeyring}</button>
      </p>
      <p>${unlock.madeThen}</p>
    </section>`;
  }

  private renderForgetting(keyring: KnownKeyring): TemplateResult {
    const { unlock } = this.texts;
    return html`<relay-dialog
      .heading=${unlock.forgetTitle}
      .content=${html`<p><strong>${keyring.label}</strong></p>
        <p>${unlock.forgetWhat}</p>
        <p class="row">
          <button class="grave" @click=${() => this.forget(keyring)}>${unlock.forgetYes}</button>
          <button @click=${() => (this.forgetting = null)}>${this.texts.cancel}</button>
        </p>`}
      @dismissed=${() => (this.forgetting = null)}
    ></relay-dialog>`;
  }

  private readonly open = (event: Event): void => {
    event.preventDefault();
    const field = this.field('passphrase');
    const keyring = this.known?.find((one) => one.id === this.chosen);
    if (keyring === undefined || field.value === '') return;
    void this.attempt(async () => {
      const self = await this.door.client.unlock(keyring, field.value, this.language);
      field.value = '';
      this.tell('unlocked', self);
    }).then((done) => {
      if (!done) field.select();
    });
  };

  private readonly importFile = (event: Event): void => {
    event.preventDefault();
    const file = this.field('keyring-file').files?.[0];
    if (file === undefined) return;
    void this.attempt(async () => {
      const keyring = file.size <= KEYRING_MOST_BYTES ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array();
      if (new TextDecoder('latin1').decode(keyring.subarray(0, AGE_FILE.length)) !== AGE_FILE) {
        this.fault = { where: 'import', text: this.texts.unlock.importBad };
        return;
      }
      const label = this.field('keyring-name').value.trim() || file.name;
      const id = crypto.randomUUID();
      await this.door.client.storeKeyring({ id, label, keyring, fingerprint: this.fingerprint });
      this.chosen = id;
      await this.look();
      await this.updateComplete;
      this.field('passphrase').focus();
    });
  };

  private readonly makeKeys = (event: Event): void => {
    event.preventDefault();
    const passphrase = this.querySelector<RelayPassphrase>('relay-passphrase');
    const again = this.field('new-again');
    const { unlock, shared } = this.texts;
    if (passphrase === null) return;
    const { weakness } = passphrase;
    if (weakness !== null) {
      this.fault = { where: 'make', text: passphrase.value === '' ? unlock.makeMissing : shared.weakness[weakness] };
      passphrase.focus();
      return;
    }
    if (passphrase.value !== again.value) {
      this.fault = { where: 'again', text: unlock.makeDiffer };
      again.focus();
      return;
    }
    const label = this.field('new-name').value.trim() || unlock.keyring;
    void this.attempt(async () => {
      this.made = await this.door.client.makeKeys(passphrase.value, label, this.fingerprint);
      await this.door.client.storeKeyring(this.made.keyring);
      this.chosen = this.made.keyring.id;
      passphrase.clear();
      again.value = '';
      await this.look();
    });
  };

  private async forget(keyring: KnownKeyring): Promise<void> {
    this.forgetting = null;
    await this.attempt(async () => {
      await this.door.client.forgetKeyring(keyring.id);
      await this.look();
    });
  }

  private async attempt(act: () => Promise<void>): Promise<boolean> {
    if (this.running) return false;
    this.running = true;
    this.refusal = null;
    this.fault = null;
    try {
      await act();
      return true;
    } catch (thrown) {
      if (isRefusal(thrown) && thrown.refusal === 'untrusted') this.tell('untrusted');
      else {
        this.refusal = asRefusal(thrown);
        this.tell('unlock-refused', this.refusal);
      }
      return false;
    } finally {
      this.running = false;
    }
  }

  private field(id: string): HTMLInputElement {
    const found = this.querySelector<HTMLInputElement>(`#${id}`);
    if (found === null) throw new TypeError(id);
    return found;
  }
}

customElements.define('console-unlock', ConsoleUnlock);

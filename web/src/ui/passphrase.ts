/**
 * A passphrase field: can be shown, pasted and autofilled. Where a new one is chosen, it says how strong
 * it is and what it still lacks, and suggests random words on request.
 */

import { html, nothing, type TemplateResult } from 'lit';
import { findWeakness, type Weakness } from '../crypto/passphrases';
import type { Catalogue, Language } from '../i18n/catalogue';
import { PlainElement, reactive } from './element';
import { strengthOf, type Strength } from './strength';
import type { en } from './i18n/en';

const METER: Readonly<Record<Strength, number>> = { empty: 0, weak: 1, fair: 2, good: 3, strong: 4 };
const COUNT = { four: 4, six: 6 } as const;

/** What a new passphrase needs. */
export interface Choosing {
  readonly texts: Pick<Catalogue<typeof en>, 'strength' | 'weakness' | 'suggestion'>;
  readonly language: Language;
  /** The address of the link that it protects; empty if there is none. */
  readonly link: string;
  /** How many words are suggested: four if relay limits the attempts, six if somebody could guess offline. */
  readonly suggest: keyof typeof COUNT;
}

export class RelayPassphrase extends PlainElement {
  static override properties = reactive(
    ['name', 'label', 'showLabel', 'choosing', 'hint', 'fault'],
    ['shown', 'value', 'suggested', 'failed'],
  );

  /** The id of the input, so that a page may have two. */
  name = 'passphrase';
  label = '';
  /** The label of the box that shows the characters. */
  showLabel = '';
  /** Only where a new one is chosen. */
  choosing: Choosing | null = null;
  hint: string | null = null;
  fault: string | null = null;
  value = '';
  private shown = false;
  private suggested: string | null = null;
  /** The button stays enabled meanwhile: a disabled one would lose the focus. */
  private suggesting = false;
  private failed = false;

  override focus(): void {
    this.querySelector('input')?.focus();
  }

  /** What a new passphrase lacks. */
  get weakness(): Weakness | null {
    return findWeakness(this.value, this.choosing?.link);
  }

  /** Empties the field, and hides what is typed next. */
  clear(): void {
    this.value = '';
    this.shown = false;
    this.suggested = null;
  }

  protected override render(): TemplateResult {
    const said = `${this.name}-said`;
    // Browsers store the content of text fields for restoring after a crash, unless `autocomplete` is `off`.
    return html`<div class="field">
      <label for=${this.name}>${this.label}</label>
      <input
        id=${this.name}
        type=${this.shown ? 'text' : 'password'}
          autocomplete=${this.shown ? 'off' : this.choosing === null ? 'current-password' : 'new-password'}
        autocapitalize="none"
        spellcheck="false"
        aria-describedby=${said}
        aria-invalid=${this.fault === null ? 'false' : 'true'}
        .value=${this.value}
        @input=${(event: Event) => this.change((event.target as HTMLInputElement).value)}
      />
      <label class="choice"
        ><input type="checkbox" .checked=${this.shown} @change=${() => (this.shown = !this.shown)} /> ${this.showLabel}</label
      >
      <div id=${said}>
        ${this.choosing === null ? nothing : this.renderChoosing(this.choosing)}
        ${this.hint === null ? nothing : html`<p class="quiet">${this.hint}</p>`}
        ${this.fault === null ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
      </div>
      ${this.choosing === null ? nothing : this.renderSuggest(this.choosing)}
    </div>`;
  }

  private renderChoosing({ texts }: Choosing): TemplateResult {
    const strength = strengthOf(this.value);
    const weakness = strength === 'empty' ? null : this.weakness;
    const meter = weakness === null ? METER[strength] : METER.weak;
    const said = this.said(texts, strength, weakness);
    return html`<meter min="0" max="4" low="1.5" high="2.5" optimum="4" .value=${meter} aria-label=${texts.strength.label}></meter>
      <p class="quiet" aria-live="polite">${said === this.fault ? nothing : said}</p>`;
  }

  /** The sentence changes only with its meaning: it is read aloud on change, and not at every key. */
  private said({ strength, weakness, suggestion }: Choosing['texts'], strong: Strength, weak: Weakness | null): string {
    if (this.failed) return suggestion.failed;
    if (this.suggested === this.value) return suggestion.given;
    return weak === null ? strength[strong] : weakness[weak];
  }

  private renderSuggest(choosing: Choosing): TemplateResult {
    return html`<p>
      <button type="button" @click=${() => this.suggest(choosing)}>${choosing.texts.suggestion[choosing.suggest]}</button>
    </p>`;
  }

  private async suggest({ language, suggest }: Choosing): Promise<void> {
    if (this.suggesting) return;
    this.suggesting = true;
    try {
      const { suggestPassphrase } = await import('../crypto/words');
      this.suggested = await suggestPassphrase(language, COUNT[suggest]);
      this.shown = true;
      this.change(this.suggested);
    } catch {
      this.failed = true; // a part of the page could not be loaded: what was typed stays
    } finally {
      this.suggesting = false;
    }
  }

  private change(value: string): void {
    this.value = value;
    this.failed = false;
    this.tell('changed');
  }
}

customElements.define('relay-passphrase', RelayPassphrase);

/** What the console shows around its screens, or in place of one when it cannot be opened. */

import { html, nothing, type TemplateResult } from 'lit';
import type { OwnKeys } from '../client/contract';
import type { Language } from '../i18n/catalogue';
import { renderMark } from '../profile/drawing';
import { inLanguage, type Profile } from '../profile/profile';
import type { Screen } from './screens';
import { day } from '../ui/amounts';
import { SHORTCUTS } from './shortcuts';
import type { Texts } from './i18n';

/** Stages in which there is nothing to do, or only to begin again. */
export type Plain = 'starting' | 'offline' | 'no-fingerprint' | 'not-allowed' | 'no-answer' | 'untrusted';

export function renderPlain(stage: Plain, texts: Texts, isEmbedded: boolean, again: () => void): TemplateResult {
  const { embedding, unlock, untrusted } = texts;
  switch (stage) {
    case 'starting':
      return html`<main id="content"><p role="status">${isEmbedded ? embedding.waiting : texts.loading}</p></main>`;
    case 'offline':
      return plainPage(
        unlock.offline,
        texts.refusal.offline,
        html`<button class="primary" @click=${again}>${texts.again}</button>`,
      );
    case 'not-allowed':
      return plainPage(embedding.notAllowed, embedding.notAllowedWhat);
    case 'no-answer':
      return plainPage(embedding.noAnswer, embedding.noAnswerWhat);
    case 'no-fingerprint':
      return plainPage(unlock.noFingerprint, unlock.noFingerprintWhat);
    case 'untrusted':
      return html`<main id="content" class="untrusted">
        <h1 tabindex="-1">${untrusted.title}</h1>
        <div class="note warn" role="alert">
          <p>${untrusted.what}</p>
          <p>${untrusted.means}</p>
          <p><strong>${untrusted.todo}</strong></p>
        </div>
        <button @click=${() => location.reload()}>${untrusted.again}</button>
      </main>`;
  }
}

function plainPage(heading: string, text: string, act: TemplateResult | typeof nothing = nothing): TemplateResult {
  return html`<main id="content">
    <h1 tabindex="-1">${heading}</h1>
    <p role="alert">${text}</p>
    ${act}
  </main>`;
}

/** The keyboard shortcuts, and whether they are on. */
export function renderHelp(texts: Texts, areOn: boolean, switched: (on: boolean) => void, close: () => void): TemplateResult {
  const { shortcuts } = texts;
  return html`<relay-dialog
    .heading=${shortcuts.title}
    .content=${html`<p>${shortcuts.lead}</p>
      <label class="choice">
        <input type="checkbox" .checked=${areOn} @change=${(event: Event) => { switched((event.target as HTMLInputElement).checked); }} />
        <span>${shortcuts.on}</span>
      </label>
      <table>
        <thead>
          <tr><th scope="col">${shortcuts.key}</th><th scope="col">${shortcuts.does}</th></tr>
        </thead>
        <tbody>
          ${SHORTCUTS.map((one) => html`<tr><td><kbd>${one.key}</kbd></td><td>${shortcuts.names[one.does]}</td></tr>`)}
        </tbody>
      </table>
      <button @click=${close}>${texts.close}</button>`}
    @dismissed=${close}
  ></relay-dialog>`;
}

/** In front of any open dialog, which would hide it otherwise. Any key or touch stays; the button is for people who look for one. */
export function renderIdle({ unlock }: Texts, stay: () => void): TemplateResult {
  return html`<relay-dialog
    .heading=${unlock.idleTitle}
    .content=${html`<p role="alert">${unlock.idleSoon}</p>
      <button class="primary" type="button" @click=${stay}>${unlock.stay}</button>`}
    @dismissed=${stay}
  ></relay-dialog>`;
}

/** In place of the navigation, before the keys are unlocked: whose console this is. */
export function renderTitle(texts: Texts, profile: Profile | null, language: Language): TemplateResult {
  const programme = profile === null ? null : inLanguage(profile, language);
  return html`<div class="row"><span class="mark">${renderMark(programme)}</span><strong>${texts.title}</strong></div>`;
}

export function renderNav(texts: Texts, { name: at }: Screen, go: (screen: Screen) => void): TemplateResult {
  const entry = (screen: Screen, text: string, here: boolean): TemplateResult =>
    html`<button class="plain" aria-current=${here ? 'page' : nothing} @click=${() => { go(screen); }}>${text}</button>`;
  return html`<nav aria-label=${texts.nav.label}>
    ${entry({ name: 'queue' }, texts.nav.queue, at === 'queue' || at === 'review' || at === 'captions')}
    ${entry({ name: 'cases' }, texts.nav.cases, at === 'cases' || at === 'case' || at === 'new-case')}
    ${entry({ name: 'letter' }, texts.nav.letter, at === 'letter')}
    ${entry({ name: 'keys' }, texts.nav.keys, at === 'keys')}
  </nav>`;
}

/** That the keys expire soon, or that new ones are ready; nothing otherwise. */
export function renderKeysEnd({ ownKeys: texts }: Texts, own: OwnKeys, language: Language, see: () => void): TemplateResult | typeof nothing {
  const isReady = own.next !== null && own.cases > 0;
  if (!own.endSoon && !isReady) return nothing;
  return html`<aside class="note warn ends" aria-label=${texts.title}>
    <p>${isReady ? texts.ready : texts.soon(day(own.endsAt, language))}</p>
    <button @click=${see}>${texts.see}</button>
  </aside>`;
}

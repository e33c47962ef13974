/** An action on many cases: its progress, and the outcome for each. */

import { html, type TemplateResult } from 'lit';
import type { CaseOutcome } from '../client/contract';
import { refusalText } from './element';
import { caseName } from './people';
import type { Session } from './session';
import type { Texts } from './i18n';

/** The progress; null while nothing is running. */
export type Reached = { readonly done: number; readonly total: number } | null;

export function renderReached({ ownKeys }: Texts, at: Reached): TemplateResult {
  if (at === null) return html`<p role="status"></p>`;
  const said = ownKeys.progress(at.done, at.total);
  return html`<p role="status">${said}</p>
    <progress max=${at.total} value=${at.done} aria-label=${said}></progress>`;
}

/** Each case with its outcome; `said` summarizes them. */
export function renderOutcomes(session: Session, outcomes: readonly CaseOutcome[], said: string): TemplateResult {
  const { texts, go } = session;
  const failed = outcomes.some(({ refusal }) => refusal !== null);
  return html`<section class=${failed ? 'note warn' : 'note good'}>
    <h2>${texts.ownKeys.results}</h2>
    <p role="status">${said}</p>
    <ul>
      ${outcomes.map(
        ({ case: id, reference, refusal }) => html`<li>
          ${caseName(session, { case: id, reference })}:
          ${refusal === null
            ? texts.ownKeys.ok
            : html`<strong>${texts.ownKeys.failed}</strong> ${refusalText(texts, refusal)}
                <button class="plain" @click=${() => go({ name: 'case', case: id })}>${texts.ownKeys.openCase(caseName(session, { case: id, reference }))}</button>`}
        </li>`,
      )}
    </ul>
  </section>`;
}

/** Whether all succeeded. */
export function allDone(outcomes: readonly CaseOutcome[]): boolean {
  return outcomes.every(({ refusal }) => refusal === null);
}


/** An upload in progress: how far, how fast, how long, and whether the page may be closed. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Refusal, SendingProgress } from '../client/contract';
import { duration, size } from '../ui/amounts';
import { fractionOf } from './fraction';
import { refusalText } from './refusals';
import type { Transfer, Visit } from './visit';

export interface Acts {
  readonly goOn: () => void;
  readonly cancel: () => void;
  /** The input for a file that can no longer be read. */
  readonly fileAgain: TemplateResult;
}

export function renderTransfer(transfer: Transfer, visit: Visit, { goOn, cancel, fileAgain }: Acts): TemplateResult {
  const texts = visit.texts.sending.progress;
  const { progress, state, refusal } = transfer;
  return html`<h1 tabindex="-1">${texts.heading}</h1>
    <section class="card">
      <progress max="1" .value=${fractionOf(progress)} aria-label=${texts.label}></progress>
      ${progress === null ? nothing : html`<p class="row apart">${renderFigures(progress, state === 'running', visit)}</p>`}
      ${state === 'running' ? html`<p role="status"><strong>${texts.stage[progress?.stage ?? 'sealing']}</strong></p>` : nothing}
      ${state === 'paused' ? html`<p role="status"><strong>${texts.paused}</strong></p>` : nothing}
      ${state === 'failed' ? html`<p class="note warn" role="alert">${texts.failed} ${refusal === null ? nothing : whyNot(visit, refusal)}</p>` : nothing}
      ${state === 'failed' && refusal?.refusal === 'file-unreadable' ? fileAgain : nothing}
      <div class="row">
        ${state === 'running'
          ? html`<button type="button" @click=${() => void visit.client.pauseVideo()}>${texts.pause}</button>`
          : refusal?.refusal === 'file-unreadable'
            ? nothing
            : html`<button class="primary" type="button" @click=${goOn}>${texts.goOn}</button>`}
        <button class="plain" type="button" @click=${cancel}>${texts.cancel}</button>
      </div>
    </section>
    ${state === 'running' ? renderSafety(progress, visit) : nothing}`;
}

/** Asks again, in place, for a file that is gone. */
function whyNot(visit: Visit, refusal: Refusal): string {
  return refusal.refusal === 'file-unreadable' ? visit.texts.sending.video.unreadable : refusalText(visit.arriving, refusal);
}

function renderSafety(progress: SendingProgress | null, visit: Visit): TemplateResult {
  const texts = visit.texts.sending.progress;
  if (visit.assistant !== null) return html`<p class="note">${texts.keepOpenAssisted}</p>`;
  const safe = progress?.safeToClose === true;
  return html`<p class=${safe ? 'note good' : 'note'} role="status">${safe ? texts.safe : texts.keepOpen}</p>
    <p class="quiet">${texts.awake}</p>`;
}

function renderFigures(progress: SendingProgress, running: boolean, visit: Visit): TemplateResult {
  const texts = visit.texts.sending.progress;
  const { language } = visit;
  const { bytesPerSecond, secondsLeft } = progress;
  return html`<span>${texts.of(size(progress.sentBytes, language), size(progress.totalBytes, language))}</span>
    ${!running || bytesPerSecond === null ? nothing : html`<span class="quiet">${texts.speed(size(bytesPerSecond, language))}</span>`}
    ${!running || secondsLeft === null ? nothing : html`<span class="quiet">${texts.left(duration(secondsLeft, language))}</span>`}`;
}

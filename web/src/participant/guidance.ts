/** What a mediator said about a message: the coded reason in words, and their own words. */

import { html, nothing, type TemplateResult } from 'lit';
import { reasonForAuthor } from '../words/reasons';
import type { Visit } from './visit';

export interface Guidance {
  readonly reason: string | null;
  readonly words: string;
}

export function guidanceText({ reason, words }: Guidance, visit: Visit): TemplateResult {
  const sentence = reason === null ? null : reasonForAuthor(visit.words.reasons, reason);
  return html`${sentence === null ? nothing : html`<p><strong>${sentence}</strong></p>`}
    <p class="said">${words === '' ? visit.words.home.sent[visit.arrival.purpose === 'upload' ? 'onlyReason' : 'noWords'] : words}</p>`;
}

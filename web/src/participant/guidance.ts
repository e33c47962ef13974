/** A mediator's guidance on a message: the sentence of the coded reason, and their own words. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Guidance } from '../client/contract';
import { reasonForAuthor } from '../i18n/reasons';
import type { Visit } from './visit';

export type { Guidance };

export function guidanceText({ reason, words, older }: Guidance, visit: Visit): TemplateResult {
  const { sent } = visit.texts.home;
  const none = visit.arrival.purpose === 'upload' ? sent.onlyReason : sent.noWords;
  const sentence = reason === null ? null : reasonForAuthor(visit.texts.reasons, reason);
  return html`${sentence === null ? nothing : html`<p><strong>${sentence}</strong></p>`}
    ${older ? html`<p>${sent.guidanceOlder}</p>` : nothing}
    ${words === '' && older ? nothing : html`<p class="said">${words === '' ? none : words}</p>`}`;
}

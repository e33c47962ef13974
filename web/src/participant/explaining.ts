/** What this is, what happens next, how to leave and who to call: the same words wherever they stand. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Arrival } from '../client/contract';
import type { Arriving } from './words';

/** `arrival`: who can open what is sent in this case; null while that is not known yet. */
export function whatThisIs(words: Arriving, arrival: Pick<Arrival, 'takesVideo' | 'hasRecovery'> | null): TemplateResult {
  return html`<p>${words.what.one}</p>
    <p>${words.what.two}${arrival === null ? nothing : html` ${whoElseOpens(words, arrival)}`}</p>
    <p class="note">${words.what.voluntary}</p>`;
}

/** Who besides mediators and the other person can open something, and that nobody else can. */
function whoElseOpens({ what }: Arriving, { takesVideo, hasRecovery }: Pick<Arrival, 'takesVideo' | 'hasRecovery'>): string {
  return [takesVideo ? what.worker : [], hasRecovery ? what.recovery : [], what.nobodyElse].flat().join(' ');
}

export function whatHappensNext(words: Arriving): TemplateResult {
  return html`<section class="card">
    <h2>${words.next.heading}</h2>
    <ol>
      ${words.next.steps.map((step) => html`<li>${step}</li>`)}
    </ol>
    <p>${words.next.others}</p>
  </section>`;
}

export function whoToCall(words: Arriving): TemplateResult {
  return html`<section class="card">
    <h2>${words.help.heading}</h2>
    <p>${words.help.mediator}</p>
    <p>${words.help.emergency} <a class="tel" href="tel:911">9-1-1</a>.</p>
    <p>${words.help.crisis} <a class="tel" href="tel:988">9-8-8</a>. ${words.help.crisisWhen}</p>
  </section>`;
}

export function howToLeave(words: Arriving, assisted: boolean): TemplateResult {
  return html`<section class="card">
    <h2>${words.exit.heading}</h2>
    <p>${assisted ? words.exit.assisted : words.exit.text}</p>
  </section>`;
}

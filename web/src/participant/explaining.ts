/** What this is, what happens next, how to leave and who to call: the same text wherever it appears. */

import { html, type TemplateResult } from 'lit';
import type { Arrival } from '../client/contract';
import type { Arriving } from './i18n';

export function whatThisIs({ what }: Arriving): TemplateResult {
  return html`<p>${what.one}</p>
    <p>${what.two}</p>
    <p class="note">${what.voluntary}</p>`;
}

/**
 * Who can open what is sent in this case. `arrival` is null while the link is looked up: the text may grow later, so
 * no button is below it.
 */
export function whoCanOpen({ opens }: Arriving, arrival: Pick<Arrival, 'takesVideo' | 'hasRecovery'> | null): TemplateResult {
  const also = arrival === null ? [] : [arrival.takesVideo ? opens.worker : [], arrival.hasRecovery ? opens.recovery : [], opens.nobodyElse].flat();
  return html`<section class="card">
    <h2>${opens.heading}</h2>
    <p>${opens.people}</p>
    ${also.map((sentence) => html`<p>${sentence}</p>`)}
  </section>`;
}

export function whatHappensNext(texts: Arriving): TemplateResult {
  return html`<section class="card">
    <h2>${texts.next.heading}</h2>
    <ol>
      ${texts.next.steps.map((step) => html`<li>${step}</li>`)}
    </ol>
    <p>${texts.next.others}</p>
  </section>`;
}

export function whoToCall(texts: Arriving): TemplateResult {
  return html`<section class="card">
    <h2>${texts.help.heading}</h2>
    ${numbers(texts)}
  </section>`;
}

/** The same, collapsed, below a page for writing, reading or deciding. */
export function whoToCallAtHand(texts: Arriving): TemplateResult {
  return html`<details class="card after">
    <summary>${texts.help.heading}</summary>
    ${numbers(texts)}
  </details>`;
}

function numbers({ help }: Arriving): TemplateResult {
  return html`<p>${help.mediator}</p>
    <p>${help.emergency} <a class="tel" href="tel:911">9-1-1</a>.</p>
    <p>${help.crisis} <a class="tel" href="tel:988">9-8-8</a>. ${help.crisisWhen}</p>`;
}

export function howToLeave(texts: Arriving, assisted: boolean): TemplateResult {
  return html`<section class="card">
    <h2>${texts.exit.heading}</h2>
    <p>${assisted ? texts.exit.assisted : texts.exit.text}</p>
  </section>`;
}

/** The offer to switch to assisted mode. */
export function assistedSwitch({ assistedSwitch: { heading, text, button } }: Arriving, assist: () => void): TemplateResult {
  return html`<section class="card">
    <h2>${heading}</h2>
    <p>${text}</p>
    <p><button type="button" @click=${assist}>${button}</button></p>
  </section>`;
}

/** What this is, what happens next, how to leave and who to call: the same text wherever it appears. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Arrival, AuthorView } from '../client/contract';
import { renderContact, renderCrisisLines } from '../profile/drawing';
import type { Programme } from '../profile/profile';
import type { Arriving } from './i18n';

/** The step in which a mediator reads. */
const REVIEW = 1;

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
      ${texts.next.steps.map((step, at) => html`<li>${at === REVIEW ? together(step, texts.programme?.reviewTime) : step}</li>`)}
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

function numbers({ help, programme, shared: { calls } }: Arriving): TemplateResult {
  return html`<p>${help.mediator}</p>
    ${programme === null ? nothing : html`${renderCrisisLines(calls, programme)} ${renderContact(calls, programme)}`}`;
}

/** Sentences one after the other, without those that are not there. */
export function together(...sentences: readonly (string | undefined)[]): string {
  return sentences.filter((sentence) => sentence !== undefined && sentence !== '').join(' ');
}

/** What comes next for the author of a message: during a review, how long one takes. */
export function whatComesNext(view: AuthorView, next: string, programme: Programme | null): string {
  return together(view === 'in-review' ? programme?.reviewTime : undefined, next);
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

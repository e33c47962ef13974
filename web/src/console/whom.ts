/** Who something is for: what relay knows of them, and apart from it the name that the embedding page gives. */

import { html, nothing, type TemplateResult } from 'lit';
import { isolated } from './names';
import { person, roleOf, shortId, type Calling, type Somebody } from './people';

/** Role and mark first, then the name with what it is worth; if there is no name, the role alone. */
export function renderWhom(calling: Calling, who: Somebody): TemplateResult {
  const { texts, names } = calling;
  return names.participant(who.participant) === null
    ? html`<p><strong>${person(calling, who)}</strong></p>`
    : html`<p><strong>${roleOf(texts, who)}</strong>, ${texts.finding.mark(shortId(who.participant))}</p>
        ${renderName(calling, who)}`;
}

/** The same where a heading has said the role; nothing if there is no name. */
export function renderCalled(calling: Calling, who: Somebody): TemplateResult | typeof nothing {
  return calling.names.participant(who.participant) === null ? nothing : html`<div class="note called">${renderWhom(calling, who)}</div>`;
}

function renderName({ texts: { people }, names }: Calling, { participant }: Somebody): TemplateResult {
  const earlier = names.earlier(participant);
  return html`<p>${people.called} <strong><bdi>${names.participant(participant)}</bdi></strong></p>
    ${earlier.length === 0
      ? nothing
      : html`<p class="note warn" role="alert">${people.calledBefore(earlier.map(isolated).join(', '))}</p>`}
    <p class="quiet">${people.calledNote}</p>`;
}

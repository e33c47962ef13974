/** How a profile is drawn: its name and logo, whom to call, how to reach the programme, and its colours. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Catalogue } from '../i18n/catalogue';
import type { en } from '../ui/i18n/en';
import type { Colours, Programme, Telephone } from './profile';

type Calls = Catalogue<(typeof en)['calls']>;

export function renderMark(programme: Programme | null): TemplateResult | typeof nothing {
  if (programme === null) return nothing;
  return html`${programme.logo === null ? nothing : renderLogo(programme.logo)}<span>${programme.name}</span>`;
}

/** The name is beside it: a picture that does not come is missed by nobody. */
function renderLogo({ path, width, height }: NonNullable<Programme['logo']>): TemplateResult {
  return html`<img class="logo" alt="" src=${path} width=${width} height=${height} @error=${showIf(false)} @load=${showIf(true)} />`;
}

const showIf = (shown: boolean) => (event: Event) => {
  (event.target as HTMLElement).hidden = !shown;
};

/** The crisis lines, a paragraph each. */
export function renderCrisisLines(texts: Calls, { crisisLines }: Programme): TemplateResult[] {
  return crisisLines.map((line) => html`<p>${texts.line(line.name)} ${renderTelephone(line.telephone)}. ${line.note} ${line.hours}</p>`);
}

/** How to reach the programme; nothing if it says nothing of that. */
export function renderContact(texts: Calls, programme: Programme): TemplateResult | typeof nothing {
  const { name, telephone, email, address, hours } = programme;
  if (telephone === null && email === null && address === null && hours === null) return nothing;
  return html`<p class="reached">${texts.programme(name)}</p>
    <ul class="plain">
      ${telephone === null ? nothing : html`<li>${renderTelephone(telephone)}</li>`}
      ${email === null ? nothing : html`<li><a class="address" href="mailto:${email}">${email}</a></li>`}
      ${hours === null ? nothing : html`<li>${hours}</li>`}
      ${address === null ? nothing : html`<li class="lines-kept">${address}</li>`}
    </ul>`;
}

function renderTelephone({ shown, dial }: Telephone): TemplateResult {
  return html`<a class="tel" href="tel:${dial}">${shown}</a>`;
}

/** The style sheet takes these where they are set, and has its own otherwise. */
export function paint(colours: Colours | null, style: CSSStyleDeclaration = document.documentElement.style): void {
  for (const scheme of ['light', 'dark'] as const) {
    for (const name of ['accent', 'accent_ink', 'accent_wash', 'focus'] as const) {
      const property = `--${scheme}-${name.replace('_', '-')}`;
      if (colours === null) style.removeProperty(property);
      else style.setProperty(property, colours[scheme][name]);
    }
  }
}

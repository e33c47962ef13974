/** Problem pages: each says what happened, that nothing is lost, and what to do. */

import { html, nothing, type TemplateResult } from 'lit';
import { PlainElement, reactive } from '../ui/element';
import { whoToCall } from './explaining';
import type { Problem } from './problem-of';
import type { Arriving } from './i18n';

export class RelayProblem extends PlainElement {
  static override properties = reactive(['texts', 'problem']);

  texts!: Arriving;
  problem: Problem = 'unexpected';

  protected override render(): TemplateResult {
    const { texts, problem } = this;
    const said = texts.problem[problem];
    const again = problem === 'offline' || problem === 'busy' || problem === 'unexpected';
    return html`<h1 tabindex="-1">${said.heading}</h1>
      <div class=${problem === 'untrusted' ? 'note warn' : 'note'}>
        <p>${said.text}</p>
        ${'nothing' in said ? html`<p><strong>${said.nothing}</strong></p>` : nothing}
        <p>${said.todo}</p>
      </div>
      ${again ? html`<p><button class="primary" type="button" @click=${() => this.tell('again')}>${texts.problem.again}</button></p>` : nothing}
      ${whoToCall(texts)}`;
  }
}

customElements.define('relay-problem', RelayProblem);

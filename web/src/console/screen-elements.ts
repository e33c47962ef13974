/** The element of each screen, and its title in the tab. */

import { html, type TemplateResult } from 'lit';
import type { Texts } from './i18n';
import type { Screen } from './screens';
import type { Session } from './session';

export function screenTitle(texts: Texts, screen: Screen): string {
  switch (screen.name) {
    case 'queue':
      return texts.queue.title;
    case 'review':
      return texts.case.messages;
    case 'captions':
      return texts.captions.title;
    case 'cases':
      return texts.cases.title;
    case 'case':
      return texts.review.case;
    case 'new-case':
      return texts.newCase.title;
    case 'letter':
      return texts.letter.title;
    case 'keys':
      return texts.ownKeys.title;
  }
}

export function renderScreen(screen: Screen, session: Session): TemplateResult {
  switch (screen.name) {
    case 'queue':
      return html`<console-queue data-screen .session=${session}></console-queue>`;
    case 'review':
      return html`<console-review data-screen .session=${session} .message=${screen.message}></console-review>`;
    case 'captions':
      return html`<console-captions data-screen .session=${session} .message=${screen.message}></console-captions>`;
    case 'cases':
      return html`<console-cases data-screen .session=${session}></console-cases>`;
    case 'case':
      return html`<console-case data-screen .session=${session} .case=${screen.case} .claim=${screen.claim ?? null}></console-case>`;
    case 'new-case':
      return html`<console-new-case data-screen .session=${session} .registered=${screen.case ?? null}></console-new-case>`;
    case 'letter':
      return html`<console-letter data-screen .session=${session} .given=${screen.case ?? null}></console-letter>`;
    case 'keys':
      return html`<console-keys data-screen .session=${session}></console-keys>`;
  }
}

/** Which element shows which screen; each is loaded when somebody first goes there. */

import { html, type TemplateResult } from 'lit';
import type { Screen, Visit } from './visit';

const ELEMENTS: Readonly<Record<Screen['name'], () => Promise<unknown>>> = {
  home: () => import('./home'),
  choose: () => Promise.all([import('./choose'), import('./message')]),
  write: () => import('./write'),
  video: () => import('./video'),
  sent: () => import('./sent'),
  message: () => import('./message'),
  waiting: () => import('./waiting'),
  'taking-part': () => import('./taking-part'),
};

export function loadScreen(screen: Screen): Promise<unknown> {
  return ELEMENTS[screen.name]();
}

export function renderScreen(screen: Screen, visit: Visit): TemplateResult {
  switch (screen.name) {
    case 'home':
      return html`<relay-home .visit=${visit}></relay-home>`;
    case 'choose':
      return html`<relay-choose .visit=${visit}></relay-choose>`;
    case 'write':
      return html`<relay-write .visit=${visit} .screen=${screen}></relay-write>`;
    case 'video':
      return html`<relay-video .visit=${visit} .screen=${screen}></relay-video>`;
    case 'sent':
      return html`<relay-sent .visit=${visit} .screen=${screen}></relay-sent>`;
    case 'message':
      return html`<relay-message .visit=${visit} .screen=${screen}></relay-message>`;
    case 'waiting':
      return html`<relay-waiting .visit=${visit} .screen=${screen}></relay-waiting>`;
    case 'taking-part':
      return html`<relay-taking-part .visit=${visit}></relay-taking-part>`;
  }
}

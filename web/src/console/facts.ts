/** What is known of a message apart from its content: its kind, its author, and the decisions so far. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Access, Fault, History, Origin, ReadDecision, ReviewItem } from '../client/contract';
import { beginning, day, moment } from '../ui/amounts';
import { clock } from '../i18n/clock';
import { waitsForAnother } from './choices';
import { brokenText } from './element';
import { capital, caseName, mediator, recipient, recipientOf, sender, shortId } from './people';
import { reasonText } from './reasons';
import type { Session } from './session';
import { renderWhom } from './whom';

export function renderFacts(session: Session, item: ReviewItem): TemplateResult {
  const { review, state, inLanguage, queue } = session.texts;
  const { language } = session;
  return html`<section class="card">
    <h2>${review.facts}</h2>
    <dl class="facts-list">
      <dt>${review.case}</dt>
      <dd><button class="plain inline" @click=${() => session.go({ name: 'case', case: item.case })}>${caseName(session, item)}</button></dd>
      <dt>${review.from}</dt>
      <dd>${sender(session, item)}</dd>
      <dt>${review.to}</dt>
      <dd>${recipient(session, item)}</dd>
      <dt>${review.language}</dt>
      <dd>${inLanguage[item.language]}</dd>
      <dt>${review.state}</dt>
      <dd>
        ${item.state === 'queued' && waitsForAnother(item) ? review.waitsForAnother : state[item.state]}${item.approvalsNeeded > 1 ? html`, ${queue.approvals(item.approvals, item.approvalsNeeded)}` : nothing}
      </dd>
      <dt>${review.sent}</dt>
      <dd>${moment(item.createdAt, language)}</dd>
      <dt>${review.revision}</dt>
      <dd>${item.revision}</dd>
      ${item.video === null ? nothing : html`<dt>${review.length}</dt><dd>${clock(item.video.durationMs / 1000)}</dd>`}
    </dl>
    ${item.withdrawalAsked ? html`<p class="note warn">${review.withdrawalAsked}</p>` : nothing}
    ${item.offered === null
      ? nothing
      : html`<p>
          ${review.offered(moment(item.offered.at, language))}
          ${item.offered.notBefore === null ? nothing : review.offeredLater(moment(item.offered.notBefore, language))}
        </p>
        ${renderNote(review.offeredNote, item.offered.notes?.contentNote)} ${renderNote(review.offeredSummary, item.offered.notes?.summary)}`}
  </section>`;
}

function renderNote(heading: string, note: string | null | undefined): TemplateResult | typeof nothing {
  return note == null ? nothing : html`<h3>${heading}</h3><blockquote class="letter">${note}</blockquote>`;
}

/** Identifies the message, so that it is not confused with another: kind and time, author, first words. */
export function renderSubject(session: Session, item: ReviewItem, text: string | null): TemplateResult {
  const { review, kind } = session.texts;
  const at = moment(item.createdAt, session.language);
  const name = item.revision === 1 ? review.named(kind[item.form], at) : review.namedVersion(kind[item.form], at, item.revision);
  const begins = text === null ? '' : beginning(text);
  return html`<div class="subject">
    <p><strong>${name}</strong></p>
    <p>
      ${review.fromTo(sender(session, item), recipient(session, item))}<br />
      ${review.ofCase(caseName(session, item))}
    </p>
    ${item.video === null ? nothing : html`<p>${review.lasts(clock(item.video.durationMs / 1000))}</p>`}
    ${begins === '' ? nothing : html`<p>${review.begins} <q lang=${item.language}>${begins}</q></p>`}
  </div>`;
}

/** How the recipient receives what is offered to them, and whether they are known to read its language. */
export function renderAccess(session: Session, item: ReviewItem, access: Access): TemplateResult {
  const { review, inLanguage } = session.texts;
  const { way, wroteIn } = access;
  const [first, second] = wroteIn.map((language) => inLanguage[language]);
  const language = inLanguage[item.language];
  const differs = first !== undefined && !wroteIn.includes(item.language);
  return html`<p>${'since' in way ? review.accessWay[way.by](day(way.since, session.language)) : review.accessWay[way.by]}</p>
    ${access.hasUploadLink ? html`<p>${review.accessUpload}</p>` : nothing}
    ${access.assisted === null ? nothing : html`<p>${access.assisted ? review.accessAssisted : review.accessAlone}</p>`}
    <p>
      ${first === undefined ? review.accessWroteNothing : review.accessWrote(second === undefined ? first : review.and(first, second))}
      ${differs ? nothing : review.accessLanguage(language)}
    </p>
    ${differs ? html`<p class="note warn">${review.accessDiffers(language)}</p>` : nothing}`;
}

/** Who receives an offer, shown where it is made. */
export function renderGoing(session: Session, item: ReviewItem, history: History | 'failed' | null): TemplateResult {
  const { texts } = session;
  const way =
    history === null
      ? html`<p role="status">${texts.loading}</p>`
      : history === 'failed'
        ? html`<p class="note warn">${texts.review.historyFailed}</p>`
        : renderAccess(session, item, history.access);
  return html`<div class="note">${renderWhom(session, recipientOf(item))} ${way}</div>`;
}

export function renderOrigin(session: Session, item: ReviewItem): TemplateResult {
  const { review, people } = session.texts;
  const { origin } = item;
  return html`<section class="card">
    <h2>${review.originTitle}</h2>
    <p>${origin === null ? review.notToldWho : originText(session, origin, sender(session, item))}</p>
    ${origin === null || origin.by === 'mediator' || origin.assistant === null
      ? nothing
      : html`<p>${review.assistant} <bdi>${origin.assistant}</bdi></p>`}
    ${item.preparedBy === null ? nothing : html`<p>${review.preparedBy(people.worker(shortId(item.preparedBy)))}</p>`}
    ${item.faults.length === 0 ? html`<p class="verified">${review.verified}</p>` : nothing}
  </section>`;
}

/** What is invalid in a message, in sentences, and what can be done; nothing if all is valid. */
export function renderFaults({ texts }: Session, { faults, kind }: ReviewItem): TemplateResult | typeof nothing {
  const { broken } = texts;
  if (faults.length === 0) return nothing;
  return html`<section class="note warn" role="alert">
    <h2>${broken.title}</h2>
    <ul>
      ${faults.map((fault) => html`<li>${brokenText(texts, fault)}</li>`)}
    </ul>
    <p>${broken.possible} ${kind === 'video' && faults.some(({ record }) => record === 'captions') ? broken.captions : nothing}</p>
    <p>${broken.rest}</p>
  </section>`;
}

export function renderDecisions(session: Session, item: ReviewItem): TemplateResult {
  const { review } = session.texts;
  return html`<section class="card">
    <h2>${review.decisions}</h2>
    ${item.decisions.length === 0
      ? html`<p>${review.noDecisions}</p>`
      : html`<ol class="decisions">
          ${item.decisions.map((past) => html`<li>${'fault' in past ? renderBrokenDecision(session, past.fault) : renderDecision(session, past)}</li>`)}
        </ol>`}
  </section>`;
}

function renderBrokenDecision({ texts }: Session, fault: Fault): TemplateResult {
  return html`<p>${texts.broken.decision} ${texts.fault[fault].is}</p>`;
}

function renderDecision(session: Session, past: ReadDecision): TemplateResult {
  const { review, decision, broken, fault } = session.texts;
  const names: Readonly<Record<string, string>> = decision;
  return html`<p>
      <strong>${names[past.decision] ?? past.decision}</strong>
      ${past.reason === null ? nothing : html`(${reasonText(session.reasons, past.decision, past.reason)})`}<br />
      <span class="quiet"
        >${mediator(session, past.mediator)}, ${moment(past.at, session.language)},
        ${past.current ? review.decidedCurrent : review.decidedOther}</span
      >
    </p>
    ${past.words === null ? nothing : html`<blockquote class="letter">${past.words}</blockquote>`}
    ${past.wordsFault === null ? nothing : html`<p>${broken.words} ${fault[past.wordsFault].is}</p>`}`;
}

function originText(session: Session, origin: Origin, who: string): string {
  const { review } = session.texts;
  switch (origin.by) {
    case 'participant': {
      if (origin.claimVerifiedBy === null) return review.originUnverified(who);
      const you = origin.claimVerifiedBy === session.self.credential;
      return review.originParticipant(who, you ? review.checkedByYou : capital(mediator(session, origin.claimVerifiedBy)));
    }
    case 'upload-link':
      return review.originUpload(who);
    case 'mediator':
      return review.originMediator(who, mediator(session, origin.mediator));
  }
}

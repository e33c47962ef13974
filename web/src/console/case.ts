/** One case: its people, what they said, their links and keys, its messages, and what happened. */

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { reactive } from '../ui/element';
import type { CaseDetail, CaseLink, Consent, LinkEndReason, Purpose, QueueItem, Refusal, Uuid } from '../client/contract';
import './address';
import type { Address } from './address';
import { day, moment } from '../ui/amounts';
import { ageOf } from './ages';
import './claim';
import '../ui/dialog';
import { ConsoleElement, grantedText } from './element';
import './ending';
import './holds';
import { caseName, mediator, person, recipient, sender, shortId, type Somebody } from './people';
import './readers';
import './timeline';
import { renderCalled } from './whom';

type Participant = CaseDetail['participants'][number];

/** An open question in front of the page. */
type Asking =
  | { readonly about: 'closing' }
  | { readonly about: 'consent'; readonly who: Participant }
  | { readonly about: 'new-link'; readonly who: Participant }
  | { readonly about: 'grant-again'; readonly who: Participant }
  | { readonly about: 'claim'; readonly link: CaseLink }
  | { readonly about: 'end-link'; readonly link: CaseLink; readonly only: LinkEndReason | null };

const CONSENTS = ['active', 'paused', 'withdrawn'] as const satisfies readonly Consent[];

export class ConsoleCase extends ConsoleElement {
  static override properties = reactive(['case', 'claim'], ['detail', 'messages', 'asking', 'address', 'printing']);

  case: Uuid = '';
  /** The link whose claim is asked about once the case has loaded; null for none. */
  claim: Uuid | null = null;
  private detail: CaseDetail | null = null;
  private messages: readonly QueueItem[] | null = null;
  private asking: Asking | null = null;
  private address: Address | null = null;
  private printing = false;

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('case')) return;
    this.detail = null;
    this.messages = null;
    this.session.entitle((texts) => texts.review.case);
    void this.read(() => this.load()).then(() => {
      const link = this.detail?.links.find((one) => one.link === this.claim && one.state === 'claimed');
      if (link !== undefined) this.asking = { about: 'claim', link };
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('detail') && changed.get('detail') === null) this.focusHeading();
  }

  /** A case that was only registered is opened first, wherever its address came from. */
  protected override refused(refusal: Refusal): void {
    if (refusal.refusal === 'not-opened') this.session.replace({ name: 'new-case', case: this.case });
    else super.refused(refusal);
  }

  private async load(): Promise<void> {
    const detail = await this.session.client.case(this.case);
    this.detail = detail;
    this.session.entitle((texts) => texts.case.title(detail.reference));
    this.messages = await this.session.client.messages(this.case);
  }

  /** Runs an action, announces that it was done, and shows the updated case. */
  private async act(run: () => Promise<string>): Promise<void> {
    this.asking = null;
    await this.attempt(async () => {
      const sentence = await run();
      if (sentence !== '') this.session.say(sentence);
      await this.load();
    });
  }

  private somebody(id: Uuid): Somebody {
    return this.detail?.participants.find((one) => one.participant === id) ?? { participant: id, role: null, number: null };
  }

  private who(id: Uuid): string {
    return person(this.session, this.somebody(id));
  }

  /** A button's name with the person it is for: several on the page have the same text. */
  private about(act: string, what: string): string {
    return this.texts.lists.about(act, what);
  }

  private makeLink(who: Participant, purpose: Purpose, ending: readonly CaseLink[] = []): Promise<void> {
    return this.act(async () => {
      for (const old of ending) await this.session.client.endLink(this.case, old.link, 'replaced');
      const { url } = await this.session.client.makeLink(this.case, who.participant, purpose);
      this.address = { url, purpose, who, case: this.case, reference: this.detail?.reference ?? '' };
      return '';
    });
  }

  private async showLink(who: Participant, link: CaseLink, printing: boolean): Promise<void> {
    await this.attempt(async () => {
      const url = await this.session.client.linkAddress(this.case, link.link);
      this.address = { url, purpose: link.purpose, who, case: this.case, reference: this.detail?.reference ?? '' };
      this.printing = printing;
    });
  }

  protected override render(): TemplateResult {
    const { detail } = this;
    const { case: texts } = this.texts;
    if (detail === null) {
      return html`<main id="content" class="wide">
        ${this.renderRefusal()} ${this.refusal === null ? html`<p role="status">${this.texts.loading}</p>` : nothing}
      </main>`;
    }
    if (this.printing && this.address !== null) {
      return html`<main id="content">
        <h1 class="no-print" tabindex="-1">${texts.sheet}</h1>
        <console-sheet .session=${this.session} .address=${this.address} @put-away=${() => this.putAway()}></console-sheet>
      </main>`;
    }
    return html`<main id="content" class="wide">
      <p class="back"><button class="plain" @click=${() => this.session.go({ name: 'cases' })}>← ${this.texts.nav.cases}</button></p>
      <h1 tabindex="-1">${texts.title(caseName(this.session, detail))}</h1>
      ${this.renderRefusal()} ${this.renderClosed(detail)}
      <div class="beside">
        <div>${this.renderPeople(detail)}</div>
        <div>${this.renderMessages()} ${this.renderRules(detail)} ${this.renderReaders(detail)}</div>
      </div>
      <console-timeline .session=${this.session} .case=${this.case} .people=${detail.participants}></console-timeline>
      ${this.asking === null ? nothing : this.renderAsking(this.asking, detail)}
      ${this.address === null
        ? nothing
        : html`<console-address
            .session=${this.session}
            .address=${this.address}
            @put-away=${() => this.putAway()}
            @print-sheet=${() => (this.printing = true)}
          ></console-address>`}
    </main>`;
  }

  private putAway(): void {
    if (this.printing) this.printing = false;
    this.address = null;
  }

  private renderPeople(detail: CaseDetail): TemplateResult {
    const { case: texts } = this.texts;
    const kept = detail.pairs.filter((pair) => pair.noContact);
    return html`<section>
      <h2>${texts.people}</h2>
      ${kept.map((pair) => html`<p class="note warn">${texts.noContactBetween(this.who(pair.one), this.who(pair.other))}</p>`)}
      ${detail.participants.map((one) => this.renderPerson(one, detail))}
      <p><button @click=${() => this.session.go({ name: 'letter', case: this.case })}>${texts.relayLetter}</button></p>
    </section>`;
  }

  private renderPerson(one: Participant, detail: CaseDetail): TemplateResult {
    const { case: texts } = this.texts;
    const said = texts.consent[one.consent ?? 'none'];
    const id = shortId(one.participant);
    const act = (text: string, run: () => unknown, busy = false): TemplateResult =>
      html`<button aria-label=${this.about(text, this.who(one.participant))} aria-disabled=${busy ? 'true' : nothing} @click=${run}>${text}</button>`;
    return html`<section class="card" aria-labelledby="person-${id}">
      <h3 id="person-${id}">${this.who(one.participant)}</h3>
      <ul class="plain-list">
        <li>${one.consentAt === null ? said : texts.consentSince(said, day(one.consentAt, this.session.language))}</li>
        <li>${texts.keys[one.keys]}</li>
        <li class="quiet">${texts.mark(id)}</li>
      </ul>
      <div class="row">
        ${act(texts.recordConsent, () => (this.asking = { about: 'consent', who: one }))}
        ${one.keys === 'none'
          ? act(texts.makeParticipate, () => this.makeLink(one, 'participate'), this.running)
          : html`${act(texts.newLink, () => (this.asking = { about: 'new-link', who: one }))}
            ${act(texts.grantAgain, () => (this.asking = { about: 'grant-again', who: one }))}`}
        ${act(texts.makeUpload, () => this.makeLink(one, 'upload'), this.running)}
      </div>
      <h4>${texts.linksOf}</h4>
      ${this.renderLinks(one, detail.links.filter((link) => link.participant === one.participant))}
    </section>`;
  }

  private renderRules(detail: CaseDetail): TemplateResult {
    const { case: texts } = this.texts;
    return html`<section class="card">
      <h2>${texts.rules}</h2>
      <dl class="facts-list">
        <dt>${texts.approvals}</dt>
        <dd>${detail.approvals}</dd>
        <dt>${texts.captions}</dt>
        <dd>${detail.captionsRequired ? texts.captionsRequired : texts.captionsOptional}</dd>
        <dt>${texts.videos}</dt>
        <dd>${detail.serverProcessing ? texts.videosTaken : texts.videosNotTaken}</dd>
        <dt>${texts.retention}</dt>
        <dd>${texts.days(detail.retentionDays)}</dd>
      </dl>
      ${detail.closedAt === null ? html`<p><button @click=${() => (this.asking = { about: 'closing' })}>${texts.close}</button></p>` : nothing}
    </section>`;
  }

  private renderClosed(detail: CaseDetail): TemplateResult | typeof nothing {
    const { case: texts } = this.texts;
    if (detail.closedAt === null) return nothing;
    return html`<section class="note">
      <p>${texts.closedSince(day(detail.closedAt, this.session.language))}</p>
      <console-holds .session=${this.session} .detail=${detail}></console-holds>
      <p><button aria-disabled=${this.running ? 'true' : nothing} @click=${() => this.setClosed(false)}>${texts.reopen}</button></p>
    </section>`;
  }

  private setClosed(closed: boolean): Promise<void> {
    const { case: texts } = this.texts;
    return this.act(async () => {
      await this.session.client.setClosed(this.case, closed);
      return closed ? texts.closed : texts.reopened;
    });
  }

  private renderMessages(): TemplateResult {
    const { case: texts, lists } = this.texts;
    const { messages } = this;
    if (messages === null) {
      return html`<section>
        <h2>${texts.messages}</h2>
        <p role="status">${this.texts.loading}</p>
      </section>`;
    }
    return html`<section>
      <h2>${texts.messages}</h2>
      ${this.renderList(messages.filter((item) => item.waitsFor !== null), texts.noMessages)}
      <h3>${lists.past}</h3>
      ${this.renderList(messages.filter((item) => item.waitsFor === null), lists.nonePast)}
    </section>`;
  }

  private renderList(messages: readonly QueueItem[], none: string): TemplateResult {
    if (messages.length === 0) return html`<p>${none}</p>`;
    return html`<ul class="queue">
      ${messages.map((item) => this.renderMessage(item))}
    </ul>`;
  }

  private renderMessage(item: QueueItem): TemplateResult {
    const { kind, state, age, queue, turn, lists } = this.texts;
    const since = ageOf(item.stateSince, Date.now());
    return html`<li class="card">
      <button class="queue-open" @click=${() => this.session.go({ name: 'review', message: item.message })}>
        <strong>${kind[item.form]}</strong>
        <span>${queue.from} ${sender(this.session, item)} ${queue.to} ${recipient(this.session, item)}</span>
      </button>
      <p class="quiet facts">
        ${item.waitsFor === null
          ? html`<span>${lists.endedOn(state[item.state], day(item.stateSince, this.session.language))}</span>`
          : html`<span>${turn[item.waitsFor]}</span> <span>${state[item.state]} ${age.since(age[since.unit](since.count))}</span>`}
      </p>
    </li>`;
  }

  private renderReaders(detail: CaseDetail): TemplateResult {
    const signed = (): void => void this.read(() => this.load());
    return html`<console-readers .session=${this.session} .detail=${detail} @charter-signed=${signed}></console-readers>`;
  }

  private renderLinks(who: Participant, links: readonly CaseLink[]): TemplateResult {
    const { case: texts } = this.texts;
    if (links.length === 0) return html`<p>${texts.noLinks}</p>`;
    return html`<ul class="plain-list links">
      ${[...links].sort((one, other) => other.createdAt.localeCompare(one.createdAt)).map((link) => this.renderLink(who, link))}
    </ul>`;
  }

  private renderLink(who: Participant, link: CaseLink): TemplateResult {
    const { case: texts, claim } = this.texts;
    const { language } = this.session;
    const waits = link.state === 'claimed';
    const act = (text: string, run: () => unknown, style = ''): TemplateResult =>
      html`<button
        class=${style}
        aria-disabled=${style !== 'grave' && this.running ? 'true' : nothing}
        aria-label=${this.about(text, `${this.which(link)}, ${this.who(link.participant)}`)}
        @click=${run}
      >
        ${text}
      </button>`;
    return html`<li class=${waits ? 'note' : ''}>
      <p>
        ${texts.purpose[link.purpose]}, <strong>${this.linkState(link)}</strong><br />
        <span class="quiet">
          ${texts.link(shortId(link.link))}, ${this.madeOn(link)}${link.expiresAt === null
            ? nothing
            : html`, ${texts.expires(day(link.expiresAt, language))}`}
        </span>
      </p>
      ${link.endReason === 'misused'
        ? nothing
        : html`<div class="row">
            ${waits ? act(claim.check, () => (this.asking = { about: 'claim', link }), 'primary') : nothing}
            ${link.showable && link.state === 'open'
              ? html`${act(texts.showLink, () => this.showLink(who, link, false))} ${act(texts.sheet, () => this.showLink(who, link, true))}`
              : nothing}
            ${act(
              isOver(link) ? texts.endMisused : texts.endLink,
              () => (this.asking = { about: 'end-link', link, only: isOver(link) ? 'misused' : null }),
              'grave',
            )}
          </div>`}
    </li>`;
  }

  /** Tells somebody's links apart. */
  private which(link: CaseLink): string {
    const { aLink, purpose } = this.texts.case;
    return aLink(shortId(link.link), purpose[link.purpose], moment(link.createdAt, this.session.language));
  }

  private madeOn({ createdAt, madeBy }: CaseLink): string {
    if (madeBy === null) return this.texts.broken.link;
    const maker = madeBy === 'service' ? this.texts.people.system : mediator(this.session, madeBy);
    return this.texts.case.madeOn(moment(createdAt, this.session.language), maker);
  }

  private linkState({ state, endReason, claimFault }: CaseLink): string {
    const { case: texts } = this.texts;
    if (endReason !== null) return texts.linkEnd[endReason];
    return claimFault === null ? texts.linkState[state] : texts.linkFault;
  }

  /** Shows the updated case after something was signed in a dialog. */
  private async signed(said: string): Promise<void> {
    this.asking = null;
    this.session.say(said);
    await this.read(() => this.load());
  }

  private renderAsking(asking: Asking, detail: CaseDetail): TemplateResult {
    const { case: texts } = this.texts;
    const reference = caseName(this.session, detail);
    const end = (): void => void (this.asking = null);
    const ask = (heading: string, who: Participant, what: string, actions: TemplateResult): TemplateResult => html`<relay-dialog
      .heading=${heading}
      .content=${html`${renderCalled(this.session, who)}
        <p>${what}</p>
        ${actions}
        <p><button @click=${end}>${this.texts.cancel}</button></p>`}
      @dismissed=${end}
    ></relay-dialog>`;
    switch (asking.about) {
      case 'closing':
        return html`<relay-dialog
          .heading=${texts.closeTitle(reference)}
          .content=${html`<p>${texts.closeWhat}</p>
            <p>${texts.closeKept(texts.days(detail.retentionDays))}</p>
            <p class="row">
              <button class="grave" @click=${() => this.setClosed(true)}>${texts.close}</button>
              <button @click=${end}>${this.texts.cancel}</button>
            </p>`}
          @dismissed=${end}
        ></relay-dialog>`;
      case 'consent': {
        const { participant } = asking.who;
        const record = (status: Consent): Promise<void> =>
          this.act(async () => {
            await this.session.client.recordConsent(this.case, participant, status);
            return texts.recorded;
          });
        return ask(
          texts.recordConsentTitle(this.who(participant), reference),
          asking.who,
          texts.recordConsentWhat,
          html`<ul class="plain-list">
            ${CONSENTS.map((status) => html`<li><button @click=${() => record(status)}>${texts.consentChoice[status]}</button></li>`)}
          </ul>`,
        );
      }
      case 'new-link': {
        const { participant } = asking.who;
        // A link in use ends only when the keys of the new one are verified: until then the person is not shut out.
        const old = detail.links.filter(
          (link) => link.participant === participant && link.purpose === 'participate' && link.state === 'open',
        );
        return ask(
          texts.newLinkTitle(this.who(participant), reference),
          asking.who,
          texts.newLinkWhat,
          html`<p><button class="primary" @click=${() => this.makeLink(asking.who, 'participate', old)}>${texts.newLinkDo}</button></p>`,
        );
      }
      case 'grant-again': {
        const { participant } = asking.who;
        return ask(
          texts.grantAgainTitle(this.who(participant), reference),
          asking.who,
          texts.grantAgainWhat,
          html`<p>
            <button class="primary" @click=${() => this.act(async () => grantedText(this.texts, await this.session.client.grantAgain(this.case, participant)))}>
              ${texts.grantAgain}
            </button>
          </p>`,
        );
      }
      case 'claim': {
        const { link } = asking;
        const who = this.who(link.participant);
        return html`<console-claim
          .session=${this.session}
          .case=${this.case}
          .link=${link.link}
          .person=${who}
          .called=${renderCalled(this.session, this.somebody(link.participant))}
          .reference=${reference}
          @given-up=${end}
          @not-them=${() => (this.asking = { about: 'end-link', link, only: 'misused' })}
          @claim-verified=${() => this.signed(this.texts.claim.verified(who))}
        ></console-claim>`;
      }
      case 'end-link':
        return html`<console-ending
          .session=${this.session}
          .case=${this.case}
          .link=${asking.link.link}
          .which=${this.which(asking.link)}
          .person=${this.who(asking.link.participant)}
          .reference=${reference}
          .only=${asking.only}
          @given-up=${end}
          @link-ended=${() => this.signed(texts.linkEnded)}
        ></console-ending>`;
    }
  }
}

/** An ended link; it can still be marked as misused. */
function isOver({ state }: CaseLink): boolean {
  return state === 'ended' || state === 'spent' || state === 'expired';
}

customElements.define('console-case', ConsoleCase);

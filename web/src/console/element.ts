/** Base class of the console's elements: texts, one action at a time, and refusals as sentences. */

import { html, nothing, type TemplateResult } from 'lit';
import { asRefusal, type Broken, type GrantedAgain, type ProblemCode, type Refusal } from '../client/contract';
import { during } from '../ui/activity';
import { PlainElement, reactive } from '../ui/element';
import type { Session } from './session';
import type { Texts } from './i18n';

/** Refusals that mean that the message has changed, so that the screen is outdated. */
const CONFLICTS = [
  'conflict',
  'wrong-state',
  'lease-taken',
  'not-verifiable',
  'approved-already',
  'charter-out-of-order',
  'charter-changed',
  'consents-changed',
  'gate-closed',
  'link-claimed',
] as const satisfies readonly ProblemCode[];

export function isConflict(refusal: Refusal): boolean {
  return CONFLICTS.some((code) => code === refusal.code);
}

/** What is wrong with one record, and what can be done about it. */
export function brokenText(texts: Texts, { record, fault }: Broken): string {
  const { is, todo } = texts.fault[fault];
  return texts.broken.says(texts.record[record], is, todo);
}

/** A refusal as shown to people: relay's own sentence first, since it says what to do. */
export function refusalText(texts: Texts, refusal: Refusal): string {
  if (refusal.broken !== undefined) return brokenText(texts, refusal.broken);
  return refusal.sentence ?? texts.refusal[refusal.refusal];
}

/** How many messages were granted again, and whether one could not be. */
export function grantedText(texts: Texts, { granted, broken }: GrantedAgain): string {
  const said = texts.case.granted(granted);
  return broken.length === 0 ? said : `${said} ${texts.broken.grantedNot(broken.length)}`;
}

export abstract class ConsoleElement extends PlainElement {
  static override properties = reactive(['session'], ['reading', 'running', 'refusal']);

  session!: Session;
  /** Something is being fetched. Nothing is disabled meanwhile: pressed buttons act next. */
  protected reading = false;
  /**
   * An action is running or queued; pressing again does not repeat it. A button that opens a dialog is then
   * `aria-disabled`: a disabled one would lose the focus, which returns to it when the dialog closes.
   */
  protected running = false;
  protected refusal: Refusal | null = null;
  /** Resolves when everything requested is done. */
  private line: Promise<unknown> = Promise.resolve();

  protected get texts(): Texts {
    return this.session.texts;
  }

  protected get busy(): boolean {
    return this.reading || this.running;
  }

  /**
   * Runs an action that may be refused, after pending fetches. `untrusted` and `signed-out` concern the whole page
   * and are passed up; other refusals go to `refusal`, to be shown in place. True if it succeeded.
   */
  protected async attempt(act: () => Promise<void>): Promise<boolean> {
    if (this.running) return false;
    this.running = true;
    try {
      return await during(() => this.inLine(act));
    } finally {
      this.running = false;
    }
  }

  /** Fetches something to show, after everything requested before; refusals are handled as for actions. True if it succeeded. */
  protected async read(fetch: () => Promise<void>): Promise<boolean> {
    return this.inLine(async () => {
      this.reading = true;
      try {
        await fetch();
      } finally {
        this.reading = false;
      }
    });
  }

  private inLine(run: () => Promise<void>): Promise<boolean> {
    const turn = this.line.then(async () => {
      this.refusal = null;
      try {
        await run();
        return true;
      } catch (thrown) {
        this.refused(asRefusal(thrown));
        return false;
      }
    });
    this.line = turn;
    return turn;
  }

  protected refused(refusal: Refusal): void {
    if (refusal.refusal === 'untrusted' || refusal.refusal === 'signed-out') this.tell(refusal.refusal);
    else this.refusal = refusal;
  }

  protected renderRefusal(): TemplateResult | typeof nothing {
    if (this.refusal === null) return nothing;
    const gates = this.refusal.gates ?? [];
    return html`<div class="note warn" role="alert">
      <p>${refusalText(this.texts, this.refusal)}</p>
      ${gates.length === 0
        ? nothing
        : html`<ul>
            ${gates.map((gate) => html`<li>${this.texts.gate[gate].is} ${this.texts.gate[gate].todo}</li>`)}
          </ul>`}
    </div>`;
  }

  /** Focuses the heading when a screen appears, so that a screen reader starts there. */
  protected focusHeading(): void {
    this.querySelector<HTMLElement>('h1')?.focus();
  }
}

/** The video or voice of a message under review: loaded only on request, at first muted, blurred and grey. */

import { html, nothing, type TemplateResult } from 'lit';
import type { Playback, VideoFacts } from '../client/contract';
import { PlainElement, reactive } from '../ui/element';
import type { Session } from './session';
import { textsFor } from './form-texts';

/** Which sealed parts each mediator has played any of since this page was opened. */
const played = new Set<string>();

/** Whether the signed-in mediator has played any of this video here. */
export function wasPlayed({ self }: Session, { part }: VideoFacts): boolean {
  return played.has(`${self.credential} ${part}`);
}

export class ConsoleMedia extends PlainElement {
  static override properties = reactive(['session', 'video', 'captions', 'alone'], ['mode', 'ready']);

  session!: Session;
  video!: VideoFacts;
  captions: string | null = null;
  /** Whether its heading is one level below the page's, or deeper. */
  alone = false;
  private mode: 'picture' | 'sound' | null = null;
  private ready = false;

  override connectedCallback(): void {
    super.connectedCallback();
    // The player's events do not bubble: they are caught in the capture phase.
    this.addEventListener('playing', this.heard, true);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener('playing', this.heard, true);
  }

  private readonly heard = (): void => {
    played.add(`${this.session.self.credential} ${this.video.part}`);
  };

  /** The playback position in milliseconds; null while the player is closed. */
  currentTime(): number | null {
    const media = this.querySelector<HTMLMediaElement>('video, audio');
    return media === null ? null : Math.round(media.currentTime * 1000);
  }

  seek(ms: number): void {
    const media = this.querySelector<HTMLMediaElement>('video, audio');
    if (media !== null) media.currentTime = ms / 1000;
  }

  private async openAs(mode: 'picture' | 'sound'): Promise<void> {
    this.mode = mode;
    await import('../playback/player');
    this.ready = true;
  }

  protected override render(): TemplateResult {
    const { review } = textsFor(this.session.texts, this.video.hasPicture ? 'video' : 'voice');
    const { mode } = this;
    return html`<section class="card">
      ${this.alone ? html`<h2>${review.mediaTitle}</h2>` : html`<h3>${review.mediaTitle}</h3>`}
      ${mode === null
        ? html`<p>${review.mediaGuarded}</p>
            <div class="row">
              ${this.video.hasPicture
                ? html`<button @click=${() => this.openAs('picture')}>${review.showVideo}</button>`
                : nothing}
              <button @click=${() => this.openAs('sound')}>${review.soundOnly}</button>
            </div>`
        : html`${this.ready ? this.renderPlayer(mode) : html`<p role="status">${this.session.texts.loading}</p>`}
            <p><button class="plain" @click=${() => (this.mode = null)}>${review.hideMedia}</button></p>`}
    </section>`;
  }

  private renderPlayer(mode: 'picture' | 'sound'): TemplateResult {
    return html`<relay-player
      .client=${this.playback()}
      .video=${this.video}
      .captions=${this.captions}
      .mode=${mode}
      .guarded=${true}
      .language=${this.session.language}
    ></relay-player>`;
  }

  private far: Playback | null = null;

  /** The remote worker, wrapped in a plain object: Lit would take its proxy for a directive. */
  private playback(): Playback {
    const { client } = this.session;
    this.far ??= { serve: (part, port) => client.serve(part, port), blob: (part) => client.blob(part) };
    return this.far;
  }
}

customElements.define('console-media', ConsoleMedia);

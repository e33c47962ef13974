/** An element of relay's pages: plain markup in the page itself, so that one style sheet, labels and searches reach it. */

import { LitElement } from 'lit';

export abstract class PlainElement extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }

  /** Something that pages above listen for. */
  protected tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

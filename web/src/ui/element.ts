/** Base class of relay's elements: rendered without a shadow root, so that one style sheet, labels and searches reach them. */

import { LitElement } from 'lit';

export abstract class PlainElement extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }

  /** Dispatches an event for pages above. */
  protected tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

/** Base class of relay's elements: rendered without a shadow root, so that one style sheet, labels and searches reach them. */

import { LitElement, type PropertyDeclaration, type PropertyDeclarations } from 'lit';

export abstract class PlainElement extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }

  /** Dispatches an event for pages above. */
  protected tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

/** The reactive properties of an element: what it is given, and its own state. Those of the base class need not be repeated. */
export function reactive(given: readonly string[], state: readonly string[] = []): PropertyDeclarations {
  const properties: Record<string, PropertyDeclaration> = {};
  for (const name of given) properties[name] = { attribute: false };
  for (const name of state) properties[name] = { state: true };
  return properties;
}

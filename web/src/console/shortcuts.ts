/** Keys that save a mediator time: one letter each, never while typing, and all of them can be switched off. */

export type Shortcut =
  | 'next'
  | 'previous'
  | 'open'
  | 'next-message'
  | 'lease'
  | 'approve'
  | 'return'
  | 'decline'
  | 'hold'
  | 'back'
  | 'refresh'
  | 'help';

/** In the order in which they are explained. */
export const SHORTCUTS: readonly { readonly key: string; readonly does: Shortcut }[] = [
  { key: 'j', does: 'next' },
  { key: 'k', does: 'previous' },
  { key: 'Enter', does: 'open' },
  { key: 'n', does: 'next-message' },
  { key: 't', does: 'lease' },
  { key: 'a', does: 'approve' },
  { key: 'r', does: 'return' },
  { key: 'd', does: 'decline' },
  { key: 'h', does: 'hold' },
  { key: 'u', does: 'back' },
  { key: 'g', does: 'refresh' },
  { key: '?', does: 'help' },
];

const KEPT = 'relay-shortcuts';

/** What of a key event decides; a `KeyboardEvent` has it all. */
export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly repeat: boolean;
  readonly defaultPrevented: boolean;
}

/** The shortcut of a key, or null; `where` is the element that has the focus. */
export function shortcutOf(pressed: Pressed, where: { readonly typing: boolean; readonly onControl: boolean }): Shortcut | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || pressed.defaultPrevented || where.typing) return null;
  const found = SHORTCUTS.find((shortcut) => shortcut.key === pressed.key)?.does ?? null;
  if (found === 'open' && where.onControl) return null; // Enter belongs to the button or link that has the focus
  if (pressed.repeat && found !== 'next' && found !== 'previous') return null;
  return found;
}

/**
 * Where the keyboard is: filling something in, on something that Enter works for, or nowhere in particular. In a form every key
 * is the form's, also on a box to tick: a page that is left takes with it what was typed.
 */
export function focusOf(element: Element | null): { typing: boolean; onControl: boolean } {
  const typing = element?.closest('form, input, textarea, select, [contenteditable], dialog, relay-player') ?? null;
  const onControl = element?.closest('button, a, summary, input') ?? null;
  return { typing: typing !== null, onControl: onControl !== null };
}

export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(KEPT) !== 'off';
  } catch {
    return true;
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    if (on) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, 'off');
  } catch {
    // Where nothing can be kept, they stay as they are by default.
  }
}

/** Keyboard shortcuts: one letter each, never while typing, and they can be switched off. */

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

/** In the order of the help. */
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

/** The relevant properties of a `KeyboardEvent`. */
export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly repeat: boolean;
  readonly defaultPrevented: boolean;
}

/** The shortcut of a key, or null; `where` describes the focused element. */
export function shortcutOf(pressed: Pressed, where: { readonly typing: boolean; readonly onControl: boolean }): Shortcut | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || pressed.defaultPrevented || where.typing) return null;
  const found = SHORTCUTS.find((shortcut) => shortcut.key === pressed.key)?.does ?? null;
  if (found === 'open' && where.onControl) return null; // Enter belongs to the focused button or link
  if (pressed.repeat && found !== 'next' && found !== 'previous') return null;
  return found;
}

/**
 * Where the focus is: in a form, on a control that Enter activates, or elsewhere. In a form every key belongs to the
 * form, also on a checkbox: leaving the page would lose what was typed.
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
    // If nothing can be stored, the default applies.
  }
}

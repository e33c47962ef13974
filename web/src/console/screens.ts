/** Where a mediator is. Screens are history entries with state only: no address ever names a case or a message. */

import { isRecord } from '../embed/protocol';

export type Screen =
  | { readonly name: 'queue' }
  | { readonly name: 'review'; readonly message: string }
  | { readonly name: 'captions'; readonly message: string }
  | { readonly name: 'cases' }
  | { readonly name: 'case'; readonly case: string; readonly claim?: string }
  | { readonly name: 'keys' }
  | { readonly name: 'new-case'; readonly case?: string }
  | { readonly name: 'letter'; readonly case?: string };

export function screenOf(state: unknown): Screen | null {
  if (!isRecord(state) || !isRecord(state['screen'])) return null;
  const { name, case: inCase, claim, message } = state['screen'];
  const forCase = typeof inCase === 'string' ? inCase : null;
  switch (name) {
    case 'queue':
    case 'cases':
    case 'keys':
      return { name };
    case 'review':
    case 'captions':
      return typeof message === 'string' ? { name, message } : null;
    case 'case':
      if (forCase === null) return null;
      return typeof claim === 'string' ? { name, case: forCase, claim } : { name, case: forCase };
    case 'new-case':
    case 'letter':
      return forCase === null ? { name } : { name, case: forCase };
    default:
      return null;
  }
}

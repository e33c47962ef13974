/** The stages of a message as its author may know them: past, current, and usual next ones. */

import type { AuthorView, Kind } from '../client/contract';

export interface Step {
  readonly view: AuthorView;
  readonly when: 'before' | 'now' | 'after';
}

const WAY: Readonly<Record<Kind, readonly AuthorView[]>> = {
  letter: ['sending', 'in-review', 'with-mediator'],
  video: ['sending', 'preparing', 'in-review', 'with-mediator'],
};

/** Where a view leaves the usual path: after which step. About a closed message nothing else is said. */
const BRANCH: Readonly<Partial<Record<AuthorView, AuthorView>>> = {
  'not-prepared': 'sending',
  'sent-back': 'in-review',
  accepted: 'with-mediator',
  'not-accepted': 'with-mediator',
  closed: 'sending',
};

export function timeline(kind: Kind, view: AuthorView): readonly Step[] {
  const way = WAY[kind];
  const leaves = BRANCH[view];
  if (leaves !== undefined) {
    const behind = way.slice(0, way.indexOf(leaves) + 1);
    return [...behind.map((step): Step => ({ view: step, when: 'before' })), { view, when: 'now' }];
  }
  const at = way.indexOf(view);
  return way.map((step, place) => ({ view: step, when: place < at ? 'before' : place === at ? 'now' : 'after' }));
}

/** Views after which nothing happens, so that there is nothing to withdraw. */
export function isOver(view: AuthorView): boolean {
  return view === 'closed' || view === 'accepted' || view === 'not-accepted';
}

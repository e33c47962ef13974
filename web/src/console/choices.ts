/** What a mediator may do with a message now: what relay allows, minus what their own program has found wrong. */

import type { Action, DecisionKind, ReadDecision, ReviewItem } from '../client/contract';

/** The actions beside a message, in this order. */
const CHOICES = [
  'lease',
  'approve',
  'return',
  'hold',
  'resume',
  'decline',
  'caption',
  'let-go',
  'offer',
  'reopen',
  'retract',
  'grant-again',
  'recall',
  'retry',
] as const satisfies readonly Action[];

export type Choice = (typeof CHOICES)[number];

/** Nothing that may be somebody else's is passed on. */
const NEEDS_KNOWN_SENDER: readonly Choice[] = ['approve', 'offer', 'grant-again'];
/** Nothing with an invalid part is passed on. */
const NEEDS_ALL_OF_IT: readonly Choice[] = ['approve', 'offer', 'grant-again', 'retry'];

export function choicesFor(
  item: Pick<ReviewItem, 'actions' | 'lease' | 'grantAgain' | 'recipientReady' | 'standing' | 'faults'>,
): readonly Choice[] {
  const refused = new Set<Choice>([
    ...(item.standing === 'verified' ? [] : NEEDS_KNOWN_SENDER),
    ...(item.faults.length === 0 ? [] : NEEDS_ALL_OF_IT),
    ...(item.recipientReady ? [] : (['offer'] as const)),
    ...(item.grantAgain ? [] : (['grant-again'] as const)),
    ...(item.lease?.mine === true ? (['lease'] as const) : []),
  ]);
  return CHOICES.filter((choice) => item.actions.includes(choice) && !refused.has(choice));
}

/** Whether one's own approval of exactly this already counts: the next one has to be a colleague's. */
export function isApprovedByMe({ decisions }: Pick<ReviewItem, 'decisions'>): boolean {
  const read = decisions.filter((past): past is ReadDecision => !('fault' in past));
  // Reopening starts the review over.
  const since = read.map(({ decision }) => decision).lastIndexOf('reopen');
  return read.slice(since + 1).some(({ decision, mine, current }) => decision === 'approve' && mine && current);
}

/** Whether one's own approval counts, and a colleague's is still missing. */
export function waitsForAnother(item: Pick<ReviewItem, 'decisions' | 'approvals' | 'approvalsNeeded' | 'state'>): boolean {
  return (item.state === 'queued' || item.state === 'claimed') && item.approvals < item.approvalsNeeded && isApprovedByMe(item);
}

/** The current state of a message: an expired lease is none, even before relay has removed it. */
export function standing<Item extends Pick<ReviewItem, 'state' | 'lease' | 'actions'>>(item: Item, now: number): Item {
  if (item.state !== 'claimed' || item.lease === null || Date.parse(item.lease.expiresAt) > now) return item;
  const actions = item.actions.filter((action) => action === 'lease' || action === 'withdraw');
  return { ...item, state: 'queued', lease: null, actions };
}

/** Decisions that need a coded reason, and those that tell the author something in the mediator's own words. */
export const NEEDS_REASON: readonly DecisionKind[] = ['return', 'decline', 'hold'];
export const TELLS_AUTHOR: readonly DecisionKind[] = ['return', 'decline'];
/** Actions that cannot be undone, and are styled accordingly. */
export const GRAVE: readonly Choice[] = ['decline', 'recall'];

/** What a mediator types for an action; mutable, since it outlives dialogs. */
export type ActionDraft = Record<'reason' | 'words' | 'note' | 'contentNote' | 'summary' | 'notBefore', string>;

/** The stored draft of an action, or an empty one. */
export function actionDraft(kept: Readonly<Record<string, string>> | null = null): ActionDraft {
  const value = (name: keyof ActionDraft): string => kept?.[name] ?? '';
  return {
    reason: value('reason'),
    words: value('words'),
    note: value('note'),
    contentNote: value('contentNote'),
    summary: value('summary'),
    notBefore: value('notBefore'),
  };
}

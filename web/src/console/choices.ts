/** What a mediator may do with a message as it stands; relay's transition table has the last word. */

import type { DecisionKind, ReadDecision, ReviewItem } from '../client/contract';

export type Choice = DecisionKind | 'lease' | 'offer' | 'caption' | 'let-go' | 'grant-again';

/** Nothing reaches anybody that may be somebody else's. */
const NEEDS_KNOWN_SENDER: readonly Choice[] = ['approve', 'offer', 'grant-again'];
/** Nothing goes on of which something does not hold. */
const NEEDS_ALL_OF_IT: readonly Choice[] = ['approve', 'offer', 'grant-again', 'retry'];

export function choicesFor(
  item: Pick<ReviewItem, 'state' | 'lease' | 'kind' | 'grantAgain' | 'standing' | 'faults' | 'decisions'>,
): readonly Choice[] {
  const refused = new Set<Choice>([
    ...(item.standing === 'verified' ? [] : NEEDS_KNOWN_SENDER),
    ...(item.faults.length === 0 ? [] : NEEDS_ALL_OF_IT),
    ...(isApprovedByMe(item) ? (['approve'] as const) : []),
  ]);
  return choicesIn(item).filter((choice) => !refused.has(choice));
}

/** Whether one's own approval of exactly this counts already: another one has to be a colleague's. */
export function isApprovedByMe({ decisions }: Pick<ReviewItem, 'decisions'>): boolean {
  const read = decisions.filter((past): past is ReadDecision => !('fault' in past));
  // Reopened, a review starts over.
  const since = read.map(({ decision }) => decision).lastIndexOf('reopen');
  return read.slice(since + 1).some(({ decision, mine, current }) => decision === 'approve' && mine && current);
}

/** Whether one's own approval counts, and a colleague's is still to come. */
export function waitsForAnother(item: Pick<ReviewItem, 'decisions' | 'approvals' | 'approvalsNeeded' | 'state'>): boolean {
  return (item.state === 'queued' || item.state === 'claimed') && item.approvals < item.approvalsNeeded && isApprovedByMe(item);
}

function choicesIn(item: Pick<ReviewItem, 'state' | 'lease' | 'kind' | 'grantAgain'>): readonly Choice[] {
  switch (item.state) {
    case 'queued':
      return ['lease'];
    case 'claimed':
      if (item.lease?.mine !== true) return [];
      return item.kind === 'video'
        ? ['approve', 'return', 'hold', 'decline', 'caption', 'let-go']
        : ['approve', 'return', 'hold', 'decline', 'let-go'];
    case 'held':
      return ['resume', 'decline'];
    case 'approved':
      return ['offer', 'reopen'];
    case 'offered':
      return ['retract'];
    case 'released':
      return item.grantAgain ? ['grant-again', 'recall'] : ['recall'];
    case 'viewed':
      return item.grantAgain ? ['grant-again'] : [];
    case 'failed':
      return ['retry'];
    default:
      return [];
  }
}

/** A message as it stands now: a lease that ran out is none, even before relay has swept it up. */
export function standing<Item extends Pick<ReviewItem, 'state' | 'lease'>>(item: Item, now: number): Item {
  if (item.state !== 'claimed' || item.lease === null || Date.parse(item.lease.expiresAt) > now) return item;
  return { ...item, state: 'queued', lease: null };
}

/** Which decisions need a coded reason, and which are told to the author in the mediator's own words. */
export const NEEDS_REASON: readonly DecisionKind[] = ['return', 'decline', 'hold'];
export const TELLS_AUTHOR: readonly DecisionKind[] = ['return', 'decline'];
/** Acts that end something for good, and are drawn so. */
export const GRAVE: readonly Choice[] = ['decline', 'recall'];

/** What a mediator types for an act; mutable, since it is kept while dialogs come and go. */
export type ActDraft = Record<'reason' | 'words' | 'note' | 'contentNote' | 'summary' | 'notBefore', string>;

/** The draft of an act as it was kept, or an empty one. */
export function actDraft(kept: Readonly<Record<string, string>> | null = null): ActDraft {
  const value = (name: keyof ActDraft): string => kept?.[name] ?? '';
  return {
    reason: value('reason'),
    words: value('words'),
    note: value('note'),
    contentNote: value('contentNote'),
    summary: value('summary'),
    notBefore: value('notBefore'),
  };
}

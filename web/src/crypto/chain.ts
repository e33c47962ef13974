/**
 * What every reader does before believing anything: from a pinned root to the keys and contents of a case.
 *
 *     root → credentials → registration → charter 1 → charter 2 → … → link → claim → message → rendition
 *
 * Each step is signed by somebody named in an earlier one. The relay stores and returns all of these statements
 * and can change none of them; it can only withhold some.
 */

export * from './charter';
export * from './contents';
export * from './origin';

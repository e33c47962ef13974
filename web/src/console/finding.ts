/** Sorts and searches the list of cases. */

import type { CaseSummary, Person } from '../client/contract';
import type { Language } from '../i18n/catalogue';
import { caseName, person, type Calling } from './people';

/** Natural order of references: 9 comes before 10. */
export function byReference<Case extends Pick<CaseSummary, 'reference'>>(cases: readonly Case[], language: Language): readonly Case[] {
  const { compare } = new Intl.Collator(`${language}-CA`, { numeric: true });
  return [...cases].sort((one, other) => compare(one.reference, other.reference));
}

/** Whether this mediator, or any mediator, has something to do in a case. */
export function asksForSomething({ charterVersion, changeAsked, figures }: CaseSummary): boolean {
  return charterVersion === 0 || changeAsked || figures.you > 0 || figures.claims > 0;
}

/** Cases with something to do first, then the newest. */
export function byNeed(cases: readonly CaseSummary[]): readonly CaseSummary[] {
  const rank = (one: CaseSummary): number => (asksForSomething(one) ? 0 : 1);
  return [...cases].sort((one, other) => rank(one) - rank(other) || other.createdAt.localeCompare(one.createdAt));
}

/** A match: the case itself, and those of its people whom a search word names. */
export interface Found {
  readonly case: CaseSummary;
  readonly people: readonly Person[];
}

/**
 * The cases in which every search word is in the reference or name, in what a person is called, or starts or ends
 * a person's reference. Accents and capitals do not matter.
 */
export function find(calling: Calling, cases: readonly CaseSummary[], sought: string): readonly Found[] {
  const asked = plain(sought).split(/\s+/).filter((word) => word !== '');
  return cases.flatMap((one) => {
    const reference = plain(caseName(calling, one));
    const people = one.people.filter((somebody) => asked.some((word) => isCalled(calling, somebody, word)));
    const fits = asked.every((word) => reference.includes(word) || people.some((somebody) => isCalled(calling, somebody, word)));
    return fits ? [{ case: one, people }] : [];
  });
}

function isCalled(calling: Calling, somebody: Person, word: string): boolean {
  const { participant } = somebody;
  if (plain(person(calling, somebody)).includes(word)) return true;
  const isPart = /^[0-9a-f-]{4,}$/.test(word);
  return isPart && (participant.startsWith(word) || participant.endsWith(word));
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

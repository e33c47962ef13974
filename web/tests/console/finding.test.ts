/** The list of cases: their order, and search. */

import { describe, expect, it } from 'vitest';
import type { CaseFigures, CaseSummary, Person } from '../../src/client/contract';
import { byNeed, byReference, find } from '../../src/console/finding';
import type { Texts } from '../../src/console/i18n';
import { en } from '../../src/console/i18n/en';
import { fr } from '../../src/console/i18n/fr';
import { Names } from '../../src/console/names';

const NOTHING: CaseFigures = { you: 0, mediator: 0, sender: 0, recipient: 0, relay: 0, claims: 0, unusedLinks: 0 };
const CLAIRE: Person = { participant: '1a2b0000-0000-4000-8000-00000000c1a1', role: 'harmed', number: 1 };
const ANNE: Person = { participant: '9f9f0000-0000-4000-8000-00000000a22e', role: 'harmed', number: 2 };
const DENIS: Person = { participant: 'dddd0000-0000-4000-8000-00000000de15', role: 'responsible', number: null };

function aCase(reference: string, given: Partial<CaseSummary> = {}): CaseSummary {
  return {
    case: reference,
    reference,
    charterVersion: 1,
    approvals: 1,
    createdAt: '2030-01-01T00:00:00Z',
    closedAt: null,
    disposalDueAt: null,
    disposedAt: null,
    changeAsked: false,
    people: [CLAIRE, ANNE, DENIS],
    figures: NOTHING,
    ...given,
  };
}

const references = (cases: readonly CaseSummary[]): string[] => cases.map((one) => one.reference);

describe('cases', () => {
  it('stand by reference as people look them up', () => {
    expect(references(byReference([aCase('R-10'), aCase('r-9'), aCase('R-2')], 'en'))).toEqual(['R-2', 'r-9', 'R-10']);
  });

  it('come first where there is something for this mediator or for any, then the newest', () => {
    const old = (reference: string, given: Partial<CaseSummary>): CaseSummary => aCase(reference, { createdAt: '2029-01-01T00:00:00Z', ...given });
    const cases = [
      aCase('newest'),
      old('others', { figures: { ...NOTHING, mediator: 3, sender: 2, unusedLinks: 1 } }),
      old('mine', { figures: { ...NOTHING, you: 1 } }),
      old('claim', { figures: { ...NOTHING, claims: 1 } }),
      old('not open', { charterVersion: 0 }),
      old('asked', { changeAsked: true }),
    ];
    expect(references(byNeed(cases))).toEqual(['mine', 'claim', 'not open', 'asked', 'newest', 'others']);
    expect(references(cases)[0]).toBe('newest');
  });
});

describe('what is sought', () => {
  const cases = [aCase('R-2030-014'), aCase('R-2030-015', { people: [DENIS] })];
  const found = (sought: string, texts: Texts = en, names = Names.none): (readonly [string, readonly Person[]])[] =>
    find({ texts, names }, cases, sought).map((one) => [one.case.reference, one.people] as const);

  it('is everything where nothing is typed', () => {
    expect(found('')).toEqual([['R-2030-014', []], ['R-2030-015', []]]);
    expect(found('  ')).toHaveLength(2);
  });

  it.each(['014', 'r-2030-014', 'R-2030-014 '])('is in the reference: %s', (sought) => {
    expect(found(sought)).toEqual([['R-2030-014', []]]);
  });

  it('is the mark on a sheet, or the whole reference of a person', () => {
    expect(found('A22E')).toEqual([['R-2030-014', [ANNE]]]);
    expect(found(CLAIRE.participant)).toEqual([['R-2030-014', [CLAIRE]]]);
    expect(found('1a2b')).toEqual([['R-2030-014', [CLAIRE]]]);
    expect(found('0000')).toEqual([]);
    expect(found('22e')).toEqual([]);
  });

  it('is what somebody is called, with every word and without accents', () => {
    expect(found('harmed (2)')).toEqual([['R-2030-014', [CLAIRE, ANNE]]]);
    expect(found('015 responsible')).toEqual([['R-2030-015', [DENIS]]]);
    expect(found('015 harmed')).toEqual([]);
    expect(found('TOUCHEE', fr)).toEqual([['R-2030-014', [CLAIRE, ANNE]]]);
  });

  it('is a name that the embedding page gave, of a person or of a case', () => {
    const names = Names.none.replacedBy({ participants: { [ANNE.participant]: 'Anne Bélanger' }, cases: { 'R-2030-015': 'Côté' } });
    expect(found('belanger', en, names)).toEqual([['R-2030-014', [ANNE]]]);
    expect(found('cote', en, names)).toEqual([['R-2030-015', []]]);
    expect(found('belanger')).toEqual([]);
  });
});

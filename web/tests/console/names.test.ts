/** Names of the embedding page: cleaned, beside what relay knows and never in place of it, and never forgotten silently. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Person, QueueItem } from '../../src/client/contract';
import { en } from '../../src/console/i18n/en';
import { fr } from '../../src/console/i18n/fr';
import { cleanName, Names } from '../../src/console/names';
import { actor, caseName, person, recipient, roleOf, sender } from '../../src/console/people';

const CLAIRE = '1a2b0000-0000-4000-8000-00000000c1a1';
const DENIS = 'dddd0000-0000-4000-8000-00000000de15';
const CASE = '0b8f9f5e-3f4b-4d1e-9a57-0d6f3f1f0c11';
const HARMED: Person = { participant: CLAIRE, role: 'harmed', number: null };
const NAMES = Names.none.replacedBy({ participants: { [CLAIRE]: 'Claire Tremblay' }, cases: { [CASE]: 'Tremblay' } });
const HIDDEN = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\u00AD]/u;

const name = (text: string): Names => Names.none.replacedBy({ participants: { [CLAIRE]: text }, cases: {} });

describe('a name', () => {
  it.each([
    ['Claire Tremblay', 'Claire Tremblay'],
    ['  Zoé\t\nCôté  ', 'Zoé Côté'],
    ['Jean\u2011François O’Neill', 'Jean\u2011François O’Neill'],
    ['Zoe\u0301', 'Zo\u00e9'],
    ['שרה כהן', 'שרה כהן'],
    ['می\u200Cنا', 'می\u200Cنا'],
    ['李 小龍', '李 小龍'],
    ['Marc \u202Eyelbmert\u202C', 'Marc yelbmert'],
    ['\u2068Marc\u2069', 'Marc'],
    ['Ma\u200Brc\u00AD\uFEFF', 'Marc'],
    ['Ma\u0000rc\u001B[31m', 'Marc[31m'],
    ['Marc\u200D\u200D', 'Marc'],
    ['Marc\uD800', 'Marc'],
    ['Marc\u{E0041}', 'Marc'],
    ['“Marc” «person harmed»', '’Marc’ ’person harmed’'],
    ['<b>Marc</b>', '<b>Marc</b>'], // shown as text
  ])('%j is %j', (given, shown) => {
    expect(cleanName(given)).toBe(shown);
  });

  it.each(['', '   ', '\u202E\u200B', '\u3164', '\u2800', '–', '…', '\u0301\u0301'])('%j is none', (given) => {
    expect(cleanName(given)).toBeNull();
  });

  it('has 80 characters at most, and few marks on one letter', () => {
    expect(cleanName('x'.repeat(80))).toBe('x'.repeat(80));
    expect(cleanName('x'.repeat(1000))).toBe(`${'x'.repeat(79)}…`);
    expect(cleanName('\u{20BB7}'.repeat(100))).toBe(`${'\u{20BB7}'.repeat(79)}…`);
    expect(cleanName(`M${'\u0321'.repeat(50)}arc`)).toBe(`M${'\u0321'.repeat(4)}arc`);
  });

  it('hides, reorders and closes nothing, whatever was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (given) => {
        const shown = cleanName(given);
        if (shown === null) return;
        expect(shown).not.toMatch(HIDDEN);
        expect(shown).not.toMatch(/["“”«»]/);
        expect(Array.from(shown).length).toBeLessThanOrEqual(80);
        expect(cleanName(shown)).toBe(shown);
      }),
    );
  });
});

describe('a person', () => {
  it('is called by role as before where there is no name', () => {
    for (const texts of [en, fr]) {
      expect(person({ texts, names: Names.none }, HARMED)).toBe(texts.people.role.harmed);
      expect(person({ texts, names: name('\u202E') }, HARMED)).toBe(texts.people.role.harmed);
      expect(caseName({ texts, names: Names.none }, { case: CASE, reference: 'R-1' })).toBe('R-1');
    }
  });

  it('is called by role first, and by name behind it, apart from the sentence around', () => {
    expect(person({ texts: en, names: NAMES }, HARMED)).toBe('person harmed “\u2068Claire Tremblay\u2069”');
    expect(person({ texts: en, names: NAMES }, { ...HARMED, number: 2 })).toBe('person harmed (2) “\u2068Claire Tremblay\u2069”');
    expect(person({ texts: fr, names: NAMES }, HARMED)).toBe('personne touchée «\u00a0\u2068Claire Tremblay\u2069\u00a0»');
    expect(person({ texts: en, names: NAMES }, { ...HARMED, role: null })).toBe('participant c1a1 “\u2068Claire Tremblay\u2069”');
    expect(caseName({ texts: en, names: NAMES }, { case: CASE, reference: 'R-1' })).toBe('R-1 “\u2068Tremblay\u2069”');
  });

  it('is never called by a name alone, nor otherwise than relay knows, whatever the name is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (given) => {
        const said = person({ texts: en, names: name(given) }, HARMED);
        expect(said.startsWith(roleOf(en, HARMED))).toBe(true);
        expect((said.match(/[“”]/g) ?? []).length % 2).toBe(0);
        expect((said.match(/[“”]/g) ?? []).length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('is the one that the message, or the row of the log, is about', () => {
    const item = { from: CLAIRE, fromRole: 'harmed', fromNumber: null, to: DENIS, toRole: 'responsible', toNumber: null } as QueueItem;
    const names = NAMES.replacedBy({ participants: { [CLAIRE]: 'Claire', [DENIS]: 'Denis' }, cases: {} });
    expect(sender({ texts: en, names }, item)).toContain('person harmed “\u2068Claire');
    expect(recipient({ texts: en, names }, item)).toContain('person responsible “\u2068Denis');
    const session = { texts: en, names, self: { credential: DENIS, validUntil: '', registersCases: true } };
    expect(actor(session, `participant:${CLAIRE}`, new Map([[CLAIRE, HARMED]]))).toContain('Claire');
    expect(actor(session, `mediator:${CLAIRE}`, new Map())).not.toContain('Claire');
  });
});

describe('names that are replaced', () => {
  const called = (names: Names, text: string): Names => names.replacedBy({ participants: { [CLAIRE]: text }, cases: {} });

  it('are gone if they are not given again', () => {
    const names = NAMES.replacedBy({ participants: {}, cases: {} });
    expect(names.participant(CLAIRE)).toBeNull();
    expect(names.case(CASE)).toBeNull();
  });

  it('are remembered: somebody who is called otherwise is not mistaken', () => {
    expect(NAMES.earlier(CLAIRE)).toEqual([]);
    expect(called(NAMES, ' Claire  Tremblay ').earlier(CLAIRE)).toEqual([]);
    const other = called(NAMES, 'Denis Roy');
    expect(other.earlier(CLAIRE)).toEqual(['Claire Tremblay']);
    expect(called(other, 'Claire Tremblay').earlier(CLAIRE)).toEqual(['Denis Roy']);
    const gone = other.replacedBy({ participants: {}, cases: {} });
    expect(gone.earlier(CLAIRE)).toEqual([]);
    expect(called(gone, 'Claire Tremblay').earlier(CLAIRE)).toEqual(['Denis Roy']);
  });

  it('are remembered within limits', () => {
    const many = Array.from({ length: 100 }, (_, place) => `Name ${String(place)}`).reduce(called, Names.none);
    expect(many.earlier(CLAIRE)).toEqual(['Name 94', 'Name 95', 'Name 96', 'Name 97', 'Name 98']);
  });
});

/** One term for each thing: the words of docs/glossary.md, and none of those that stood for the same before. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;

/** What is not said, and what is. */
const AVOIDED: Readonly<Record<'en' | 'fr', readonly (readonly [RegExp, string])[]>> = {
  en: [
    [/\bpass(?:word|code)\b/i, 'passphrase'],
    [/\b(?:offender|perpetrator|victim)s?\b/i, 'person responsible, person harmed'],
    [/\bdoes not fit\b/i, 'is not the right one'],
    [/\bgo on (?:with|writing|sending)\b/i, 'continue'],
    [/\bgrant(?:ed)? again\b/i, 'restore access'],
    [/\brestraining order\b/i, 'no-contact order'],
    [/\bencrypt/i, 'sealed'],
  ],
  fr: [
    [/\bphrases?\b(?! secrètes?)/i, 'phrase secrète'],
    [/\bmot de passe\b/i, 'phrase secrète'],
    [/\bpersonnes? lésées?\b/i, 'personne touchée'],
    [/\b(?:délinquant|victime|contrevenant)/i, 'personne responsable, personne touchée'],
    [/\boffr(?:e|es|ir|ez|i)\b/i, 'proposer, proposition'],
    [/\binterdiction de contact\b/i, 'ordonnance de non-communication'],
    [/\bscann/i, 'numériser'],
    [/\bchiffr(?:er|é|ée)s?\b/i, 'scellé'],
  ],
};

type Words = string | ((...given: string[]) => string) | { readonly [key: string]: Words };

function sentences(words: Words): string[] {
  if (typeof words === 'string') return [words];
  if (typeof words === 'function') return [words(...Array.from({ length: words.length }, () => '…'))];
  return Object.values(words).flatMap(sentences);
}

const catalogues = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /(?:^|\.)(?:en|fr)\.ts$/.test(entry.name))
  .map((entry) => ({ file: join(entry.parentPath, entry.name), language: entry.name.endsWith('fr.ts') ? ('fr' as const) : ('en' as const) }));

describe('terms', () => {
  it.each(catalogues)('are one for each thing in $file', async ({ file, language }) => {
    const room = (await import(file)) as Record<string, Words>;
    const said = Object.values(room).flatMap(sentences);
    const found = AVOIDED[language].flatMap(([avoided, instead]) => said.filter((sentence) => avoided.test(sentence)).map((sentence) => `${instead}: ${sentence}`));
    expect(found).toEqual([]);
  });
});

/** One term for each thing: those of docs/glossary.md, and none of their former synonyms; and French typography. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;

/** Avoided terms, and their replacements. */
const AVOIDED: Readonly<Record<'en' | 'fr', readonly (readonly [RegExp, string])[]>> = {
  en: [
    [/\bpass(?:word|code)\b/i, 'passphrase'],
    [/\b(?:offender|perpetrator|victim)s?\b/i, 'person responsible, person harmed'],
    [/\bdoes not fit\b/i, 'is not the right one'],
    [/\bgo on (?:with|writing|sending)\b/i, 'continue'],
    [/\bgrant(?:ed)? again\b/i, 'restore access'],
    [/\brestraining order\b/i, 'no-contact order'],
    [/\bencrypt/i, 'sealed'],
    [/\brevisions?\b/i, 'version'],
  ],
  fr: [
    [/\bphrases?\b(?! secrètes?)/i, 'phrase secrète'],
    [/\bmot de passe\b/i, 'phrase secrète'],
    [/\bpersonnes? lésées?\b/i, 'personne touchée'],
    [/\b(?:délinquant|victime|contrevenant)/i, 'personne responsable, personne touchée'],
    [/\boff(?:r(?:e|es|ir|ez|i)|ert(?:es?|s)?)\b/i, 'proposer, proposition'],
    [/\brévisions?\b/i, 'version'],
    [/\bbalay/i, 'numériser'],
    [/\binterdiction de contact\b/i, 'ordonnance de non-communication'],
    [/\bscann/i, 'numériser'],
    [/\bchiffr(?:er|é|ée)s?\b/i, 'scellé'],
  ],
};

type Texts = string | ((...given: string[]) => string) | { readonly [key: string]: Texts };

function sentences(texts: Texts): string[] {
  if (typeof texts === 'string') return [texts];
  if (typeof texts === 'function') return [texts(...Array.from({ length: texts.length }, () => '…'))];
  return Object.values(texts).flatMap(sentences);
}

const catalogues = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /(?:^|\.)(?:en|fr)\.ts$/.test(entry.name))
  .map((entry) => ({ file: join(entry.parentPath, entry.name), language: entry.name.endsWith('fr.ts') ? ('fr' as const) : ('en' as const) }));

const GLOSSARY = readFileSync(new URL('../../docs/glossary.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(({ length, 1: english = '' }) => length === 5 && english !== 'English' && !english.startsWith('-'));

async function said(file: string): Promise<string[]> {
  return Object.values((await import(file)) as Record<string, Texts>).flatMap(sentences);
}

describe('terms', () => {
  it.each(catalogues)('are one for each thing in $file', async ({ file, language }) => {
    const all = await said(file);
    const found = AVOIDED[language].flatMap(([avoided, instead]) => all.filter((sentence) => avoided.test(sentence)).map((sentence) => `${instead}: ${sentence}`));
    expect(found).toEqual([]);
  });

  it.each(['en', 'fr'] as const)('in the glossary are those that the pages use (%s)', async (language) => {
    const files = catalogues.filter((one) => one.language === language);
    const all = (await Promise.all(files.map(({ file }) => said(file)))).flat().join('\n').toLowerCase();
    const terms = GLOSSARY.flatMap(([, english = '', french = '']) => (language === 'en' ? english : french).split(/[:;,] ?/));
    expect(terms.length).toBeGreaterThan(GLOSSARY.length);
    expect(terms.map((term) => term.replace(/^to /, '').trim()).filter((term) => !all.includes(term.toLowerCase()))).toEqual([]);
  });
});

/** A no-break space precedes a colon and is inside quotation marks; a narrow one precedes the other marks. */
const BADLY_SPACED = /[ \u202F]:(?!\S)|[\p{L}\p{N})…»’]:(?!\S)|[ \u00A0][?!;]|[\p{L}\p{N})…»’][?!;](?!\S)|«[^\u00A0]|[^\u00A0]»/u;

describe('typography', () => {
  it.each(catalogues.filter(({ language }) => language === 'fr'))('leaves no mark alone at the beginning of a line in $file', async ({ file }) => {
    expect((await said(file)).filter((sentence) => BADLY_SPACED.test(sentence))).toEqual([]);
  });
});

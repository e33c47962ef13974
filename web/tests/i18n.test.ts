/** No sentence is outside the catalogues, and the catalogues of both languages have the same entries. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;
/** Names, and words that are the same in both languages. */
const ALIKE = new Set(['relay', 'Message', 'Messages', 'Console', 'message {0}', '{0} messages', '{0} minutes', 'Version', 'Version {0}', 'version {0}']);
const NAMING = /(?:aria-label|aria-description|aria-valuetext|aria-roledescription|title|placeholder|alt|label)=$/;

function files(ending: RegExp): string[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The text in a template: between tags, and in attributes that are read aloud. */
function saidIn(template: ts.TemplateLiteral): string[] {
  const pieces = ts.isNoSubstitutionTemplateLiteral(template) ? [template.text] : [template.head.text, ...template.templateSpans.map((span) => span.literal.text)];
  // A placeholder that no sentence contains, in place of expressions.
  const markup = pieces.join('\uFFFC').replace(/<!--[\s\S]*?-->/g, '');
  const said: string[] = [];
  const tags = /<\/?[a-zA-Z](?:[^>"'\uFFFC]|\uFFFC|"[^"]*"|'[^']*')*>/g;
  for (const [tag] of markup.matchAll(tags)) {
    for (const [, name = '', value = ''] of tag.matchAll(/([\w.@?-]+)="([^"]*)"/g)) if (NAMING.test(`${name}=`)) said.push(value);
    for (const [, name = '', value = ''] of tag.matchAll(/([\w.@?-]+)=([^\s"'>]+)/g)) if (NAMING.test(`${name}=`)) said.push(value);
  }
  said.push(...markup.replace(tags, '\uFFFC').split('\uFFFC'));
  return said.map((text) => text.replace(/&\w+;/g, '').trim()).filter((text) => /\p{L}/u.test(text));
}

function hardCoded(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTaggedTemplateExpression(node) && ['html', 'svg'].includes(node.tag.getText())) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(...saidIn(node.template).map((text) => `${relative(SRC, file)}:${String(line + 1)}: ${text}`));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

type Texts = string | ((...given: string[]) => string) | { readonly [key: string]: Texts };

function flat(texts: Texts, path = ''): [string, string][] {
  if (typeof texts === 'string') return [[path, texts]];
  if (typeof texts === 'function') return [[path, texts(...Array.from({ length: texts.length }, (_, place) => `{${String(place)}}`))]];
  return Object.entries(texts).flatMap(([key, value]) => flat(value, `${path}.${key}`));
}

async function catalogue(file: string, language: 'en' | 'fr'): Promise<[string, string][]> {
  const module = (await import(file)) as Record<string, Texts>;
  const texts = module[language] ?? Object.values(module)[0];
  if (texts === undefined) throw new Error(`${file} exports no catalogue`);
  return flat(texts);
}

describe('components', () => {
  it('hold no text of their own', () => {
    expect(files(/(?<!\.d)\.ts$/).flatMap(hardCoded)).toEqual([]);
  });

  it('would be found out', () => {
    const found = (code: string): string[] => {
      const source = ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true);
      const [statement] = source.statements;
      if (statement === undefined || !ts.isExpressionStatement(statement) || !ts.isTaggedTemplateExpression(statement.expression)) throw new Error('no template');
      return saidIn(statement.expression.template);
    };
    expect(found('html`<p class="quiet">${a}, and ${b}</p>`')).toEqual([', and']);
    expect(found('html`<button aria-label="Close" title=Shut>×</button>`')).toEqual(['Close', 'Shut']);
    expect(found('html`<p class=${a ? "x" : "y"} @click=${() => b > c}>${d} · ${e}</p>`')).toEqual([]);
  });
});

const catalogues = files(/^(?:\w+\.)?en\.ts$/).map((english) => [relative(SRC, english), english, english.replace(/en\.ts$/, 'fr.ts')] as const);

describe.each(catalogues)('the catalogue %s', (_, english, french) => {
  it('says the same things in French', async () => {
    const [en, fr] = [await catalogue(english, 'en'), await catalogue(french, 'fr')];
    expect(fr.map(([key]) => key)).toEqual(en.map(([key]) => key));
    for (const [key, sentence] of [...en, ...fr]) expect(sentence.trim(), key).not.toBe('');
  });

  it('leaves nothing untranslated', async () => {
    const fr = new Map(await catalogue(french, 'fr'));
    const same = (await catalogue(english, 'en')).filter(([key, sentence]) => /\p{L}{2}/u.test(sentence.replace(/\{\d\}/g, '')) && fr.get(key) === sentence);
    expect(same.filter(([, sentence]) => !ALIKE.has(sentence))).toEqual([]);
  });

  it('gives every sentence what it takes, in both languages', async () => {
    const fr = new Map(await catalogue(french, 'fr'));
    const places = (sentence: string): string[] => [...new Set(sentence.match(/\{\d\}/g) ?? [])].sort();
    for (const [key, sentence] of await catalogue(english, 'en')) expect(places(fr.get(key) ?? ''), key).toEqual(places(sentence));
  });

  it('is written with typographic apostrophes and without exclamation marks', async () => {
    for (const [key, sentence] of [...(await catalogue(english, 'en')), ...(await catalogue(french, 'fr'))]) {
      expect(sentence, key).not.toMatch(/\p{L}'\p{L}|!/u);
    }
  });
});

/**
 * What somebody types into a page is stored by relay, sealed, or not at all. Browsers store the fields of a page to
 * restore them after a crash, and offer what was typed before: only `autocomplete="off"` prevents
 * both. Password fields are never stored like that.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;
/** Inputs without typed text. */
const NOT_TEXT = /\btype=["']?(?:checkbox|radio|range|file|button|submit|hidden|password)\b/;

function templates(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'html') {
      const { template } = node;
      const pieces = ts.isNoSubstitutionTemplateLiteral(template) ? [template.text] : [template.head.text, ...template.templateSpans.map((span) => span.literal.text)];
      found.push(pieces.join('\uFFFC'));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function kept(markup: string): string[] {
  return [...markup.matchAll(/<(?:textarea|input)\b[^>]*>/g)].map(([tag]) => tag).filter((tag) => !NOT_TEXT.test(tag) && !/\bautocomplete="off"/.test(tag));
}

describe('fields', () => {
  it('for text are kept by no browser', () => {
    const files = readdirSync(SRC, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
    const found = files.flatMap((entry) => {
      const file = join(entry.parentPath, entry.name);
      return templates(file).flatMap(kept).map((tag) => `${relative(SRC, file)}: ${tag}`);
    });
    // Its type changes: its attributes while the text is visible are tested in a browser.
    expect(found.filter((one) => !one.startsWith('ui/passphrase.ts'))).toEqual([]);
  });

  it('would be found out', () => {
    expect(kept('<textarea id="a" @input=\uFFFC></textarea><input type="text" /><input type="checkbox" />')).toEqual(['<textarea id="a" @input=\uFFFC>', '<input type="text" />']);
    expect(kept('<input id="b" autocomplete="off" /><textarea autocomplete="on">')).toEqual(['<textarea autocomplete="on">']);
  });
});

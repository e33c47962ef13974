// Prints the sentences of every room of the pages, in both languages, as JSON: the tests look for what people read.

import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const web = new URL('../../web/', import.meta.url);
const { ModuleKind, ScriptTarget, transpileModule } = createRequire(web)('typescript');

async function catalogue(file) {
  const { outputText } = transpileModule(await readFile(file, 'utf8'), {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
  });
  const loaded = await import(`data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`);
  return Object.values(loaded)[0];
}

// A sentence that takes something is printed with {0}, {1}, … where that goes.
function plain(value) {
  if (typeof value === 'function') return value(...Array.from({ length: value.length }, (_, at) => `{${at}}`));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const found = {};
for (const entry of await readdir(new URL('src/', web), { withFileTypes: true, recursive: true })) {
  if (!/^(en|fr)\.ts$/.test(entry.name)) continue;
  const path = `${entry.parentPath ?? entry.path}/${entry.name}`;
  const room = /src\/([a-z]+)\//.exec(path)[1];
  (found[room] ??= {})[entry.name.slice(0, 2)] = plain(await catalogue(path));
}
console.log(JSON.stringify(found));

// `npm run check`: no file of the pages imports, in the end, itself; not even a type, nor what is loaded later.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const SRC = new URL('src/', import.meta.url).pathname;

function importedBy(file) {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
  const at = ({ fileName }) => [`${fileName}.ts`, `${fileName}/index.ts`].map((name) => resolve(dirname(file), name));
  return importedFiles.flatMap(at).filter((found) => existsSync(found));
}

/** The first way from a file back to one that is already on it, or null. */
function cycleFrom(file, path, done) {
  const at = path.indexOf(file);
  if (at >= 0) return [...path.slice(at), file];
  if (done.has(file)) return null;
  for (const next of importedBy(file)) {
    const found = cycleFrom(next, [...path, file], done);
    if (found !== null) return found;
  }
  done.add(file);
  return null;
}

const done = new Set();
for (const entry of readdirSync(SRC, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const cycle = cycleFrom(join(entry.parentPath, entry.name), [], done);
  if (cycle !== null) {
    console.error(`a cycle of imports: ${cycle.map((file) => relative(SRC, file)).join(' → ')}`);
    process.exit(1);
  }
}

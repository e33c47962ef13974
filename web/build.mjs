// Builds the pages into relay/pages: two documents with hashed assets, the service worker, embed.js and the description
// of the API under fixed names, an integrity hash for everything that is loaded, compressed copies, and the list of all files with their hashes,
// those of the copies included: relay serves nothing that is not in it.

import { createHash } from 'node:crypto';
import { copyFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

const out = new URL('../relay/pages/', import.meta.url).pathname;
const quiet = { logLevel: 'warn' };

const { output } = await build(quiet);
for (const [name, entry] of [
  ['sw', 'src/playback/sw.ts'],
  ['embed', 'src/embed/embed.ts'],
]) {
  await build({
    ...quiet,
    configFile: false,
    build: {
      outDir: out,
      emptyOutDir: false,
      target: ['es2021', 'chrome87', 'firefox91', 'safari15'],
      lib: { entry, formats: ['iife'], name: 'relayConsole', fileName: () => `${name}.js` },
    },
  });
}

await copyFile(new URL('../docs/openapi.yaml', import.meta.url), join(out, 'openapi.yaml'));

// What is in the pages of other people comes with their licences; where a package has no file of it, with what it says itself.
const locked = JSON.parse(await readFile(new URL('package-lock.json', import.meta.url), 'utf8')).packages;
const licences = [];
for (const [path, { dev, version, license }] of Object.entries(locked).sort(([one], [other]) => (one < other ? -1 : 1))) {
  if (path === '' || dev) continue;
  const folder = new URL(`${path}/`, import.meta.url);
  const file = (await readdir(folder)).sort().find((name) => /^(licen[cs]e|copying)/i.test(name)) ?? (await readdir(folder)).sort().find((name) => /^readme/i.test(name));
  if (file === undefined) throw new Error(`${path} has no licence, and no readme that names one`);
  licences.push(`${path.replace('node_modules/', '')} ${version}, ${license ?? 'as below'}\n\n${(await readFile(new URL(file, folder), 'utf8')).trim()}\n`);
}
await writeFile(join(out, 'licences.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));

const integrity = (content) => `sha384-${createHash('sha384').update(content).digest('base64')}`;
const files = (await readdir(out, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(out, join(entry.parentPath, entry.name)))
  .sort();
const hashes = {};
for (const file of files) hashes[file] = integrity(await readFile(join(out, file)));

// What a document names is held to its hash by an attribute; what a module imports, by the import map of its own document.
const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
const reach = (file, found = new Set()) => {
  const chunk = chunks.get(file);
  if (chunk === undefined || found.has(file)) return found;
  found.add(file);
  for (const next of [...chunk.imports, ...chunk.dynamicImports]) reach(next, found);
  return found;
};
const modulesOf = (page) => {
  const entry = output.find((chunk) => chunk.type === 'chunk' && chunk.isEntry && chunk.facadeModuleId?.endsWith(`/${page}`));
  if (entry === undefined) throw new Error(`${page} has no program`);
  return Object.fromEntries([...reach(entry.fileName)].sort().map((file) => [`/${file}`, hashes[file]]));
};
// The first sentences are asked for together with the code that shows them: a round trip less, in either language.
const sentences = output
  .filter((chunk) => /\/participant\/i18n\/arriving\/(en|fr)\.ts$/.test(chunk.facadeModuleId ?? ''))
  .map((chunk) => `<link rel="modulepreload" crossorigin href="/${chunk.fileName}">`);
if (sentences.length !== 2) throw new Error('the first sentences are not where they are looked for');

for (const file of files.filter((name) => name.endsWith('.html'))) {
  let page = await readFile(join(out, file), 'utf8');
  if (file === 'participant.html') page = page.replace('</head>', `  ${sentences.join('\n    ')}\n  </head>`);
  page = page.replace(/ crossorigin/g, '').replace(/(src|href)="\/(assets\/[^"]+)"/g, (_, attribute, name) => {
    return `${attribute}="/${name}" integrity="${hashes[name]}" crossorigin="anonymous"`;
  });
  // What the programme says of itself is no part of the build: it is asked for while the code is on its way.
  page = page.replace('</head>', `  <link rel="preload" as="fetch" href="/v1/profile" crossorigin="anonymous">\n  </head>`);
  const map = `<script type="importmap">${JSON.stringify({ integrity: modulesOf(file) })}</script>`;
  page = page.replace('</title>', `</title>\n    ${map}`);
  await writeFile(join(out, file), page);
  hashes[file] = integrity(page);
}

// Relay cannot open Brotli: that a copy holds the same content is checked here, and relay holds it to its own hash.
const put = async (name, copy, opened, content) => {
  if (!opened.equals(content)) throw new Error(`${name} does not open to what it is a copy of`);
  await writeFile(join(out, name), copy);
  hashes[name] = integrity(copy);
};
for (const file of files.filter((name) => !name.endsWith('.woff2'))) {
  const content = await readFile(join(out, file));
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } };
  const [brotli, gzip] = [brotliCompressSync(content, quality), gzipSync(content, { level: 9 })];
  await put(`${file}.br`, brotli, brotliDecompressSync(brotli), content);
  await put(`${file}.gz`, gzip, gunzipSync(gzip), content);
}
await writeFile(join(out, 'integrity.json'), `${JSON.stringify(hashes, null, 2)}\n`);

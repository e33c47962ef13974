// Prints the catalogues of the pages, in both languages, as JSON: the tests look for what people read.

import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const web = new URL('../../../web/', import.meta.url);
const { createServer } = await import(pathToFileURL(createRequire(web).resolve('vite')));
const server = await createServer({
  configFile: false,
  root: web.pathname,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
});

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
  const area = /src\/(.+)\/(en|fr)\.ts$/.exec(path)[1].split('/').filter((part) => part !== 'i18n').join('/');
  (found[area] ??= {})[entry.name.slice(0, 2)] = plain(Object.values(await server.ssrLoadModule(path))[0]);
}
await server.close();
console.log(JSON.stringify(found));

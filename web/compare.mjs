// Compares the pages that a relay serves, in every encoding that it serves them in, with those that were built here:
// `npm run --silent compare https://relay.example`. Ends with 1 where anything differs.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const [relay, folder = new URL('../relay/pages', import.meta.url).pathname] = process.argv.slice(2);
if (relay === undefined) throw new Error('say which relay: compare https://relay.example');

const PATIENCE_MS = 30_000;
const OPEN = { identity: (content) => content, gzip: gunzipSync, br: brotliDecompressSync };
const ADDRESSES = {
  'participant.html': ['l/00000000-0000-4000-8000-000000000000', 'kiosk', 'receipt'],
  'console.html': ['console'],
};

function ask(address, coding) {
  const url = new URL(address, `${relay.replace(/\/+$/, '')}/`);
  return new Promise((answered, failed) => {
    const options = { headers: { 'accept-encoding': coding, 'cache-control': 'no-cache' }, timeout: PATIENCE_MS };
    const asking = (url.protocol === 'https:' ? secure : plain)(url, options, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', failed);
      answer.on('end', () => answered({ status: answer.statusCode, coded: answer.headers['content-encoding'] ?? 'identity', content: Buffer.concat(pieces) }));
    });
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.on('error', failed);
    asking.end();
  });
}

/** Null where it is the same. */
async function difference(address, coding, expected) {
  const { status, coded, content } = await ask(address, coding);
  if (status !== 200) return `answered ${status}`;
  if (coded !== 'identity' && coded !== coding) return `coded as ${coded}`;
  try {
    const served = createHash('sha384').update(OPEN[coded](content)).digest('base64');
    return `sha384-${served}` === expected ? null : 'another content';
  } catch {
    return `no ${coded}`;
  }
}

const hashes = JSON.parse(await readFile(`${folder}/integrity.json`, 'utf8'));
let different = 0;
for (const [name, expected] of Object.entries(hashes)) {
  if (/\.(br|gz)$/.test(name)) continue; // another Node may compress otherwise: what is inside is compared
  for (const address of ADDRESSES[name] ?? [name]) {
    for (const coding of Object.keys(OPEN)) {
      const found = await difference(address, coding, expected);
      if (found !== null) different += 1;
      console.log(found === null ? `same       /${address} (${coding})` : `DIFFERENT  /${address} (${coding}): ${found}`);
    }
  }
}
process.exitCode = different === 0 ? 0 : 1;

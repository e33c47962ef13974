// A small case system that embeds relay, in plain Node: cases with names, the console, webhooks. docs/start.md tells
// how it comes about. It has no logins: it listens on loopback and is for one person. A real one checks who asks.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pull, webhook } from './events.mjs';
import { consolePage, oneCase, overview, problem } from './pages.mjs';
import { NotDone, connect, keySet, registration, signingKey, tokenKey } from './relay.mjs';
import { openStore } from './store.mjs';

const setting = (name, otherwise) => {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) {
    throw new Error(`${name} is not set`);
  }
  return value;
};

const url = setting('HOST_URL');
const relayUrl = setting('HOST_RELAY_URL');
const fingerprint = setting('HOST_FINGERPRINT');
const integrity = setting('HOST_INTEGRITY');
const folder = setting('HOST_FOLDER', 'data');
const mediators = setting('HOST_MEDIATORS').split(',').map((one) => one.split('='))
  .map(([name, id]) => ({ name, id }));
mkdirSync(folder, { recursive: true, mode: 0o700 });
const key = tokenKey(join(folder, 'token.pem'));
const signing = signingKey(setting('HOST_SIGNING_KEY_FILE'));
const call = connect({ url: relayUrl, key, issuer: url });
const store = openStore(join(folder, 'store.json'));
const takeWebhook = webhook(store, setting('HOST_WEBHOOK_SECRET'));
const script = readFileSync(new URL('console.js', import.meta.url));

const policy = [
  "default-src 'none'", `script-src 'self' ${relayUrl}`, `frame-src ${relayUrl}`, 'img-src data:',
  "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
].join('; ');

const keep = (id, one) => {
  store.data.cases[id] = one;
  store.save();
};

/** The registration that relay is sent: all who take part, and who may open the case. */
const asked = (id, { reference, people, mediators: chosen }) => ({
  reference, participants: people, mediators: chosen, statement: registration(signing, id, chosen),
});

/** Sends a case to relay; one that was read before only if nobody changed it since. A PUT may be repeated. */
async function send(id, one) {
  const headers = one.etag ? { 'If-Match': one.etag } : {};
  const { etag, body } = await call('PUT', `/v1/cases/${id}`, 'cases:write', { body: asked(id, one), headers });
  keep(id, { ...one, etag, view: body });
}

/** The case as it is at relay now. One that did not get there is sent again. */
async function fresh(id) {
  const one = store.data.cases[id];
  if (one?.view === null) {
    await send(id, one);
  } else if (one !== undefined) {
    const { etag, body } = await call('GET', `/v1/cases/${id}`, 'cases:read');
    keep(id, { ...one, etag, view: body });
  }
  return store.data.cases[id];
}

async function register(form) {
  const id = randomUUID();
  const people = ['harmed', 'responsible'].map((role) => ({ participant: randomUUID(), role }));
  people.forEach(({ participant, role }) => { store.data.people[participant] = form.get(role); });
  const one = { reference: form.get('reference'), title: form.get('title'), people, mediators: [form.get('mediator')] };
  keep(id, { ...one, etag: null, view: null }); // the names are kept before relay hears of the case
  try {
    await send(id, store.data.cases[id]);
  } catch (error) {
    if (error.status < 500) { // relay does not take it as it is; what it could not take now is sent again later
      delete store.data.cases[id];
      people.forEach(({ participant }) => delete store.data.people[participant]);
      store.save();
    }
    throw error;
  }
  return `/cases/${id}`;
}

/** The console of a mediator: their sealed keys and the names of their own cases. */
async function showConsole(mediator, id) {
  const { body } = await call('GET', `/v1/credentials/${mediator.id}/keyring`, 'keyring:read');
  const own = Object.entries(store.data.cases).filter(([, one]) => one.mediators.includes(mediator.id));
  const people = own.flatMap(([, one]) => one.people.map(({ participant }) => participant));
  const names = {
    participants: Object.fromEntries(people.map((one) => [one, store.data.people[one]])),
    cases: Object.fromEntries(own.map(([one, { title }]) => [one, title])),
  };
  const handed = { relay: relayUrl, fingerprint, keyring: body.keyring, language: 'en', label: mediator.name, case: id, names };
  return consolePage(mediator, handed, integrity);
}

async function get([place, id, what, mediator]) {
  if (place === undefined) {
    return overview(store.data, mediators);
  }
  const one = place === 'cases' ? await fresh(id) : undefined;
  const who = mediators.find((each) => each.id === mediator);
  if (one === undefined || (what !== undefined && (what !== 'console' || who === undefined))) {
    throw new NotDone(404, { title: 'There is nothing at this address.' });
  }
  return what === 'console' ? showConsole(who, id) : oneCase(id, one, store.data, mediators);
}

async function post([place, id, what, value], form) {
  if (place === 'written') {
    store.data.toWrite = store.data.toWrite.filter(({ key: one }) => one !== id);
    store.save();
    return '/';
  }
  const one = store.data.cases[id];
  if (id === undefined) {
    return register(form);
  }
  if (what === 'mediators') {
    // The tag is that of the page on which this was decided.
    await send(id, { ...one, etag: form.get('etag'), mediators: [...one.mediators, value] });
  } else if (what === 'closing') {
    await call('PUT', `/v1/cases/${id}/closing`, 'cases:write', { body: { closed: value === 'close' } });
  }
  return `/cases/${id}`;
}

async function read(request) {
  const pieces = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > 64 * 1024) {
      throw new NotDone(413, { title: 'This is too much at once.' });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

async function handle(request, response) {
  const answer = (status, type, body, more = {}) => response.writeHead(status, {
    'Content-Type': type, 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin', 'Cache-Control': 'no-store', ...more,
  }).end(body);
  const { pathname } = new URL(request.url, url);
  const body = await read(request);
  if (pathname === '/jwks.json') {
    return answer(200, 'application/json', JSON.stringify(keySet(key)));
  }
  if (pathname === '/relay/events' && request.method === 'POST') {
    return response.writeHead(takeWebhook(body, request.headers)).end();
  }
  if (request.headers.host !== new URL(url).host || (request.method === 'POST' && request.headers.origin !== url)) {
    return answer(403, 'text/plain', 'This page does not answer pages of others.\n');
  }
  if (pathname === '/console.js') {
    return answer(200, 'text/javascript', script);
  }
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (request.method !== 'POST') {
    return answer(200, 'text/html; charset=utf-8', await get(parts));
  }
  const leadsTo = await post(parts, new URLSearchParams(body));
  return answer(303, 'text/plain', '', { Location: leadsTo });
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    const shown = error instanceof NotDone ? error : new NotDone(500, { title: 'This system made a mistake.' });
    console.error(error);
    response.writeHead(shown.status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy })
      .end(problem(shown.message));
  });
});
server.listen(Number(new URL(url).port), '127.0.0.1', () => console.log(`${url}/`));
if (setting('HOST_PULL', 'yes') === 'yes') {
  pull(store, call); // goes on until this process ends
}

// A case system in TypeScript that has nothing but types generated from docs/openapi.yaml, and openapi-fetch.
//
// It reads what to do from standard input, as JSON, and prints what came of it; `host.py` does the same.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type Schemas = components['schemas'];
type Told = Readonly<
  Record<'url' | 'token' | 'case' | 'reference' | 'harmed' | 'responsible' | 'mediator', string>
>;

const told = JSON.parse(readFileSync(0, 'utf8')) as Told;
const own = createClient<paths>({ baseUrl: told.url, headers: { Authorization: `Bearer ${told.token}` } });
const nobody = createClient<paths>({ baseUrl: told.url, headers: { Authorization: 'Bearer nobody' } });

function registration(mark = ''): Schemas['CaseRegistration'] {
  return {
    reference: told.reference + mark,
    participants: [
      { participant: told.harmed, role: 'harmed' },
      { participant: told.responsible, role: 'responsible' },
    ],
    mediators: [told.mediator],
    pairs: [],
    statement: null,
  };
}

function expect<Data>(answer: { data?: Data; error?: unknown }): Data {
  if (answer.data === undefined) {
    throw new Error(JSON.stringify(answer.error));
  }
  return answer.data;
}

function refusal(answer: { data?: unknown; error?: Schemas['Problem'] }): Schemas['Problem'] {
  if (answer.error === undefined) {
    throw new Error('a refusal was expected');
  }
  return answer.error;
}

const path = { case: told.case };
const registered = expect(await own.PUT('/v1/cases/{case}', { params: { path }, body: registration() }));
const read = expect(await own.GET('/v1/cases/{case}', { params: { path } }));
const first = expect(await own.GET('/v1/events', { params: { query: { limit: 1 } } }));
const page = expect(await own.GET('/v1/events', { params: { query: { after: 0, limit: 500 } } }));
const problems = [
  refusal(await own.GET('/v1/cases/{case}', { params: { path: { case: randomUUID() } } })),
  refusal(await nobody.GET('/v1/cases/{case}', { params: { path } })),
  refusal(
    await own.PUT('/v1/cases/{case}', {
      params: { path },
      body: registration('\0'),
      headers: { 'Accept-Language': 'fr' },
    }),
  ),
];
console.log(
  JSON.stringify({
    registered: registered.case,
    roles: read.participants.map((person) => person.role).sort(),
    page_of_one: first.events.length,
    events: page.events.map((event) => event.type),
    problems: problems.map((problem) => [problem.status, problem.code]),
    titles: problems.map((problem) => problem.title),
  }),
);

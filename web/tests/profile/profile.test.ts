/** A profile is taken as a whole or not at all, is drawn in both languages, and changes while a page is open. */

import fc from 'fast-check';
import type { TemplateResult } from 'lit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whatComesNext, whatHappensNext, whoToCall } from '../../src/participant/explaining';
import type { Arriving } from '../../src/participant/i18n';
import { en } from '../../src/participant/i18n/arriving/en';
import { fr } from '../../src/participant/i18n/arriving/fr';
import { paint, renderMark } from '../../src/profile/drawing';
import { inLanguage, readProfile, type Profile } from '../../src/profile/profile';
import { Profiles } from '../../src/profile/profiles';

const SCHEME = { accent: '#6a1b6e', accent_ink: '#ffffff', accent_wash: '#f5e8f6', focus: '#a05000' };
const HARBOUR: Profile = {
  name: { en: 'Harbour Programme', fr: 'Programme du Port' },
  review_time: { en: 'It takes a week.', fr: 'Cela prend une semaine.' },
  contact: {
    telephone: { shown: '+1 (613) 555-0100', dial: '+16135550100' },
    email: 'office@harbour.example',
    address: { en: '1 Quay Street\nOttawa', fr: '1, rue du Quai\nOttawa' },
    hours: { en: 'Monday to Friday', fr: 'Du lundi au vendredi' },
  },
  crisis_lines: [
    {
      name: { en: 'Night line', fr: 'Ligne de nuit' },
      telephone: { shown: '555-0199', dial: '5550199' },
      note: { en: 'Ask for Robin.', fr: 'Demandez Robin.' },
      hours: { en: 'At night.', fr: 'La nuit.' },
    },
  ],
  logo: { path: `/v1/profile/logo/${'a'.repeat(32)}.svg`, width: 300, height: 100 },
  colours: { light: SCHEME, dark: { ...SCHEME, accent: '#e3a6e8' } },
};
const TEXTS = { en, fr };
const LANGUAGES = ['en', 'fr'] as const;

/** Everything that a template has in it, markup and values, in its order. */
function drawn(value: unknown): string {
  if (Array.isArray(value)) return value.map(drawn).join('');
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null || !('strings' in value)) return '';
  const { strings, values } = value as TemplateResult;
  return strings.map((piece, at) => piece + drawn(values[at])).join('');
}

function texts(language: 'en' | 'fr', profile: Profile | null): Arriving {
  return { ...TEXTS[language], programme: profile === null ? null : inLanguage(profile, language) };
}

/** The profile with another value at a path; undefined takes it out. */
function changed(path: readonly string[], value: unknown): unknown {
  const copy: unknown = structuredClone(HARBOUR);
  const [last = '', ...before] = [...path].reverse();
  const place = before.reverse().reduce((found, name) => (found as Record<string, unknown>)[name], copy) as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
  return JSON.parse(JSON.stringify(copy));
}

function paths(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [...(at.length === 0 ? [] : [at]), ...Object.entries(value).flatMap(([name, each]) => paths(each, [...at, name]))];
}

describe('the answer of relay', () => {
  it('is read as it is', () => {
    expect(readProfile(structuredClone(HARBOUR))).toEqual(HARBOUR);
    const little = { ...HARBOUR, contact: { telephone: null, email: null, address: null, hours: null }, logo: null, colours: null };
    expect(readProfile(little)).toEqual(little);
  });

  it.each(paths(HARBOUR).map((path) => [path.join('.'), path] as const))('is refused as a whole without %s, or with something else there', (_, path) => {
    for (const wrong of [undefined, -5, true, [], {}, '', ' ', 'a\u202eb', 'x'.repeat(201)]) {
      expect(readProfile(changed(path, wrong))).toBeNull();
    }
  });

  it('dials what it shows, and nothing else', () => {
    for (const place of [['contact', 'telephone'], ['crisis_lines', '0', 'telephone']]) {
      for (const wrong of [{ shown: '9-1-2', dial: '911' }, { shown: '911', dial: '911;phone-context=x' }, { shown: '+911', dial: '911' }]) {
        expect(readProfile(changed(place, wrong))).toBeNull();
      }
    }
  });

  it('leads to no other place', () => {
    const [host, path] = ['https://x.example/', HARBOUR.logo?.path ?? ''];
    for (const wrong of [host + path, `/${path}`, `${path}?x`, 'data:image/svg+xml,x']) expect(readProfile(changed(['logo', 'path'], wrong))).toBeNull();
    for (const wrong of ['a@b.cc?cc=d@e.ff', 'a@b.cc,d@e.ff', '<a@b.cc>']) expect(readProfile(changed(['contact', 'email'], wrong))).toBeNull();
    for (const wrong of ['url(https://x.example)', 'red', 'var(--ink)']) expect(readProfile(changed(['colours', 'dark', 'focus'], wrong))).toBeNull();
  });

  it('may be anything at all', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => readProfile(value) === null));
  });
});

describe.each(LANGUAGES)('in %s a page', (language) => {
  const other = language === 'en' ? 'fr' : 'en';

  it('says whom to call and how to reach the programme, with numbers that are links', () => {
    const page = drawn(whoToCall(texts(language, HARBOUR)));
    const [line] = HARBOUR.crisis_lines;
    const { address, hours } = HARBOUR.contact;
    for (const said of [line?.name, line?.note, line?.hours, address, hours, HARBOUR.name]) {
      expect(page).toContain(said?.[language]);
      expect(page).not.toContain(said?.[other]);
    }
    expect(page).toContain('href="tel:5550199">555-0199</a>');
    expect(page).toContain('href="tel:+16135550100">+1 (613) 555-0100</a>');
    expect(page).toContain('href="mailto:office@harbour.example"');
    expect(page.match(/tel:/g)).toHaveLength(2);
  });

  it('says how long review takes', () => {
    const said = HARBOUR.review_time[language];
    const { programme } = texts(language, HARBOUR);
    expect(drawn(whatHappensNext(texts(language, HARBOUR)))).toContain(`${TEXTS[language].next.steps[1] ?? ''} ${said}`);
    expect(whatComesNext('in-review', 'Next.', programme)).toBe(`${said} Next.`);
    expect(whatComesNext('sent-back', 'Next.', programme)).toBe('Next.');
    expect(whatComesNext('in-review', 'Next.', null)).toBe('Next.');
  });

  it('has the name and the logo, and says nothing in their place while there is no profile', () => {
    const mark = drawn(renderMark(inLanguage(HARBOUR, language)));
    expect(mark).toContain(HARBOUR.name[language]);
    expect(mark).toContain(HARBOUR.logo?.path);
    expect(drawn(renderMark(null))).toBe('');
    const without = drawn(whoToCall(texts(language, null)));
    expect(without).toContain(TEXTS[language].help.mediator);
    expect(without).not.toContain('tel:');
  });
});

it('colours are set where there are some, and taken away where there are none', () => {
  const set = new Map<string, string>();
  const style = { setProperty: (name: string, value: string) => set.set(name, value), removeProperty: (name: string) => set.delete(name) };
  paint(HARBOUR.colours, style as unknown as CSSStyleDeclaration);
  expect(set.get('--light-accent')).toBe('#6a1b6e');
  expect(set.get('--dark-accent')).toBe('#e3a6e8');
  expect(set.get('--light-accent-ink')).toBe('#ffffff');
  expect(set.size).toBe(8);
  paint(null, style as unknown as CSSStyleDeclaration);
  expect(set.size).toBe(0);
});

describe('an open page', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });
  const OTHER: Profile = { ...HARBOUR, name: { en: 'Bridge', fr: 'Pont' } };

  it('waits for the profile, asks once for all who wait, and is told of another one as a whole', async () => {
    const ask = vi.fn().mockResolvedValue(JSON.stringify(HARBOUR));
    const profiles = new Profiles(ask);
    const seen: (Profile | null)[] = [];
    profiles.watch(() => seen.push(profiles.current));
    expect(await Promise.all([profiles.first(), profiles.first()])).toEqual([HARBOUR, HARBOUR]);
    expect(ask).toHaveBeenCalledTimes(1);
    await profiles.refresh();
    expect(seen).toEqual([HARBOUR]);
    ask.mockResolvedValue(JSON.stringify(OTHER));
    await profiles.refresh();
    expect(seen).toEqual([HARBOUR, OTHER]);
  });

  it.each([
    ['no answer', () => Promise.reject(new Error('offline'))],
    ['half an answer', () => Promise.resolve(JSON.stringify(OTHER).slice(0, -5))],
    ['a profile that lacks something', () => Promise.resolve(JSON.stringify({ ...OTHER, crisis_lines: [] }))],
  ])('keeps what it has where there is %s', async (_, answer) => {
    const ask = vi.fn<() => Promise<string>>().mockResolvedValueOnce(JSON.stringify(HARBOUR)).mockImplementation(answer);
    const profiles = new Profiles(ask);
    await profiles.first();
    await profiles.refresh();
    expect(profiles.current).toEqual(HARBOUR);
    expect(vi.getTimerCount()).toBeLessThan(2); // only the wait of the first page
  });

  it('begins without it where it does not come, asks again by itself, and is told when it is there', async () => {
    const ask = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error('offline')).mockRejectedValueOnce(new Error('offline'));
    ask.mockResolvedValue(JSON.stringify(HARBOUR));
    const profiles = new Profiles(ask);
    const told = vi.fn();
    profiles.watch(told);
    expect(await profiles.first()).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(profiles.current).toBeNull();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(profiles.current).toEqual(HARBOUR);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('does not wait for ever', async () => {
    const profiles = new Profiles(() => new Promise(() => undefined));
    const first = profiles.first();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await first).toBeNull();
  });

  it('tells nobody who has stopped watching', async () => {
    const profiles = new Profiles(() => Promise.resolve(JSON.stringify(HARBOUR)));
    const told = vi.fn();
    profiles.watch(told)();
    await profiles.refresh();
    expect(told).not.toHaveBeenCalled();
  });
});

/** The handshake between a case system's page and the console in its frame, with two windows that behave like browsers'. */

import { describe, expect, it } from 'vitest';
import { greetParent, NotEmbedded } from '../../src/console/embedding';
import { answerHello, namesMessage, open } from '../../src/embed/embed';
import {
  faultySetting,
  HELLO,
  readNames,
  readSettings,
  readSight,
  readTold,
  WELCOME,
  type EmbedSettings,
  type NamesMessage,
} from '../../src/embed/protocol';

const RELAY = 'https://relay.example';
const SYSTEM = 'https://cases.example';
const CASE = '0b8f9f5e-3f4b-4d1e-9a57-0d6f3f1f0c11';
const PERSON = '5d0f7c1e-93b2-4c34-8f5e-2f1f6f0f7a21';
const NAMES: NamesMessage = { relay: 'names', participants: { [PERSON]: 'Claire Tremblay' }, cases: { [CASE]: 'Tremblay' } };
const SETTINGS = {
  fingerprint: 'AAAAAAAAAAAAAAAAAAAAAA',
  keyring: 'YWdl',
  language: 'fr',
  case: CASE,
} as const satisfies Omit<EmbedSettings, 'relay'>;

/** A window: knows its own origin, and delivers only to the named origin, with the sender. */
class FakeWindow {
  private readonly listeners = new Set<(event: MessageEvent) => void>();
  readonly got: unknown[] = [];

  constructor(
    readonly origin: string,
    private readonly sender: () => FakeWindow,
  ) {}

  addEventListener(_: 'message', listener: (event: MessageEvent) => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_: 'message', listener: (event: MessageEvent) => void): void {
    this.listeners.delete(listener);
  }

  postMessage(data: unknown, origin: string, ports: readonly MessagePort[] = []): void {
    if (origin === this.origin) this.deliver(data, this.sender(), this.sender().origin, ports);
  }

  deliver(data: unknown, source: FakeWindow, origin: string, ports: readonly MessagePort[] = []): void {
    this.got.push(data);
    const event = { data, source, origin, ports } as unknown as MessageEvent;
    for (const listener of [...this.listeners]) listener(event);
  }

  get listening(): number {
    return this.listeners.size;
  }
}

/** A case system's page and the console's frame in it. */
function windows(parentOrigin = SYSTEM, frameOrigin = RELAY): { parent: FakeWindow; frame: FakeWindow } {
  const parent: FakeWindow = new FakeWindow(parentOrigin, () => frame);
  const frame: FakeWindow = new FakeWindow(frameOrigin, () => parent);
  return { parent, frame };
}

function embed(
  parent: FakeWindow,
  frame: FakeWindow,
  told: unknown[] = [],
  settings: object = SETTINGS,
  patienceMs?: number,
): ReturnType<typeof answerHello> {
  const failed = (code: string): void => void told.push({ embedder: code });
  const embedder = { names: NAMES, told: (message: unknown): void => void told.push(message), failed };
  return answerHello(parent, () => frame as unknown as Window, RELAY, { relay: 'settings', ...(settings as typeof SETTINGS) }, embedder, patienceMs);
}

const arrived = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('the handshake', () => {
  it('hands the settings over a port, and everything after goes over it', async () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    const handshake = embed(parent, frame, told);
    const embedding = await greetParent(frame, parent, [SYSTEM]);
    expect(embedding.settings).toEqual({ relay: 'settings', ...SETTINGS });
    embedding.tell({ relay: 'locked' });
    await arrived();
    expect(told).toEqual([{ relay: 'taken' }, { relay: 'locked' }]);
    expect(frame.listening).toBe(0);
    expect(JSON.stringify([parent.got, frame.got])).not.toContain(SETTINGS.keyring);
    handshake.stop();
    expect(parent.listening).toBe(0);
  });

  it('says hello to nobody but the origins that relay allows', async () => {
    const { parent, frame } = windows('https://elsewhere.example');
    embed(parent, frame);
    await expect(greetParent(frame, parent, [SYSTEM], 30)).rejects.toEqual(new NotEmbedded('no-answer'));
    expect(parent.got).toEqual([]);
    await expect(greetParent(frame, parent, [], 30)).rejects.toEqual(new NotEmbedded('not-allowed'));
  });

  it('takes no welcome from another origin, even from the right window', async () => {
    const { parent, frame } = windows();
    const greeting = greetParent(frame, parent, [SYSTEM], 30);
    const { port2 } = new MessageChannel();
    frame.deliver(WELCOME, parent, 'https://cases.example.evil.example', [port2]);
    await expect(greeting).rejects.toEqual(new NotEmbedded('no-answer'));
  });

  it('takes no welcome from another window, even of the right origin', async () => {
    const { parent, frame } = windows();
    const greeting = greetParent(frame, parent, [SYSTEM], 30);
    const other = new FakeWindow(SYSTEM, () => frame);
    frame.deliver(WELCOME, other, SYSTEM, [new MessageChannel().port2]);
    await expect(greeting).rejects.toEqual(new NotEmbedded('no-answer'));
  });

  it('takes one welcome: a second changes nothing', async () => {
    const { parent, frame } = windows();
    embed(parent, frame);
    const { settings } = await greetParent(frame, parent, [SYSTEM]);
    const second = new MessageChannel();
    const heard: unknown[] = [];
    second.port1.onmessage = ({ data }: MessageEvent) => void heard.push(data);
    frame.deliver(WELCOME, parent, SYSTEM, [second.port2]);
    second.port1.postMessage({ relay: 'settings', ...SETTINGS, fingerprint: 'BBBBBBBBBBBBBBBBBBBBBA' });
    await arrived();
    expect(heard).toEqual([]);
    expect(settings.fingerprint).toBe(SETTINGS.fingerprint);
    second.port1.close();
  });

  it('takes no garbage: no port, two ports, other words', async () => {
    const { parent, frame } = windows();
    const greeting = greetParent(frame, parent, [SYSTEM], 30);
    const [one, two] = [new MessageChannel().port2, new MessageChannel().port2];
    frame.deliver(WELCOME, parent, SYSTEM);
    frame.deliver(WELCOME, parent, SYSTEM, [one, two]);
    for (const garbage of [null, 'console-welcome', 7, {}, { ...WELCOME, version: 2 }, HELLO]) frame.deliver(garbage, parent, SYSTEM, [one]);
    await expect(greeting).rejects.toEqual(new NotEmbedded('no-answer'));
  });

  it('refuses settings that are not settings, and says so', async () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    embed(parent, frame, told, { ...SETTINGS, fingerprint: 'short' });
    await expect(greetParent(frame, parent, [SYSTEM])).rejects.toEqual(new NotEmbedded('no-answer'));
    await arrived();
    expect(told).toEqual([{ relay: 'failed', code: 'invalid-settings' }]);
  });
});

describe('names', () => {
  it('come with the settings and are replaced at any time; a frame that was loaded again has the latest', async () => {
    const { parent, frame } = windows();
    const handshake = embed(parent, frame);
    const embedding = await greetParent(frame, parent, [SYSTEM]);
    await arrived();
    const given: unknown[] = [];
    embedding.watchNames(({ participants, cases }) => void given.push([participants, cases]));
    handshake.tell(namesMessage({ participants: { [PERSON]: 'Claire Roy' } }));
    await arrived();
    expect(given).toEqual([[NAMES.participants, NAMES.cases], [{ [PERSON]: 'Claire Roy' }, {}]]);
    const again = await greetParent(frame, parent, [SYSTEM]);
    await arrived();
    const latest: unknown[] = [];
    again.watchNames(({ participants }) => void latest.push(participants));
    expect(latest).toEqual([{ [PERSON]: 'Claire Roy' }]);
    handshake.stop();
  });

  const MANY = Object.fromEntries(
    Array.from({ length: 20_001 }, (_, place) => [`0b8f9f5e-3f4b-4d1e-9a57-${String(place).padStart(12, '0')}`, 'x']),
  );

  it.each([
    ['a word', 'names'],
    ['another message', { relay: 'sight', participants: {}, cases: {} }],
    ['half of them', { relay: 'names', participants: {} }],
    ['a reference that is none', { relay: 'names', participants: { claire: 'Claire' }, cases: {} }],
    ['a name that is no text', { relay: 'names', participants: {}, cases: { [CASE]: { toString: 'Claire' } } }],
    ['a name that no name can be', { relay: 'names', participants: { [PERSON]: 'x'.repeat(1001) }, cases: {} }],
    ['more than any organization has', { relay: 'names', participants: MANY, cases: {} }],
  ])('are not read from %s, and change nothing', async (_, said) => {
    expect(readNames(said)).toBeNull();
    const { parent, frame } = windows();
    const handshake = embed(parent, frame);
    const embedding = await greetParent(frame, parent, [SYSTEM]);
    await arrived();
    handshake.tell(said as NamesMessage);
    await arrived();
    const given: unknown[] = [];
    embedding.watchNames((names) => void given.push(names));
    expect(given).toEqual([NAMES]);
    handshake.stop();
  }, 10_000);

  it('are refused at once where a page calls for it', () => {
    expect(() => namesMessage({ participants: { claire: 'Claire' } })).toThrow(TypeError);
    expect(() => namesMessage({ cases: { [CASE]: 7 as unknown as string } })).toThrow(TypeError);
    expect(namesMessage({})).toEqual({ relay: 'names', participants: {}, cases: {} });
  });

  it('are given once: what the page does with its object later changes nothing', () => {
    const participants = { [PERSON]: 'Claire' };
    const message = namesMessage({ participants });
    participants[PERSON] = 'Denis';
    expect(message.participants).toEqual({ [PERSON]: 'Claire' });
  });
});

describe('what is in sight', () => {
  it('is heard over the port, the last of it also by whoever watches later', async () => {
    const { parent, frame } = windows();
    const handshake = embed(parent, frame);
    const embedding = await greetParent(frame, parent, [SYSTEM]);
    handshake.tell({ relay: 'sight', top: 40, height: 700 });
    await arrived();
    const seen: unknown[] = [];
    embedding.watchSight(({ top, height }) => void seen.push([top, height]));
    handshake.tell({ relay: 'sight', top: 1500, height: 300 });
    await arrived();
    expect(seen).toEqual([[40, 700], [1500, 300]]);
    handshake.stop();
    handshake.tell({ relay: 'sight', top: 0, height: 1 });
    await arrived();
    expect(seen).toHaveLength(2);
  });

  it.each([
    null,
    7,
    {},
    { relay: 'settings', ...SETTINGS },
    { relay: 'sight', top: '1', height: 2 },
    { relay: 'sight', top: -1, height: 2 },
    { relay: 'sight', top: 1, height: 0 },
    { relay: 'sight', top: Number.NaN, height: 2 },
    { relay: 'sight', top: 1, height: Number.POSITIVE_INFINITY },
    { relay: 'sight', top: 1 },
  ])('is nothing else: %j', (said) => {
    expect(readSight(said)).toBeNull();
  });
});

describe('the page around', () => {
  it('answers nobody but its own frame at exactly relay’s origin', () => {
    const { parent, frame } = windows();
    embed(parent, frame);
    const stranger = new FakeWindow(RELAY, () => parent);
    parent.deliver(HELLO, stranger, RELAY);
    parent.deliver(HELLO, frame, 'https://relay.example:8443');
    parent.deliver(HELLO, frame, 'null');
    for (const garbage of [null, 'console-hello', {}, { ...HELLO, version: 2 }, WELCOME]) parent.deliver(garbage, frame, RELAY);
    expect(frame.got).toEqual([]);
    expect(stranger.got).toEqual([]);
    parent.deliver(HELLO, frame, RELAY);
    expect(frame.got).toEqual([WELCOME]);
  });

  it('gives a frame that was loaded again a new port, and listens to the old one no more', async () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    const handshake = embed(parent, frame, told);
    const first = await greetParent(frame, parent, [SYSTEM]);
    const second = await greetParent(frame, parent, [SYSTEM]);
    await arrived();
    told.length = 0;
    first.tell({ relay: 'locked' });
    second.tell({ relay: 'title', title: 'x' });
    await arrived();
    expect(told).toEqual([{ relay: 'title', title: 'x' }]);
    handshake.stop();
  });
});

describe('a failure', () => {
  it('is told where no console answers in time, and not where one has', async () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    embed(parent, frame, told, SETTINGS, 15).stop();
    await arrived();
    expect(told).toEqual([]);
    const waiting = embed(parent, frame, told, SETTINGS, 15);
    await arrived();
    expect(told).toEqual([{ embedder: 'no-answer' }]);
    waiting.stop();
    told.length = 0;
    const answered = embed(parent, frame, told, SETTINGS, 15);
    parent.deliver(HELLO, frame, RELAY);
    await arrived();
    expect(told).toEqual([]);
    answered.stop();
  });

  it('is told where the console is of another version, which is not answered', () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    const handshake = embed(parent, frame, told);
    parent.deliver({ ...HELLO, version: 2 }, new FakeWindow(RELAY, () => parent), RELAY);
    parent.deliver({ ...HELLO, version: 2 }, frame, 'https://elsewhere.example');
    expect(told).toEqual([]);
    parent.deliver({ ...HELLO, version: 2 }, frame, RELAY);
    expect(told).toEqual([{ embedder: 'version-mismatch' }]);
    expect(frame.got).toEqual([]);
    handshake.stop();
  });

  it('is thrown at once for settings that cannot be right, by name', () => {
    const given = { relay: RELAY, ...SETTINGS };
    expect(() => open({} as Element, { ...given, fingerprint: 'short' })).toThrow(/"fingerprint"/);
    expect(() => open({} as Element, { ...given, case: 'R-12' })).toThrow(/"case"/);
    expect(() => open({} as Element, { ...given, relay: 'relay' })).toThrow(TypeError);
    expect(() => open({} as Element, { ...given, names: { cases: { [CASE]: 7 as unknown as string } } })).toThrow(/names/);
  });
});

describe('what the console tells', () => {
  const counts = { waiting: 3, secondApprovals: 1, claims: 0, casesToOpen: 2 };

  it.each([
    { relay: 'taken' },
    { relay: 'locked' },
    { relay: 'ready', screen: 'unlock' },
    { relay: 'navigated', screen: 'review', message: PERSON },
    { relay: 'navigated', screen: 'case', case: CASE },
    { relay: 'failed', code: 'wrong-credential' },
    { relay: 'attention', ...counts },
    { relay: 'height', pixels: 700 },
    { relay: 'title', title: 'Queue' },
  ])('is read, and nothing else with it: %j', (said) => {
    expect(readTold({ ...said, name: 'Claire', text: 'a letter' })).toEqual(said);
  });

  it.each([
    null,
    'ready',
    {},
    { relay: 'sight', top: 0, height: 1 },
    { relay: 'ready' },
    { relay: 'navigated', screen: 'elsewhere' },
    { relay: 'navigated', screen: 'case', case: 'R-12' },
    { relay: 'navigated', screen: 'review', message: { toString: 'x' } },
    { relay: 'failed', code: 'Something went wrong' },
    { relay: 'attention', ...counts, waiting: -1 },
    { relay: 'attention', ...counts, claims: '2' },
    { relay: 'attention', ...counts, casesToOpen: 1.5 },
    { relay: 'attention', waiting: 3 },
    { relay: 'height', pixels: Number.NaN },
    { relay: 'title', title: 7 },
    { relay: 'title', title: 'x'.repeat(1001) },
  ])('is nothing else: %j', (said) => {
    expect(readTold(said)).toBeNull();
  });

  it('does not reach the page around if it is not that', async () => {
    const { parent, frame } = windows();
    const told: unknown[] = [];
    const handshake = embed(parent, frame, told);
    const embedding = await greetParent(frame, parent, [SYSTEM]);
    embedding.tell({ relay: 'failed', code: 'a secret' as 'offline' });
    embedding.tell({ relay: 'navigated', screen: 'queue', case: 'a letter' });
    await arrived();
    expect(told).toEqual([{ relay: 'taken' }]);
    handshake.stop();
  });
});

describe('settings', () => {
  it.each([
    ['nothing', null],
    ['another message', { relay: 'height', pixels: 3 }],
    ['a keyring that is not Base64', { relay: 'settings', ...SETTINGS, keyring: 'age!' }],
    ['a keyring larger than any', { relay: 'settings', ...SETTINGS, keyring: 'YWdl'.repeat(30_000) }],
    ['a language that is not spoken', { relay: 'settings', ...SETTINGS, language: 'de' }],
    ['a case that is none', { relay: 'settings', ...SETTINGS, case: '../x' }],
    ['a label that is none', { relay: 'settings', ...SETTINGS, label: {} }],
  ])('are not read from %s', (_, said) => {
    expect(readSettings(said)).toBeNull();
  });

  it('keep only what they may have', () => {
    expect(readSettings({ relay: 'settings', ...SETTINGS, token: 'x' })).toEqual({ relay: 'settings', ...SETTINGS });
  });

  it.each(['fingerprint', 'keyring', 'language'])('name what is missing: %s', (name) => {
    expect(faultySetting({ ...SETTINGS, [name]: undefined })).toBe(name);
    expect(faultySetting(SETTINGS)).toBeNull();
  });
});

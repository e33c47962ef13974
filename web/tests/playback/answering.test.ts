/** The service worker's responses: ranges as RFC 9110 defines them, bytes only as they are read, and replaced ports. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Players, requestedSpan, RUN_BYTES } from '../../src/playback/answering';
import type { RangeWanted } from '../../src/playback/protocol';
import fc from '../chance';

const SIZE = 2 * RUN_BYTES + 1000;
const film = Uint8Array.from({ length: SIZE }, (_, at) => (at * 7 + (at >> 8)) % 251);
const ADDRESS = 'https://relay.test/playback/one';

const opened: MessagePort[] = [];
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
  vi.useRealTimers();
});

/** The key worker's end of a port: serves the film, and records requests. */
function keyWorker(asked: RangeWanted[], give: (wanted: RangeWanted) => Uint8Array | null | 'silence' = ({ from, to }) => film.slice(from, to)): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<RangeWanted>) => {
    asked.push(data);
    const bytes = give(data);
    if (bytes === 'silence') return;
    const buffer = bytes === null ? null : new Uint8Array(bytes).buffer;
    port1.postMessage({ id: data.id, bytes: buffer }, buffer === null ? [] : [buffer]);
  };
  opened.push(port1, port2);
  return port2;
}

function playing(asked: RangeWanted[] = [], give?: Parameters<typeof keyWorker>[1]): Players {
  const players = new Players();
  players.add('one', keyWorker(asked, give), SIZE, 'video/mp4');
  return players;
}

const nobody = (): Promise<boolean> => Promise.resolve(false);
const request = (range?: string, method = 'GET'): Request => new Request(ADDRESS, { method, headers: range === undefined ? {} : { Range: range } });

describe('what a Range header asks for', () => {
  it.each([
    [null, 'all'],
    ['bytes=0-', { from: 0, to: 100 }],
    ['bytes=0-0', { from: 0, to: 1 }],
    ['bytes=10-19', { from: 10, to: 20 }],
    ['bytes=90-500', { from: 90, to: 100 }],
    ['bytes=-10', { from: 90, to: 100 }],
    ['bytes=-500', { from: 0, to: 100 }],
    ['BYTES=5-', { from: 5, to: 100 }],
    ['bytes=100-', null],
    ['bytes=-0', null],
    ['bytes=20-10', 'all'],
    ['bytes=0-1,5-6', 'all'],
    ['bytes=-', 'all'],
    ['items=0-1', 'all'],
  ] as const)('%s', (header, span) => {
    expect(requestedSpan(header, 100)).toEqual(span);
  });

  it('is never outside the video, nor empty', () => {
    const number = fc.option(fc.nat(5000), { nil: '' });
    fc.assert(
      fc.property(number, number, fc.nat(3000), (first, last, size) => {
        const span = requestedSpan(`bytes=${first}-${last}`, size);
        if (span === null || span === 'all') return;
        expect(span.from).toBeGreaterThanOrEqual(0);
        expect(span.to).toBeLessThanOrEqual(size);
        expect(span.to).toBeGreaterThan(span.from);
      }),
    );
  });
});

describe('an answer', () => {
  it('is the whole video where no range is asked for', async () => {
    const answer = await playing().answer('one', request(), nobody);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Accept-Ranges')).toBe('bytes');
    expect(answer.headers.get('Content-Length')).toBe(String(SIZE));
    expect(answer.headers.get('Content-Type')).toBe('video/mp4');
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(answer.headers.has('Content-Range')).toBe(false);
    expect(Buffer.from(await answer.arrayBuffer()).equals(film)).toBe(true);
  });

  it.each([
    ['bytes=100-', 100, SIZE],
    [`bytes=${RUN_BYTES - 5}-${RUN_BYTES + 4}`, RUN_BYTES - 5, RUN_BYTES + 5],
    ['bytes=-10', SIZE - 10, SIZE],
  ])('to %s is that part', async (range, from, to) => {
    const answer = await playing().answer('one', request(range), nobody);
    expect(answer.status).toBe(206);
    expect(answer.headers.get('Content-Range')).toBe(`bytes ${from}-${to - 1}/${SIZE}`);
    expect(answer.headers.get('Content-Length')).toBe(String(to - from));
    expect(Buffer.from(await answer.arrayBuffer()).equals(film.subarray(from, to))).toBe(true);
  });

  it('says how long the video is where a range is beyond it', async () => {
    const answer = await playing().answer('one', request(`bytes=${SIZE}-`), nobody);
    expect(answer.status).toBe(416);
    expect(answer.headers.get('Content-Range')).toBe(`bytes */${SIZE}`);
  });

  it('to HEAD has no body, and to anything else there is none', async () => {
    const asked: RangeWanted[] = [];
    const players = playing(asked);
    expect((await players.answer('one', request(undefined, 'HEAD'), nobody)).body).toBeNull();
    expect((await players.answer('one', request(undefined, 'POST'), nobody)).status).toBe(405);
    expect(asked).toEqual([]);
  });

  it('is fetched only as far as it is read, in runs that end where the key worker’s end', async () => {
    const asked: RangeWanted[] = [];
    const answer = await playing(asked).answer('one', request('bytes=500-'), nobody);
    expect(asked).toEqual([]);
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.byteLength).toBe(RUN_BYTES - 500);
    expect(asked.map(({ from, to }) => [from, to])).toEqual([[500, RUN_BYTES]]);
    await reader?.cancel();
    await new Promise((later) => setTimeout(later, 20));
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['refused', null],
    ['short', film.slice(0, 3)],
  ])('breaks where a run is %s, and gives no wrong byte', async (_, bytes) => {
    const answer = await playing([], () => bytes).answer('one', request('bytes=0-99'), nobody);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });
});

describe('a player', () => {
  it('that nobody has is not found', async () => {
    expect((await new Players().answer('one', request(), nobody)).status).toBe(404);
  });

  it('that a page hands over again after a restart is answered, and asked for once', async () => {
    const players = new Players();
    const ask = vi.fn(() => Promise.resolve(true));
    const answers = ['bytes=0-9', 'bytes=10-19'].map((range) => players.answer('one', request(range), ask));
    await vi.waitFor(() => expect(ask).toHaveBeenCalled());
    players.add('one', keyWorker([]), SIZE, 'video/mp4');
    const [first, second] = await Promise.all(answers);
    expect(new Uint8Array((await first?.arrayBuffer()) ?? [])).toEqual(film.slice(0, 10));
    expect(new Uint8Array((await second?.arrayBuffer()) ?? [])).toEqual(film.slice(10, 20));
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('that is not handed over in time is not found', async () => {
    vi.useFakeTimers();
    const answer = new Players().answer('one', request(), () => Promise.resolve(true));
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await answer).status).toBe(404);
  });

  it('whose port fell silent goes on over the next one', async () => {
    const asked: RangeWanted[] = [];
    const players = playing(asked, () => 'silence');
    const bytes = (await players.answer('one', request('bytes=0-9'), nobody)).arrayBuffer();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    players.add('one', keyWorker([]), SIZE, 'video/mp4');
    expect(new Uint8Array(await bytes)).toEqual(film.slice(0, 10));
  });

  it('that is gone breaks what was being read, and is not found again', async () => {
    const asked: RangeWanted[] = [];
    const players = playing(asked, () => 'silence');
    const bytes = (await players.answer('one', request('bytes=0-9'), nobody)).arrayBuffer();
    const broke = expect(bytes).rejects.toThrow();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    players.remove('one');
    await broke;
    expect((await players.answer('one', request(), nobody)).status).toBe(404);
  });
});

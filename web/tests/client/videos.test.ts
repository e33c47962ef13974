/** The life of a video: sealed while it is sent, interrupted and resumed, processed, reviewed, released and played. */

import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import type { ParticipantClient, ReviewItem, SendingProgress } from '../../src/client/contract';
import type { RangeGiven, RangeWanted } from '../../src/playback/protocol';
import { Browser, linkOf, mediator, nextCharter, openCase, refusal, relay, unlocked } from './people';

const MIB = 1024 * 1024;

/** A file that is no video: sent anyway, and detected only when processed. */
function noise(size: number): Blob {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return new Blob([bytes]);
}

async function phoneVideo(): Promise<Blob> {
  return new Blob([new Uint8Array(await readFile(relay.video))], { type: 'video/quicktime' });
}

/** A file that does something when it is read. */
class ReadFile extends Blob {
  constructor(
    private readonly content: Blob,
    private readonly asked: () => void,
  ) {
    super([content]);
  }

  override slice(from?: number, to?: number): Blob {
    const { asked } = this;
    const part = this.content.slice(from, to);
    return Object.assign(part, {
      arrayBuffer: async (): Promise<ArrayBuffer> => {
        asked();
        return Blob.prototype.arrayBuffer.call(part);
      },
    });
  }
}

/** Sends, and interrupts once `enough` holds; returns the reported progress. */
async function brokenOff(
  person: ParticipantClient,
  to: string,
  file: Blob,
  enough: (progress: SendingProgress) => boolean,
): Promise<SendingProgress[]> {
  const told: SendingProgress[] = [];
  const sending = person.sendVideo({ to, language: 'en', file, mediaType: 'video/mp4' }, (progress) => {
    told.push(progress);
    if (enough(progress)) void person.pauseVideo();
  });
  expect((await refusal(sending)).refusal).toBe('paused');
  return told;
}

async function reviewed(someone: Awaited<ReturnType<typeof mediator>>, message: string): Promise<ReviewItem> {
  await expect.poll(async () => (await someone.review(message)).state, { timeout: 50_000, interval: 500 }).toBe('queued');
  return someone.lease(message);
}

describe('a video', () => {
  it('is prepared, reviewed, captioned, released, and played range by range', async () => {
    const { mediator: someone, harmed, responsible, harmedId } = await openCase({ captions: 'required' });
    const told: SendingProgress[] = [];
    const file = await phoneVideo();
    const video = { to: harmedId, language: 'en', file, mediaType: 'video/quicktime' } as const;
    const { message, view } = await responsible.sendVideo(video, (progress) => told.push(progress));
    expect(view).toBe('preparing');
    expect(await responsible.unfinishedVideos()).toEqual([]);
    expect(told.at(-1)).toMatchObject({ stage: 'finishing', sentBytes: told[0]?.totalBytes, safeToClose: true });
    for (const { sentBytes, sealedBytes, totalBytes } of told) {
      expect(sentBytes).toBeLessThanOrEqual(sealedBytes);
      expect(sealedBytes).toBeLessThanOrEqual(totalBytes);
    }

    let item = await reviewed(someone, message);
    expect(item.video).toMatchObject({ mediaType: 'video/mp4', hasPicture: true });
    expect(item.video?.poster?.type).toBe('image/jpeg');
    expect(item.preparedBy).not.toBeNull();
    expect(await someone.captionsText(message)).toBeNull();
    const captions = 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n';
    item = await someone.caption(message, { text: captions, language: 'en' });
    expect(item.captions).toEqual({ by: 'mediator', language: 'en', exception: null });
    expect(await someone.captionsText(message)).toBe(captions);
    await someone.decide(message, { decision: 'approve' });
    await someone.offer(message, { contentNote: 'A video of four seconds.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    const opened = await harmed.open(message);
    expect(opened).toMatchObject({ kind: 'video', text: null, captions });

    const part = opened.video?.part ?? '';
    const whole = new Uint8Array(await (await harmed.blob(part)).arrayBuffer());
    expect(whole.length).toBe(opened.video?.sizeBytes);
    expect(new TextDecoder().decode(whole.subarray(4, 8))).toBe('ftyp');
    const { port1, port2 } = new MessageChannel();
    await harmed.serve(part, port2);
    for (const [id, [from, to]] of ([[0, 2], [1000, 70_000], [whole.length - 5, whole.length + 5]] as const).entries()) {
      const given = await new Promise<RangeGiven>((resolve) => {
        port1.onmessage = ({ data }: MessageEvent<RangeGiven>) => { resolve(data); };
        port1.postMessage({ id, from, to } satisfies RangeWanted);
      });
      expect(given.id).toBe(id);
      expect(Buffer.from(given.bytes ?? new ArrayBuffer()).equals(Buffer.from(whole.slice(from, to)))).toBe(true);
    }
    port1.close();
  });

  it('that no one can play comes back to its sender with the reason', async () => {
    const { mediator: someone, responsible, harmedId } = await openCase();
    const { message } = await responsible.sendVideo({ to: harmedId, language: 'en', file: noise(70_000), mediaType: 'video/mp4' }, () => undefined);
    await expect.poll(async () => (await responsible.correspondence()).sent[0]?.view, { timeout: 50_000, interval: 500 }).toBe('not-prepared');
    const failure = (await responsible.correspondence()).sent[0]?.failure;
    expect(failure?.en).toMatch(/\.$/);
    expect(failure?.fr).toMatch(/\.$/);
    expect((await someone.decide(message, { decision: 'retry' })).state).toBe('processing');
  });
});

describe('a charter that changes while a video is sent', () => {
  it('has it granted and signed once more, and not sent again', async () => {
    const asked: string[] = [];
    const browser = new Browser((url, init) => {
      asked.push(`${init.method ?? 'GET'} ${new URL(url).pathname}`);
      return fetch(url, init);
    });
    const { case: opened, responsible, harmedId } = await openCase({}, { responsible: browser });
    await nextCharter(opened.case, () => ({}));
    const video = { to: harmedId, language: 'en', file: noise(MIB), mediaType: 'video/mp4', assistant: 'M. Roy' } as const;
    const progress: SendingProgress[] = [];
    expect((await responsible.sendVideo(video, (now) => progress.push(now))).view).toBe('preparing');
    expect(asked.filter((one) => one.startsWith('PUT') && one.endsWith('/revisions/1'))).toHaveLength(2);
    expect(asked.filter((one) => one === 'GET /v1/trust')).toHaveLength(1);
    const sent = progress.map(({ sentBytes }) => sentBytes);
    expect([...sent].sort((one, other) => one - other)).toEqual(sent);
  });
});

describe('a video that was broken off', () => {
  it('goes on in another page without its file, where the device kept all of it', async () => {
    const browser = new Browser();
    const { responsible, responsibleUrl, harmedId } = await openCase({}, { responsible: browser });
    const told = await brokenOff(responsible, harmedId, noise(30 * MIB), ({ safeToClose, sentBytes }) => safeToClose && sentBytes > 0);
    expect(told.some(({ stage: now }) => now === 'sending')).toBe(true);
    await responsible.lock();

    const again = await unlocked(responsibleUrl, browser);
    const [video] = await again.unfinishedVideos();
    expect(video).toMatchObject({ to: harmedId, whole: true });
    const sent = await again.resumeVideo(video?.id ?? '', null, () => undefined);
    expect(sent).toMatchObject({ message: video?.id, view: 'preparing' });
    expect(await again.unfinishedVideos()).toEqual([]);
  });

  it('can be resumed from the moment progress is reported, before anything is sealed', async () => {
    const { responsible, harmedId } = await openCase();
    const file = noise(MIB);
    const [first] = await brokenOff(responsible, harmedId, file, () => true);
    expect(first).toMatchObject({ stage: 'sealing', sealedBytes: 0, sentBytes: 0 });
    const [video, ...others] = await responsible.unfinishedVideos();
    expect(others).toEqual([]);
    expect((await responsible.resumeVideo(video?.id ?? '', file, () => undefined)).view).toBe('preparing');
    expect(await responsible.unfinishedVideos()).toEqual([]);
  });

  it('is not begun where its sender stops it while its beginning is read', async () => {
    const { responsible, harmedId } = await openCase();
    const file = new ReadFile(noise(MIB), () => void responsible.pauseVideo());
    const stopped = refusal(responsible.sendVideo({ to: harmedId, language: 'en', file, mediaType: 'video/mp4' }, () => undefined));
    expect((await stopped).refusal).toBe('paused');
    expect(await responsible.unfinishedVideos()).toEqual([]);
    expect((await responsible.correspondence()).sent).toEqual([]);
  });

  it('asks for the same file where the device kept only the beginning, and takes no other', async () => {
    const browser = new Browser();
    const { responsible, responsibleUrl, harmedId } = await openCase({}, { responsible: browser });
    const file = noise(40 * MIB);
    await brokenOff(responsible, harmedId, file, ({ sealedBytes }) => sealedBytes > 17 * MIB);
    const again = await unlocked(responsibleUrl, browser);
    const [video] = await again.unfinishedVideos();
    const id = video?.id ?? '';
    expect(video?.whole).toBe(false);
    expect((await refusal(again.resumeVideo(id, null, () => undefined))).refusal).toBe('file-unreadable');
    expect((await refusal(again.resumeVideo(id, noise(40 * MIB), () => undefined))).refusal).toBe('file-unreadable');
    const altered = new Blob([file.slice(0, 9 * MIB), new Uint8Array(1), file.slice(9 * MIB + 1)]);
    expect((await refusal(again.resumeVideo(id, altered, () => undefined))).refusal).toBe('file-unreadable');
    expect((await again.resumeVideo(id, file, () => undefined)).view).toBe('preparing');
  });

  it('is sent again from the beginning where relay has given the upload up', async () => {
    const bearers: string[] = [];
    const browser = new Browser((url, init) => {
      const { authorization } = Object.fromEntries(new Headers(init.headers)) as { authorization?: string };
      if (authorization !== undefined) bearers.push(authorization);
      return fetch(url, init);
    });
    const { responsible, responsibleUrl, harmedId } = await openCase({}, { responsible: browser });
    const file = noise(20 * MIB);
    await brokenOff(responsible, harmedId, file, ({ sentBytes }) => sentBytes > 8 * MIB);
    const kept = (await (await browser.device()).videos(linkOf(responsibleUrl).id))[0];
    const given = await fetch(`${relay.url}${kept?.upload ?? ''}`, {
      method: 'DELETE',
      headers: { 'Tus-Resumable': '1.0.0', Authorization: bearers.at(-1) ?? '' },
    });
    expect(given.status).toBe(204);
    const id = kept?.id ?? '';
    expect((await refusal(responsible.resumeVideo(id, null, () => undefined))).refusal).toBe('file-unreadable');
    expect((await responsible.resumeVideo(id, file, () => undefined)).view).toBe('preparing');
  });

  it('waits for a connection and goes on by itself', async () => {
    let online = true;
    const browser = new Browser((url, init) => (online ? fetch(url, init) : Promise.reject(new TypeError('no network'))));
    const { responsible, harmedId } = await openCase({}, { responsible: browser });
    online = false;
    const stages = new Set<string>();
    const sending = responsible.sendVideo({ to: harmedId, language: 'en', file: noise(MIB), mediaType: 'video/mp4' }, ({ stage: now }) => {
      stages.add(now);
      if (now === 'waiting-for-connection') online = true;
    });
    expect((await sending).view).toBe('preparing');
    expect(stages).toContain('waiting-for-connection');
  });

  it('is forgotten where nobody wants it any more', async () => {
    const browser = new Browser();
    const { responsible, harmedId } = await openCase({}, { responsible: browser });
    await brokenOff(responsible, harmedId, noise(10 * MIB), ({ sentBytes }) => sentBytes > 0);
    const [video] = await responsible.unfinishedVideos();
    await responsible.discardVideo(video?.id ?? '');
    expect(await responsible.unfinishedVideos()).toEqual([]);
    expect((await responsible.correspondence()).sent).toEqual([]);
  });
});

describe('a recording that is kept', () => {
  it('is sent from where it is kept, goes on in another page, and is gone once relay has it', async () => {
    const browser = new Browser();
    const { responsible, responsibleUrl, harmedId } = await openCase({}, { responsible: browser });
    const take = { id: crypto.randomUUID(), mediaType: 'video/webm', startedAt: '2030-01-01T00:00:00Z', revises: null };
    for (let number = 0; number < 20; number += 1) {
      expect(await responsible.storePiece(take, await noise(MIB + number).arrayBuffer(), number)).toBe(true);
    }
    const video = { to: harmedId, language: 'en', file: null, take: take.id, mediaType: 'video/webm' } as const;
    const told: SendingProgress[] = [];
    const sending = responsible.sendVideo(video, (progress) => {
      told.push(progress);
      if (progress.sentBytes > 9 * MIB) void responsible.pauseVideo();
    });
    expect((await refusal(sending)).refusal).toBe('paused');
    expect(told.some(({ safeToClose }) => safeToClose)).toBe(true);
    expect(await (await browser.device()).hasSegment((await responsible.unfinishedVideos())[0]?.id ?? '', 1)).toBe(false);

    const again = await unlocked(responsibleUrl, browser);
    expect(await again.takes()).toEqual([]);
    const [unfinished] = await again.unfinishedVideos();
    expect(unfinished).toMatchObject({ whole: true, take: take.id, mediaType: 'video/webm' });
    expect((await again.resumeVideo(unfinished?.id ?? '', null, () => undefined)).view).toBe('preparing');
    expect([await again.takes(), await again.unfinishedVideos()]).toEqual([[], []]);
    expect(await (await browser.device()).piece(take.id, 0)).toBeNull();
  });

  it('is there again where its sender did not send it after all', async () => {
    const { responsible, harmedId } = await openCase();
    const take = { id: crypto.randomUUID(), mediaType: 'audio/webm', startedAt: '2030-01-01T00:00:00Z', revises: null };
    await responsible.storePiece(take, await noise(MIB).arrayBuffer(), 2);
    const video = { to: harmedId, language: 'en', file: null, take: take.id, mediaType: 'audio/webm' } as const;
    const sending = responsible.sendVideo(video, ({ sealedBytes }) => {
      if (sealedBytes > 0) void responsible.pauseVideo();
    });
    expect((await refusal(sending)).refusal).toBe('paused');
    expect(await responsible.takes()).toEqual([]);
    await responsible.discardVideo((await responsible.unfinishedVideos())[0]?.id ?? '');
    expect((await responsible.takes()).map(({ id }) => id)).toEqual([take.id]);
    expect(await responsible.sendVideo(video, () => undefined)).toMatchObject({ form: 'voice', view: 'preparing' });
  });

  it('that is gone is no file that can be read', async () => {
    const { responsible, harmedId } = await openCase();
    const video = { to: harmedId, language: 'en', file: null, take: crypto.randomUUID(), mediaType: 'audio/webm' } as const;
    expect((await refusal(responsible.sendVideo(video, () => undefined))).refusal).toBe('file-unreadable');
    expect(await responsible.unfinishedVideos()).toEqual([]);
  });
});

describe('an upload link', () => {
  it('carries one message, without a passphrase, and gives a receipt for it', async () => {
    const { case: opened, mediator: someone, harmed, responsibleId, harmedId } = await openCase();
    const { url } = await someone.makeLink(opened.case, responsibleId, 'upload');
    const browser = new Browser();
    const person = browser.participant();
    const { id, fragment } = linkOf(url);
    expect(await person.arrive(id, fragment, { keep: true, language: 'en' })).toMatchObject({ purpose: 'upload', spent: false });
    await person.enter();
    const draft = { id: crypto.randomUUID(), to: harmedId, language: 'en', text: 'Once.', revises: null, changedAt: '2030-01-01T00:00:00Z' } as const;
    await person.saveDraft(draft);
    expect(await person.drafts()).toEqual([draft]);
    const { message, receipt } = await person.sendVideo({ to: harmedId, language: 'en', file: await phoneVideo(), mediaType: 'video/quicktime' }, () => undefined);
    expect(receipt).toMatch(/^(?:[2-9A-Z]{5}-){4}[2-9A-Z]{5}$/);
    expect(await new Browser().participant().receipt(receipt ?? '')).toMatchObject({ view: 'preparing', failure: null });
    expect((await refusal(person.sendLetter({ to: harmedId, language: 'en', text: 'Twice.' }))).code).toBe('link-spent');
    expect((await refusal(person.open(message))).refusal).toBe('refused');

    const item = await reviewed(someone, message);
    expect(item.origin).toEqual({ by: 'upload-link', participant: responsibleId, assistant: null });
    expect((await someone.decide(message, { decision: 'approve' })).state).toBe('approved');
    await someone.offer(message, { contentNote: 'A video.', summary: null, notBefore: null });
    await harmed.respond(message, 'accept', false);
    expect((await harmed.open(message)).video).not.toBeNull();
  });
});

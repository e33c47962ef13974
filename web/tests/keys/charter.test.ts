/** The charter that something is sent and verified under while relay may have a newer one. */

import { beforeAll, describe, expect, it, vi } from 'vitest';
import { CaseCharter } from '../../src/client/charter';
import { Refused } from '../../src/client/refusing';
import type { VerifiedCharter } from '../../src/crypto/chain';
import { sodiumReady } from '../../src/crypto/sodium';
import { World } from '../crypto/fixtures';

let one: VerifiedCharter;
let two: VerifiedCharter;

beforeAll(async () => {
  await sodiumReady();
  const world = new World();
  const first = world.charter(world.anna);
  [one, two] = [world.verified(first), world.verified(first, world.next(first, world.anna))];
});

function changed(): Refused {
  return new Refused('refused', { code: 'charter-changed' });
}

async function refused(work: Promise<unknown>): Promise<Refused> {
  return work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => (error instanceof Refused ? error : Promise.reject(error as Error)),
  );
}

describe('what names the charter', () => {
  it('is sent under the one that is known, without asking for another', async () => {
    const ask = vi.fn(() => Promise.resolve(two));
    expect(await new CaseCharter(one, ask).sending(({ version }) => Promise.resolve(version))).toBe(1);
    expect(ask).not.toHaveBeenCalled();
  });

  it('is sent once more under the one in force, and only once', async () => {
    const tried: number[] = [];
    const charter = new CaseCharter(one, () => Promise.resolve(two));
    const send = ({ version }: VerifiedCharter) => {
      tried.push(version);
      return version === 2 ? Promise.resolve('sent') : Promise.reject(changed());
    };
    expect([await charter.sending(send), tried, charter.current.version]).toEqual(['sent', [1, 2], 2]);
    tried.length = 0;
    const refusal = await refused(charter.sending(({ version }) => (tried.push(version), Promise.reject(changed()))));
    expect([refusal.refusal.code, tried]).toEqual(['charter-changed', [2, 2]]);
  });

  it('is not sent again for another reason, or under a charter that is not to be believed', async () => {
    const send = vi.fn(() => Promise.reject(new Refused('offline')));
    expect((await refused(new CaseCharter(one, () => Promise.resolve(two)).sending(send))).refusal.refusal).toBe('offline');
    expect(send).toHaveBeenCalledTimes(1);
    const charter = new CaseCharter(one, () => Promise.reject(new Refused('untrusted')));
    expect((await refused(charter.sending(() => Promise.reject(changed())))).refusal.refusal).toBe('untrusted');
    expect(charter.current.version).toBe(1);
  });
});

describe('what does not verify', () => {
  const forged = (): never => {
    throw new Refused('broken', { broken: { record: 'message', fault: 'not-signed' } });
  };

  it('is held against the charter in force before it is called broken', async () => {
    const charter = new CaseCharter(one, () => Promise.resolve(two));
    expect(await charter.under((known) => (known.version === 2 ? 'believed' : forged()))).toBe('believed');
  });

  it('is broken where there is no other charter, or it does not verify under that either', async () => {
    const work = vi.fn(forged);
    expect((await refused(new CaseCharter(one, () => Promise.resolve(one)).under(work))).refusal.refusal).toBe('broken');
    expect(work).toHaveBeenCalledTimes(1);
    expect((await refused(new CaseCharter(one, () => Promise.resolve(two)).under(work))).refusal.refusal).toBe('broken');
    expect(work).toHaveBeenCalledTimes(3);
  });

  it('is refused as it is, where something else than belief is in the way', async () => {
    const ask = vi.fn(() => Promise.resolve(two));
    const refusal = await refused(new CaseCharter(one, ask).under(() => Promise.reject(new Refused('refused', { code: 'older-key' }))));
    expect([refusal.refusal.code, ask.mock.calls.length]).toEqual(['older-key', 0]);
  });
});

/** How a link is made and ended, and whose keys are believed of those that a relay lists. */

import { beforeAll, describe, expect, it } from 'vitest';
import { endLink, makeLink } from '../../src/client/linking';
import { now } from '../../src/client/stamps';
import { claimedBy, isUnverified, wayIn } from '../../src/client/opencases';
import type { components } from '../../src/client/schema';
import { fromBase64 } from '../../src/client/wire';
import * as age from '../../src/crypto/age';
import { checkClaimMac, checkLinkSecret, checkSealedClaimKey, verifyCharters, verifyClaim, verifyEnding, verifyLink, type VerifiedCharter } from '../../src/crypto/chain';
import type { Keyring } from '../../src/crypto/keyrings';
import { generateKeyring } from '../../src/crypto/keyrings';
import { LinkSecret } from '../../src/crypto/links';
import { statementHash } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { sign, Verification } from '../../src/crypto/statements';
import { CLAIRE, claimOf, DENIS, World } from '../crypto/fixtures';

const BEFORE = '2020-01-01T00:00:00Z';

type Record = components['schemas']['LinkRecord'];

let world: World;
let charter: VerifiedCharter;
let caseIdentity: age.HybridIdentity;
let mediator: Keyring;

beforeAll(async () => {
  await sodiumReady();
  caseIdentity = age.HybridIdentity.generate();
  // These links are made now, before the period of the other tests.
  world = new World({ not_before: BEFORE, not_after: '2100-01-01T00:00:00Z' });
  mediator = world.anna.keys;
  const registration = world.register(world.service, { at: BEFORE });
  const opened = { at: BEFORE, registration: statementHash(registration), recipient: caseIdentity.recipient.toString() };
  charter = verifyCharters(world.trust(), registration, [world.charter(world.anna, opened)]);
});

describe('a link that is made', () => {
  it('to take part: shows relay nothing that it could open', () => {
    const { id, secret, body } = makeLink(mediator, charter, CLAIRE, 'participate');
    const { statement: link } = verifyLink(body.statement, charter);
    expect([link.link, link.participant, link.charter, link.expires]).toEqual([id, CLAIRE, charter.statementHash, null]);
    checkLinkSecret(link, secret);
    const [sealed, again] = [fromBase64(body.sealed ?? ''), fromBase64(body.again ?? '')];
    checkSealedClaimKey(link, sealed);
    // The case's mediators check claims with it, and cannot derive the link from it.
    expect(age.openFile(sealed, [caseIdentity])).toEqual(secret.claimKey(id));
    expect(() => age.openFile(sealed, [mediator.identity])).toThrow();
    expect(new LinkSecret(age.openFile(again, [mediator.identity])).secret).toEqual(secret.secret);
    expect(() => age.openFile(again, [caseIdentity])).toThrow();
  });

  it('for one message: keeps its secret nowhere, and expires', () => {
    const { id, secret, body } = makeLink(mediator, charter, CLAIRE, 'upload');
    const { statement: link } = verifyLink(body.statement, charter);
    checkLinkSecret(link, secret);
    expect([body.sealed, body.again, link.sealed, link.signer]).toEqual([null, null, null, secret.signer(id).publicKey]);
    expect(Date.parse(link.expires ?? '') - Date.parse(link.at)).toBe(14 * 24 * 60 * 60 * 1000);
  });

  it('is ended by a statement about it', () => {
    const { statement: link } = verifyLink(makeLink(mediator, charter, CLAIRE, 'participate').body.statement, charter);
    expect(verifyEnding(endLink(mediator.signer, link, 'misused'), charter, link).reason).toBe('misused');
  });
});

describe('of the links of somebody', () => {
  let made: { readonly record: Record; readonly keys: Keyring }[];

  beforeAll(() => {
    made = ['first', 'second', 'third'].map((_, place) => claimed(CLAIRE, now(1000 * place)));
  });

  /** A claimed link, verified at that time. */
  function claimed(participant: string, verifiedAt: string): { record: Record; keys: Keyring } {
    const { secret, body } = makeLink(mediator, charter, participant, 'participate');
    const { statement: link } = verifyLink(body.statement, charter);
    const keys = generateKeyring();
    const claim = claimOf(link, secret, keys, { at: now() });
    checkClaimMac(verifyClaim(claim, link), secret.claimKey(link.link));
    const recipient = keys.identity.recipient.toString();
    const said = { at: verifiedAt, case: charter.case, claim: statementHash(claim), participant, recipient };
    const record: Record = {
      link: link.link,
      participant,
      purpose: 'participate',
      statement: body.statement,
      sealed: body.sealed,
      again: null,
      expires_at: null,
      ended: false,
      endings: [],
      spent: false,
      created_at: link.at,
      claim,
      verification: sign(mediator.signer, Verification, said),
    };
    return { record, keys };
  }

  function ended(record: Record, reason: 'replaced' | 'misused'): Record {
    return { ...record, ended: true, endings: [endLink(mediator.signer, verifyLink(record.statement, charter).statement, reason)] };
  }

  const keysOf = (records: readonly Record[]) => claimedBy(records, CLAIRE, charter)?.recipient ?? null;

  it('the one that was verified last has the keys, in whatever order relay lists them', () => {
    const [first, second, third] = made;
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
    const recipient = (one: { readonly keys: Keyring }) => one.keys.identity.recipient.toString();
    const records = [first.record, second.record, third.record];
    for (const listed of [records, [...records].reverse()]) expect(keysOf(listed)).toBe(recipient(third));
    expect(keysOf([...records.slice(0, 2), ended(third.record, 'replaced')])).toBe(recipient(second));
    expect(keysOf([first.record, ended(second.record, 'misused'), { ...third.record, verification: null }])).toBe(recipient(first));
    expect(keysOf(records.map((record) => ended(record, 'replaced')))).toBeNull();
    // A link that relay reports as ended without a signed statement has not ended.
    expect(keysOf([{ ...third.record, ended: true }])).toBe(recipient(third));
    expect(keysOf([])).toBeNull();
  });

  it('none of another person is taken for theirs', () => {
    const { record } = claimed(DENIS, now());
    expect(keysOf([record])).toBeNull();
    expect(() => claimedBy([{ ...record, participant: CLAIRE }], CLAIRE, charter)).toThrow('broken');
  });

  it('those wait for a mediator that were claimed and neither verified nor ended', () => {
    const [{ record } = claimed(CLAIRE, now())] = made;
    const waiting = { ...record, verification: null };
    expect([record, waiting, { ...waiting, claim: null }, { ...waiting, ended: true }, ended(waiting, 'replaced')].map(isUnverified)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(wayIn(waiting)).toEqual([record.statement, record.claim]);
    expect(wayIn(ended(record, 'replaced'))).toHaveLength(4);
  });
});

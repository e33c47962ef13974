/** What relay writes opens in age-encryption, another program for age files, and the other way round. */

import { Decrypter, Encrypter } from 'age-encryption';
import { beforeAll, describe, expect, test } from 'vitest';
import { HybridIdentity, openFile, type Recipient, ScryptIdentity, ScryptRecipient, sealFile, X25519Identity } from '../../src/crypto/age';
import { sodiumReady } from '../../src/crypto/sodium';
import fc from '../chance';
import { plaintexts } from './samples';

const RUNS = { numRuns: 12 };
const WORDS = 'naïve words';

beforeAll(sodiumReady);

async function theirs(identity: string, sealed: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(sealed);
}

describe.each([
  ['mlkem768x25519', () => HybridIdentity.generate()],
  ['X25519', () => X25519Identity.generate()],
])('%s', (_, generate) => {
  test('ours opens there', async () => {
    const others = [generate(), generate()];
    const me = generate();
    await fc.assert(
      fc.asyncProperty(plaintexts(), async (plain) => {
        const recipients: Recipient[] = [...others, me].map(({ recipient }) => recipient);
        expect(Buffer.from(await theirs(me.toString(), sealFile(plain, recipients))).equals(plain)).toBe(true);
      }),
      RUNS,
    );
  });

  test('theirs opens here', async () => {
    const me = generate();
    await fc.assert(
      fc.asyncProperty(plaintexts(), async (plain) => {
        const encrypter = new Encrypter();
        encrypter.addRecipient(generate().recipient.toString());
        encrypter.addRecipient(me.recipient.toString());
        expect(Buffer.from(openFile(await encrypter.encrypt(plain), [me])).equals(plain)).toBe(true);
      }),
      RUNS,
    );
  });
});

test('a passphrase: ours opens there', async () => {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(WORDS);
  const sealed = sealFile(new Uint8Array([1, 2, 3]), [new ScryptRecipient(WORDS, 5)]);
  expect([...(await decrypter.decrypt(sealed))]).toEqual([1, 2, 3]);
});

test('a passphrase: theirs opens here', async () => {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(WORDS);
  encrypter.setScryptWorkFactor(5);
  const sealed = await encrypter.encrypt(new Uint8Array([1, 2, 3]));
  expect([...openFile(sealed, [new ScryptIdentity(WORDS)])]).toEqual([1, 2, 3]);
});

/** Keyrings, sealed identities and link addresses come out as they were put in; texts have one spelling. */

import { beforeAll, describe, expect, test } from 'vitest';
import { HybridIdentity, ScryptRecipient, sealFile } from '../../src/crypto/age';
import { b64Decode, b64Encode, b64uDecode, b64uEncode, bech32Decode, bech32Encode, sameBytes, utf8, uuidBytes } from '../../src/crypto/encoding';
import { CryptoError } from '../../src/crypto/errors';
import {
  generateKeyring,
  openIdentities,
  openKeyring,
  openParticipantKeyring,
  proofHash,
  sealIdentities,
  sealKeyring,
  sealParticipantKeyring,
  stretchPassphrase,
} from '../../src/crypto/keyrings';
import { anchorOf, linkUrl, LinkSecret, parseLinkUrl } from '../../src/crypto/links';
import { pad, unpad } from '../../src/crypto/padding';
import { WeakPassphrase } from '../../src/crypto/passphrases';
import { fingerprint, Signer } from '../../src/crypto/signing';
import { randomBytes, sodiumReady } from '../../src/crypto/sodium';
import fc from '../chance';
import { refusal } from './refusal';

beforeAll(sodiumReady);

describe('a keyring', () => {
  test('opens with its passphrase, however that is composed, and not with another', () => {
    const keyring = generateKeyring();
    const sealed = sealKeyring(keyring, 'un caf\u00e9 noir', 4);
    for (const typed of ['un caf\u00e9 noir', 'un cafe\u0301 noir', ' un caf\u00e9 noir ']) {
      const opened = openKeyring(sealed, typed);
      expect(opened.identity.seed).toEqual(keyring.identity.seed);
      expect(opened.signer.publicKey).toBe(keyring.signer.publicKey);
    }
    expect(refusal(() => openKeyring(sealed, 'un cafe noir'))).toBe('no-match');
  });

  test('of a participant opens with passphrase and link, and not with what relay is shown', () => {
    const keyring = generateKeyring();
    const unlock = randomBytes(32);
    const { file, stretched } = sealParticipantKeyring(keyring, 'un caf\u00e9 noir', { unlock, link: '', workFactorLog2: 2 });
    expect(openParticipantKeyring(file, stretchPassphrase('un cafe\u0301 noir ', unlock, 2)).signer.publicKey).toBe(keyring.signer.publicKey);
    for (const other of [
      stretchPassphrase('un cafe noir', unlock, 2),
      stretchPassphrase('un caf\u00e9 noir', randomBytes(32), 2),
      { ...stretched, ringKey: stretched.proof },
      { ...stretched, ringKey: proofHash(stretched) },
    ]) {
      expect(refusal(() => openParticipantKeyring(file, other))).toBe('no-match');
    }
  });

  test('is not sealed with a passphrase below the floor', () => {
    const keyring = generateKeyring();
    const lock = { unlock: randomBytes(32), link: 'https://relay.example/l/8f14e45f-ceea-467f', workFactorLog2: 1 };
    expect(() => sealKeyring(keyring, 'eleven sign', 1)).toThrow(WeakPassphrase);
    expect(() => sealParticipantKeyring(keyring, 'abcabcabcabc', lock)).toThrow('passphrase-repeats');
    expect(() => sealParticipantKeyring(keyring, '8F14E45F CEEA 467F', lock)).toThrow('passphrase-from-link');
  });

  test.each(['', '[]', '{"version":2,"identity":"","signer":""}', '{"version":1,"identity":""}', '\u{1f511}'])(
    'is not whatever else a passphrase opens: %s',
    (plain) => {
      expect(refusal(() => openKeyring(sealFile(utf8(plain), [new ScryptRecipient('words', 2)]), 'words'))).toBe('key');
    },
  );
});

test("a case's identities open, in their order, for those they were sealed for", () => {
  const [mediator, recovery, latest, former] = Array.from({ length: 4 }, () => HybridIdentity.generate()) as [
    HybridIdentity,
    HybridIdentity,
    HybridIdentity,
    HybridIdentity,
  ];
  for (const identities of [[latest], [latest, former]]) {
    const sealed = sealIdentities(identities, [mediator.recipient, recovery.recipient]);
    for (const reader of [mediator, recovery]) {
      expect(openIdentities(sealed, [reader]).map(({ seed }) => seed)).toEqual(identities.map(({ seed }) => seed));
    }
    expect(refusal(() => openIdentities(sealed, [latest]))).toBe('no-match');
  }
  const lines = `${latest.toString()}\n`;
  for (const text of ['', 'something else', `\n${lines}`, `${lines}\n`, `# a comment\n${lines}`, `\ufeff${lines}`, lines.replace('\n', '\r\n')]) {
    expect(refusal(() => openIdentities(sealFile(utf8(text), [mediator.recipient]), [mediator]))).toMatch(/key|encoding/);
  }
});

test('a link says in its address what it was made of', () => {
  const secret = LinkSecret.generate();
  const root = fingerprint(Signer.generate().publicKey);
  const id = '2e7aca7e-164d-4949-8ad7-c7d8519f66c3';
  const anchor = anchorOf(b64uEncode(randomBytes(32)));
  const read = parseLinkUrl(linkUrl('https://relay.example.org/', id, secret, root, anchor));
  expect([read.publicUrl, read.id, read.rootFingerprint, read.anchor]).toEqual(['https://relay.example.org', id, root, anchor]);
  expect(read.secret.secret).toEqual(secret.secret);
  for (const [fingerprintOf, anchorAt] of [[root, b64uEncode(randomBytes(32))], [b64uEncode(randomBytes(15)), anchor]] as const) {
    expect(refusal(() => linkUrl('https://relay.example.org', id, secret, fingerprintOf, anchorAt))).toBe('link');
  }
});

describe('texts', () => {
  test('of bytes are read back, and no other text is read as them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (bytes, place, letter) => {
        for (const [encode, decode] of [[b64uEncode, b64uDecode], [b64Encode, b64Decode]] as const) {
          const text = encode(bytes);
          expect(sameBytes(decode(text), bytes)).toBe(true);
          const at = place % (text.length + 1);
          const other = text.slice(0, at) + letter + text.slice(at + 1);
          try {
            expect(encode(decode(other))).toBe(other);
          } catch (error) {
            expect(error).toBeInstanceOf(CryptoError);
          }
        }
        const bech32 = bech32Encode('age', bytes);
        expect(sameBytes(bech32Decode(bech32).data, bytes)).toBe(true);
        expect(bech32Encode('AGE-', bytes)).toBe(bech32Encode('age-', bytes).toUpperCase());
      }),
    );
  });

  test('agree with what Node makes of the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(b64uEncode(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(b64Encode(bytes)).toBe(Buffer.from(bytes).toString('base64').replace(/=+$/, ''));
      }),
    );
  });

  test.each(['A', 'AB', 'AAA=', 'AA A', 'A+', 'AAé', 'AAAAA'])('that are no base64url are refused: %s', (text) => {
    expect(refusal(() => b64uDecode(text))).toBe('encoding');
  });

  test('a wrong letter in Bech32 is found by its checksum', () => {
    const text = bech32Encode('age', Uint8Array.of(1, 2, 3));
    for (const bad of [text.replace('q', 'p'), text.slice(0, -1), `${text.slice(0, 5)}${text.slice(5).toUpperCase()}`, '1qqqqqq', text.replace('1', '')]) {
      expect(refusal(() => bech32Decode(bad))).toBe('encoding');
    }
  });

  test('a uuid has lower-case digits', () => {
    expect(uuidBytes('00010203-0405-0607-0809-0a0b0c0d0e0f')).toEqual(Uint8Array.from({ length: 16 }, (_, at) => at));
    expect(refusal(() => uuidBytes('00010203-0405-0607-0809-0A0B0C0D0E0F'))).toBe('encoding');
  });

  test('padded and unpadded are the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (plain) => {
        const padded = pad(plain);
        expect(sameBytes(unpad(padded), plain)).toBe(true);
        expect(refusal(() => unpad(padded.subarray(0, -1)))).toBe('padding');
      }),
    );
  });
});

test('an error says nothing but that something did not verify', () => {
  const error = new CryptoError('header-mac', 'the header was altered');
  expect(String(error)).toBe('CryptoError: not verified');
  expect(error.cause).toBe('the header was altered');
});

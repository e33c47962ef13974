/** The code produces and opens what the test vectors contain, and refuses the bad ones. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  commit,
  HybridIdentity,
  HybridRecipient,
  NONCE_BYTES,
  openBody,
  openFile,
  parseIdentity,
  parseRecipient,
  RangeOpener,
  unwrapHeader,
  X25519Identity,
} from '../../src/crypto/age';
import { type ChainedRow, firstBadRow, rowBytes } from '../../src/crypto/audit';
import { claimWords } from '../../src/crypto/claimwords';
import { b64uDecode, b64uEncode, utf8 } from '../../src/crypto/encoding';
import { openIdentities, openKeyring, openParticipantKeyring, proofHash, stretchPassphrase } from '../../src/crypto/keyrings';
import { anchorOf, authDigest, claimMac, type ClaimMembers, linkUrl, LinkSecret, parseLinkUrl } from '../../src/crypto/links';
import { pad, paddedSize, unpad } from '../../src/crypto/padding';
import { findWeakness } from '../../src/crypto/passphrases';
import { Signer, statementHash } from '../../src/crypto/signing';
import { sha256, sodiumReady } from '../../src/crypto/sodium';
import * as statements from '../../src/crypto/statements';
import { wordList } from '../../src/crypto/words';
import { refusal } from './refusal';
import { vectors } from './vectors';

beforeAll(sodiumReady);

test('commitments', () => {
  const given = vectors('commitments') as { file_key: string; case: string; commit: string }[];
  for (const good of given) expect(commit(b64uDecode(good.file_key), good.case)).toBe(good.commit);
});

test('padding', () => {
  const given = vectors('padding') as {
    sizes: { plain: number; padded: number }[];
    good: { plain: string; padded: string }[];
    bad: { why: string; padded: string }[];
  };
  for (const { plain, padded } of given.sizes) expect(paddedSize(plain)).toBe(padded);
  for (const { plain, padded } of given.good) {
    expect(b64uEncode(pad(b64uDecode(plain)))).toBe(padded);
    expect(b64uEncode(unpad(b64uDecode(padded)))).toBe(plain);
  }
  for (const { why, padded } of given.bad) expect(refusal(() => unpad(b64uDecode(padded))), why).toBe('padding');
});

describe('links', () => {
  const given = vectors('links') as {
    derived: Record<
      | 'public_url'
      | 'link'
      | 'secret'
      | 'root_fingerprint'
      | 'charter'
      | 'anchor'
      | 'url'
      | 'auth'
      | 'auth_digest'
      | 'claim_key'
      | 'unlock'
      | 'signer_seed'
      | 'signer_public_key',
      string
    >[];
    bad_urls: { why: string; url: string }[];
  };

  test('are written, read, and derived from', () => {
    for (const good of given.derived) {
      const secret = new LinkSecret(b64uDecode(good.secret));
      expect(anchorOf(statementHash(good.charter))).toBe(good.anchor);
      expect(linkUrl(good.public_url, good.link, secret, good.root_fingerprint, good.anchor)).toBe(good.url);
      const read = parseLinkUrl(good.url);
      expect([read.publicUrl, read.id, read.rootFingerprint, read.anchor]).toEqual([
        good.public_url,
        good.link,
        good.root_fingerprint,
        good.anchor,
      ]);
      expect(b64uEncode(read.secret.secret)).toBe(good.secret);
      expect(secret.auth(good.link)).toBe(good.auth);
      expect(authDigest(good.auth)).toBe(good.auth_digest);
      expect(b64uEncode(secret.claimKey(good.link))).toBe(good.claim_key);
      expect(b64uEncode(secret.unlock(good.link))).toBe(good.unlock);
      const signer = secret.signer(good.link);
      expect([b64uEncode(signer.seed), signer.publicKey]).toEqual([good.signer_seed, good.signer_public_key]);
    }
  });

  test.each(given.bad_urls)('a bad address is refused: $why', ({ url }) => {
    expect(refusal(() => parseLinkUrl(url))).toMatch(/link|encoding/);
  });
});

describe('passphrases', () => {
  const given = vectors('passphrases') as {
    stretched: { unlock: string; typed: string; work_factor_log2: number; proof: string; proof_hash: string; ring_key: string }[];
    floor: { link: string; new: { typed: string; weakness: string | null }[] };
  };

  test('come to a proof for relay and a key for the ring', () => {
    for (const { unlock, typed, work_factor_log2, ...derived } of given.stretched) {
      const stretched = stretchPassphrase(typed, b64uDecode(unlock), work_factor_log2);
      expect(b64uEncode(stretched.proof), typed).toBe(derived.proof);
      expect(b64uEncode(proofHash(stretched)), typed).toBe(derived.proof_hash);
      expect(b64uEncode(stretched.ringKey), typed).toBe(derived.ring_key);
    }
  });

  test.each(given.floor.new)('have a floor: $typed', ({ typed, weakness }) => {
    expect(findWeakness(typed, given.floor.link)).toBe(weakness);
  });
});

describe('words', () => {
  const given = vectors('words') as {
    lists: Record<'en' | 'fr', string>;
    claims: ({ hash: string } & Record<'en' | 'fr', string[]>)[];
  };

  test.each(['en', 'fr'] as const)('are those of the list: %s', async (language) => {
    const words = await wordList(language);
    expect(Buffer.from(sha256(utf8(words.join('\n')))).toString('hex')).toBe(given.lists[language]);
  });

  test('say the hash of a claim', async () => {
    for (const { hash, ...words } of given.claims) expect(await claimWords(hash)).toEqual(words);
  });
});

test('claims', () => {
  const given = vectors('claims') as (ClaimMembers & { claim_key: string; mac: string })[];
  for (const { claim_key, mac, ...members } of given) expect(claimMac(b64uDecode(claim_key), members)).toBe(mac);
});

describe('recipients', () => {
  const given = vectors('recipients') as {
    mlkem768x25519: { seed: string; identity: string; recipient: string }[];
    x25519: { secret: string; identity: string; recipient: string }[];
    bad_recipients: { why: string; recipient: string }[];
  };

  test('are made from their secrets, written and read', () => {
    const good = [
      ...given.mlkem768x25519.map((one) => ({ ...one, made: new HybridIdentity(b64uDecode(one.seed)) })),
      ...given.x25519.map((one) => ({ ...one, made: new X25519Identity(b64uDecode(one.secret)) })),
    ];
    for (const { made, identity, recipient } of good) {
      expect(made.toString()).toBe(identity);
      expect(made.recipient.toString()).toBe(recipient);
      expect(parseIdentity(identity).recipient.toString()).toBe(recipient);
      expect(parseRecipient(recipient).toString()).toBe(recipient);
    }
  });

  test.each(given.bad_recipients)('a bad one is refused: $why', ({ recipient }) => {
    expect(refusal(() => parseRecipient(recipient))).toMatch(/key|encoding/);
  });

  test('a public key that nobody could encapsulate for is refused when it is read', () => {
    const publicKey = Uint8Array.from(HybridIdentity.generate().recipient.publicKey);
    publicKey[1] = 0xff;
    publicKey[0] = 0xff;
    expect(refusal(() => new HybridRecipient(publicKey))).toBe('key');
  });
});

describe('statements', () => {
  const given = vectors('statements') as {
    signer: { seed: string; public_key: string; kid: string };
    good: { typ: string; payload: string; compact: string; hash: string }[];
    bad: { why: string; typ: string; public_key: string; compact: string }[];
  };
  const kinds = new Map(
    Object.values(statements)
      .filter((value) => typeof value === 'object')
      .map((kind) => [kind.typ, kind as statements.Kind<statements.Statement>]),
  );
  const kindOf = (typ: string): statements.Kind<statements.Statement> => {
    const kind = kinds.get(typ);
    if (kind === undefined) throw new Error(`no such type: ${typ}`);
    return kind;
  };

  test('there is a good one of every type', () => {
    expect(new Set(given.good.map(({ typ }) => typ))).toEqual(new Set(kinds.keys()));
  });

  test.each(given.good)('a good $typ is read, written and signed to the same bytes', ({ typ, payload, compact, hash }) => {
    const signer = new Signer(b64uDecode(given.signer.seed));
    expect([signer.publicKey, signer.kid]).toEqual([given.signer.public_key, given.signer.kid]);
    const statement = statements.verify(compact, kindOf(typ), signer.publicKey);
    expect(JSON.stringify(statement)).toBe(payload);
    expect(statementHash(compact)).toBe(hash);
    expect(statements.sign(signer, kindOf(typ), statement)).toBe(compact);
  });

  test.each(given.bad)('a bad one is refused: $why', ({ typ, public_key, compact }) => {
    expect(refusal(() => statements.verify(compact, kindOf(typ), public_key))).toMatch(/statement|encoding|key|payload/);
  });
});

test('the log', () => {
  const given = vectors('log') as {
    good: (ChainedRow & { bytes: string })[];
    bad: { why: string; rows: ChainedRow[]; first_bad: number }[];
  };
  expect(firstBadRow(given.good)).toBeNull();
  for (const { bytes, ...row } of given.good) expect(rowBytes(row)).toEqual(utf8(bytes));
  for (const { why, rows, first_bad } of given.bad) expect(firstBadRow(rows), why).toBe(rows[first_bad]);
});

describe('sealed files', () => {
  const given = vectors('sealed') as {
    file_key: string;
    header: string;
    identities: [string, ...string[]];
    stranger: string;
    bodies: { what: string; plain: string; body: string }[];
    keyring: { passphrase: string; file: string; identity: string; signer_seed: string };
    participant_keyring: { typed: string; unlock: string; work_factor_log2: number; ring_key: string; file: string; identity: string; signer_seed: string };
    case_identities: { file: string; identities: string[] }[];
    bad_case_identities: { why: string; file: string }[];
    claim_key: { file: string; identity: string; claim_key: string };
  };
  const fileKey = b64uDecode(given.file_key);

  test('open for their readers and for nobody else', () => {
    const header = b64uDecode(given.header);
    for (const identity of given.identities) expect(unwrapHeader(header, [parseIdentity(identity)])).toEqual(fileKey);
    expect(refusal(() => unwrapHeader(header, [parseIdentity(given.stranger)]))).toBe('no-match');
  });

  test.each(given.bodies)('a body opens whole and by ranges: $what', (sealed) => {
    const [plain, body] = [b64uDecode(sealed.plain), b64uDecode(sealed.body)];
    expect(openBody(fileKey, body)).toEqual(plain);
    const opener = new RangeOpener(fileKey, body.subarray(0, NONCE_BYTES), body.length);
    const span = opener.needed(0, plain.length);
    expect(opener.open(0, plain.length, body.subarray(span.start, span.stop))).toEqual(plain);
  });

  test('keyring, case identities and claim key come out as they were put in', () => {
    const keyring = openKeyring(b64uDecode(given.keyring.file), given.keyring.passphrase);
    expect(keyring.identity.toString()).toBe(given.keyring.identity);
    expect(b64uEncode(keyring.signer.seed)).toBe(given.keyring.signer_seed);
    expect(refusal(() => openKeyring(b64uDecode(given.keyring.file), 'other words'))).toBe('no-match');
    const own = given.participant_keyring;
    const stretched = stretchPassphrase(own.typed, b64uDecode(own.unlock), own.work_factor_log2);
    expect(b64uEncode(stretched.ringKey)).toBe(own.ring_key);
    const opened = openParticipantKeyring(b64uDecode(own.file), stretched);
    expect([opened.identity.toString(), b64uEncode(opened.signer.seed)]).toEqual([own.identity, own.signer_seed]);
    for (const mediator of given.identities) {
      for (const { file, identities } of given.case_identities) {
        const opened = openIdentities(b64uDecode(file), [parseIdentity(mediator)]);
        expect(opened.map((identity) => identity.toString())).toEqual(identities);
      }
    }
    const { claim_key: claim } = given;
    expect(b64uEncode(openFile(b64uDecode(claim.file), [parseIdentity(claim.identity)]))).toBe(claim.claim_key);
  });

  test.each(given.bad_case_identities)('something else for the right mediator is refused: $why', ({ file }) => {
    expect(refusal(() => openIdentities(b64uDecode(file), [parseIdentity(given.identities[0])]))).toMatch(/key|encoding/);
  });
});

/** The classic recipient of age: X25519, so that relay's readers open ordinary age files. */

import { type Bytes, b64Encode, bech32Decode, bech32Encode, concat, utf8 } from './encoding';
import { CryptoError } from './errors';
import type { FileKey } from './filekeys';
import type { Identity, Recipient } from './header';
import { hkdf, randomBytes, x25519Public, x25519Shared } from './sodium';
import { binaryArgument, type Stanza, stanzasOf, unwrapUnder, wrapUnder } from './stanzas';

export const X25519_RECIPIENT_PREFIX = 'age';
export const X25519_IDENTITY_PREFIX = 'AGE-SECRET-KEY-';

const TYPE = 'X25519';
const INFO = utf8('age-encryption.org/v1/X25519');
const KEY_BYTES = 32;

/** A public key of 32 bytes. */
export class X25519Recipient implements Recipient {
  readonly family = 'classic';
  readonly publicKey: Bytes;

  constructor(publicKey: Bytes) {
    if (publicKey.length !== KEY_BYTES) throw new CryptoError('key', 'an X25519 public key has 32 bytes');
    this.publicKey = publicKey;
  }

  /** Reads `age1…`. */
  static parse(text: string): X25519Recipient {
    const { prefix, data } = bech32Decode(text);
    if (prefix !== X25519_RECIPIENT_PREFIX) throw new CryptoError('key', 'not an X25519 recipient');
    return new X25519Recipient(data);
  }

  toString(): string {
    return bech32Encode(X25519_RECIPIENT_PREFIX, this.publicKey);
  }

  wrap(fileKey: FileKey): Stanza {
    const ephemeral = randomBytes(KEY_BYTES);
    const share = x25519Public(ephemeral);
    const shared = x25519Shared(ephemeral, this.publicKey);
    if (shared === null) throw new CryptoError('key', 'a recipient of low order');
    const key = hkdf(shared, concat(share, this.publicKey), INFO);
    return { type: TYPE, arguments: [b64Encode(share)], body: wrapUnder(key, fileKey) };
  }
}

/** The secret scalar, 32 bytes. */
export class X25519Identity implements Identity {
  readonly secret: Bytes;
  readonly recipient: X25519Recipient;

  constructor(secret: Bytes) {
    if (secret.length !== KEY_BYTES) throw new CryptoError('key', 'an X25519 secret has 32 bytes');
    this.secret = secret;
    this.recipient = new X25519Recipient(x25519Public(secret));
  }

  /** A new identity. */
  static generate(): X25519Identity {
    return new X25519Identity(randomBytes(KEY_BYTES));
  }

  /** Reads `AGE-SECRET-KEY-1…`. */
  static parse(text: string): X25519Identity {
    const { prefix, data } = bech32Decode(text);
    if (prefix !== X25519_IDENTITY_PREFIX) throw new CryptoError('key', 'not an X25519 identity');
    return new X25519Identity(data);
  }

  toString(): string {
    return bech32Encode(X25519_IDENTITY_PREFIX, this.secret);
  }

  unwrap(stanzas: readonly Stanza[]): FileKey | null {
    let found: FileKey | null = null;
    for (const stanza of stanzasOf(stanzas, TYPE, 1)) {
      const share = binaryArgument(stanza, 0, KEY_BYTES);
      const shared = x25519Shared(this.secret, share);
      if (shared === null) throw new CryptoError('header', 'a share of low order');
      found ??= unwrapUnder(hkdf(shared, concat(share, this.recipient.publicKey), INFO), stanza.body);
    }
    return found;
  }
}

/**
 * The passphrase recipient of age: scrypt. Keyrings are sealed with it.
 *
 * The writer of a file chooses how much work and memory reading it takes: 1 KiB for each of 2 to the work factor, so
 * 17 takes 128 MiB and 20 takes 1 GiB. Readers say how much they are willing to spend.
 */

import { type Bytes, b64Encode, concat, utf8 } from './encoding';
import { CryptoError } from './errors';
import type { FileKey } from './filekeys';
import type { Identity, Recipient } from './header';
import { randomBytes, scrypt } from './sodium';
import { binaryArgument, type Stanza, stanzasOf, unwrapUnder, wrapUnder } from './stanzas';

/** The most that relay accepts as a reader and spends as a writer. */
export const MAX_WORK_FACTOR_LOG2 = 20;

const TYPE = 'scrypt';
const LABEL = utf8('age-encryption.org/v1/scrypt');
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const BLOCK_SIZE = 8;
/** No leading zero, and at most two digits: more is too much for anybody. */
const WORK_FACTOR = /^[1-9][0-9]?$/;

/** Anybody who knows the passphrase. */
export class ScryptRecipient implements Recipient {
  readonly family = 'passphrase';
  readonly #passphrase: string;
  readonly #workFactorLog2: number;

  constructor(passphrase: string, workFactorLog2: number) {
    if (!(workFactorLog2 >= 1 && workFactorLog2 <= MAX_WORK_FACTOR_LOG2)) {
      throw new RangeError(`the work factor must be 1 to ${MAX_WORK_FACTOR_LOG2}`);
    }
    this.#passphrase = passphrase;
    this.#workFactorLog2 = workFactorLog2;
  }

  /** Takes as long and as much memory as its work factor says. */
  wrap(fileKey: FileKey): Stanza {
    const salt = randomBytes(SALT_BYTES);
    const body = wrapUnder(wrappingKey(this.#passphrase, salt, this.#workFactorLog2), fileKey);
    return { type: TYPE, arguments: [b64Encode(salt), String(this.#workFactorLog2)], body };
  }
}

/** A passphrase to try, and the most work to do for it. */
export class ScryptIdentity implements Identity {
  readonly #passphrase: string;
  readonly #maxWorkFactorLog2: number;

  constructor(passphrase: string, maxWorkFactorLog2 = MAX_WORK_FACTOR_LOG2) {
    this.#passphrase = passphrase;
    this.#maxWorkFactorLog2 = Math.min(maxWorkFactorLog2, MAX_WORK_FACTOR_LOG2);
  }

  unwrap(stanzas: readonly Stanza[]): FileKey | null {
    const [stanza] = stanzasOf(stanzas, TYPE, 2);
    if (stanza === undefined) return null;
    if (stanzas.length > 1) throw new CryptoError('header', 'an scrypt stanza is not alone');
    const salt = binaryArgument(stanza, 0, SALT_BYTES);
    const factor = stanza.arguments[1] ?? '';
    if (!WORK_FACTOR.test(factor)) throw new CryptoError('header', 'a work factor is not a plain number');
    if (Number(factor) > this.#maxWorkFactorLog2) throw new CryptoError('header', 'a work factor is higher than allowed');
    return unwrapUnder(wrappingKey(this.#passphrase, salt, Number(factor)), stanza.body);
  }
}

/** scrypt with N = 2^`workFactorLog2`, r = 8, p = 1: `size` bytes; takes N KiB of memory. */
export function stretch(passphrase: string, salt: Uint8Array, workFactorLog2: number, size: number): Bytes {
  const stretched = scrypt(utf8(passphrase), salt, 2 ** workFactorLog2, BLOCK_SIZE, size);
  if (stretched === null) throw new RangeError('not enough memory for this work factor');
  return stretched;
}

function wrappingKey(passphrase: string, salt: Bytes, workFactorLog2: number): Bytes {
  return stretch(passphrase, concat(LABEL, salt), workFactorLog2, KEY_BYTES);
}

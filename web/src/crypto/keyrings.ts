/** Seals private keys so that the relay may keep them but cannot use them: for a passphrase, or for people. */

import { HybridIdentity, type Identity, openFile, type Recipient, ScryptIdentity, ScryptRecipient, sealFile } from './age';
import { type Bytes, b64uDecode, b64uEncode, utf8 } from './encoding';
import { CryptoError } from './errors';
import { type Form, oneOf, record } from './fields';
import { Signer } from './signing';

export const MEDIATOR_WORK_FACTOR_LOG2 = 17;
/** Lower, because 256 bits of the passphrase come from the link and old phones must open it. */
export const PARTICIPANT_WORK_FACTOR_LOG2 = 15;

/** What one person holds: an identity to read with and a signer to act with. */
export interface Keyring {
  readonly identity: HybridIdentity;
  readonly signer: Signer;
}

interface Content {
  readonly version: 1;
  readonly identity: string;
  readonly signer: string;
}

const anyText: Form<string> = (value) => {
  if (typeof value !== 'string') throw new CryptoError('key', 'not a keyring');
  return value;
};
const content = record<Content>({ version: oneOf(1), identity: anyText, signer: anyText });

/** New keys for one person. */
export function generateKeyring(): Keyring {
  return { identity: HybridIdentity.generate(), signer: Signer.generate() };
}

/** An age file that `passphrase`, in NFKC, opens. */
export function sealKeyring(keyring: Keyring, passphrase: string, workFactorLog2: number): Bytes {
  const plain: Content = { version: 1, identity: keyring.identity.toString(), signer: b64uEncode(keyring.signer.seed) };
  return sealFile(utf8(JSON.stringify(plain)), [new ScryptRecipient(passphrase.normalize('NFKC'), workFactorLog2)]);
}

/** The keyring; `no-match` for a wrong passphrase, `header` if it asks for more work than 2^20. */
export function openKeyring(sealed: Uint8Array, passphrase: string): Keyring {
  const plain = openFile(sealed, [new ScryptIdentity(passphrase.normalize('NFKC'))]);
  const { identity, signer } = readContent(plain);
  return { identity: HybridIdentity.parse(identity), signer: new Signer(b64uDecode(signer)) };
}

/**
 * All identities that a case has had, the latest first, for its mediators and for recovery.
 *
 * An age file with an identity file in it: one identity a line.
 */
export function sealIdentities(identities: readonly HybridIdentity[], recipients: readonly Recipient[]): Bytes {
  return sealFile(utf8(identities.map((identity) => `${identity.toString()}\n`).join('')), recipients);
}

/** The identities that sealIdentities was given. */
export function openIdentities(sealed: Uint8Array, identities: readonly Identity[]): readonly HybridIdentity[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(openFile(sealed, identities));
  return text.replace(/\n$/, '').split('\n').map((line) => HybridIdentity.parse(line));
}

function readContent(plain: Uint8Array): Content {
  try {
    return content(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)));
  } catch {
    throw new CryptoError('key', 'not a keyring');
  }
}

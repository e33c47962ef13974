/** Seals private keys so that the relay can store but not use them: for a passphrase, or for people. */

import { HybridIdentity, type Identity, openFile, type Recipient, ScryptIdentity, ScryptRecipient, sealFile } from './age';
import { type Bytes, b64uDecode, b64uEncode, utf8 } from './encoding';
import { CryptoError } from './errors';
import { type Form, oneOf, record } from './fields';
import { checkNewPassphrase, normal } from './passphrases';
import { stretch } from './scrypt';
import { Signer } from './signing';
import { sha256 } from './sodium';

export const MEDIATOR_WORK_FACTOR_LOG2 = 17;
/** Lower: old phones must stretch it, and without the link's secret and relay's data nobody can guess. */
export const PARTICIPANT_WORK_FACTOR_LOG2 = 15;
/** For the file itself, whose key is 256 bits that were already stretched. */
const RING_WORK_FACTOR_LOG2 = 1;
const PROOF_BYTES = 32;
const RING_KEY_BYTES = 32;

/** The keys of one person: an identity to read with and a signer to act with. */
export interface Keyring {
  readonly identity: HybridIdentity;
  readonly signer: Signer;
}

const anyText: Form<string> = (value) => {
  if (typeof value !== 'string') throw new CryptoError('key', 'not a keyring');
  return value;
};
const content = record({ version: oneOf(1), identity: anyText, signer: anyText });
type Content = ReturnType<typeof content>;

/** New keys for one person. */
export function generateKeyring(): Keyring {
  return { identity: HybridIdentity.generate(), signer: Signer.generate() };
}

/** A participant's stretched passphrase, in two independent halves. */
export interface Stretched {
  /** 32 bytes: shown to relay, which returns the keyring for it and stores only its SHA-256. */
  readonly proof: Bytes;
  /** 32 bytes: opens the keyring; never sent. */
  readonly ringKey: Bytes;
}

/** An age file that a mediator's passphrase opens; `WeakPassphrase` for one below the floor. */
export function sealKeyring(keyring: Keyring, passphrase: string, workFactorLog2: number): Bytes {
  checkNewPassphrase(passphrase);
  return seal(keyring, normal(passphrase), workFactorLog2);
}

/** The keyring; `no-match` for a wrong passphrase, `header` if it asks for more work than 2^20. */
export function openKeyring(sealed: Uint8Array, passphrase: string): Keyring {
  return open(sealed, normal(passphrase));
}

/** A participant's passphrase, stretched with the `unlock` of their link's secret. */
export function stretchPassphrase(passphrase: string, unlock: Bytes, workFactorLog2: number): Stretched {
  const stretched = stretch(normal(passphrase), unlock, workFactorLog2, PROOF_BYTES + RING_KEY_BYTES);
  return { proof: stretched.slice(0, PROOF_BYTES), ringKey: stretched.slice(PROOF_BYTES) };
}

/** SHA-256 of the proof: what relay stores and compares. */
export function proofHash({ proof }: Stretched): Bytes {
  return sha256(proof);
}

/** What a participant's new keyring is bound to. */
export interface Lock {
  /** 32 bytes of the link's secret. */
  readonly unlock: Bytes;
  /** The address of the link; a passphrase must not be a piece of it. */
  readonly link: string;
  readonly workFactorLog2: number;
}

/** A participant's keyring as an age file, and what opens it; `WeakPassphrase` for a passphrase below the floor. */
export function sealParticipantKeyring(
  keyring: Keyring,
  passphrase: string,
  { unlock, link, workFactorLog2 }: Lock,
): { readonly file: Bytes; readonly stretched: Stretched } {
  checkNewPassphrase(passphrase, link);
  const stretched = stretchPassphrase(passphrase, unlock, workFactorLog2);
  return { file: seal(keyring, b64uEncode(stretched.ringKey), RING_WORK_FACTOR_LOG2), stretched };
}

/** The keyring; `no-match` if it is not the one that was sealed with this passphrase and link. */
export function openParticipantKeyring(sealed: Uint8Array, { ringKey }: Stretched): Keyring {
  return open(sealed, b64uEncode(ringKey));
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

function seal(keyring: Keyring, passphrase: string, workFactorLog2: number): Bytes {
  const plain: Content = { version: 1, identity: keyring.identity.toString(), signer: b64uEncode(keyring.signer.seed) };
  return sealFile(utf8(JSON.stringify(plain)), [new ScryptRecipient(passphrase, workFactorLog2)]);
}

function open(sealed: Uint8Array, passphrase: string): Keyring {
  const { identity, signer } = readContent(openFile(sealed, [new ScryptIdentity(passphrase)]));
  return { identity: HybridIdentity.parse(identity), signer: new Signer(b64uDecode(signer)) };
}

function readContent(plain: Uint8Array): Content {
  try {
    return content(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)));
  } catch {
    throw new CryptoError('key', 'not a keyring');
  }
}

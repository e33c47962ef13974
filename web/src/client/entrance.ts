/** Entering through a link: looked up, verified up to the fingerprint in its address, claimed or opened. */

import type { Identity } from '../crypto/age';
import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import type { Bytes } from '../crypto/encoding';
import type { Digest, Time } from '../crypto/values';
import type { Keyring, Stretched } from '../crypto/keyrings';
import {
  generateKeyring,
  openParticipantKeyring,
  PARTICIPANT_WORK_FACTOR_LOG2,
  proofHash,
  sealParticipantKeyring,
  stretchPassphrase,
} from '../crypto/keyrings';
import { claimMac, type Fragment, linkUrl, parseFragment } from '../crypto/links';
import type { Signer } from '../crypto/signing';
import { statementHash } from '../crypto/signing';
import * as statements from '../crypto/statements';
import { CaseCharter } from './charter';
import type { Connection } from './connection';
import { SignedConnection } from './connection';
import type * as contract from './contract';
import type { Uuid } from './contract';
import type { Device } from './device';
import { recoveriesOf } from './members';
import { now } from './stamps';
import { type OwnSeal, ownSealOf } from './ownseal';
import { isRefused, Refused } from './refusing';
import type { components } from './schema';
import { signingIn } from './sessions';
import { trusting, verifyTrust } from './verifying';
import { fromBase64, toBase64 } from './wire';
import { Writer } from './writing';

type Schemas = components['schemas'];

/** Somebody who has entered, with everything they need to act. */
export interface Admitted {
  readonly link: Uuid;
  readonly device: Device;
  readonly signed: SignedConnection;
  readonly charter: CaseCharter;
  /** The statements of their origin, as `chain.verifyOrigin` takes them. */
  readonly origin: readonly string[];
  readonly writer: Writer;
  readonly signer: Signer;
  readonly ownSeal: OwnSeal;
  /** What opens content for them; null through an upload link, which cannot read. */
  readonly reader: {
    readonly identity: Identity;
    readonly recipient: string;
    readonly claimHash: Digest;
    readonly claimedAt: Time;
  } | null;
}

/** The contents of a link's address. */
interface Address extends Fragment {
  readonly id: Uuid;
}

export class Entrance {
  private pending: { readonly passphrase: string; readonly keyring: Keyring; readonly body: Schemas['NewClaim'] } | null = null;

  private constructor(
    private readonly connection: Connection,
    private readonly device: Device,
    private readonly address: Address,
    private view: Schemas['LinkView'],
    private readonly link: statements.Link,
    private readonly charter: VerifiedCharter,
    private readonly workFactorLog2: number,
  ) {}

  /** Looks up a link and verifies the response; afterwards the device may store its secret. */
  static async find(
    connection: Connection,
    device: Device,
    id: Uuid,
    fragment: string | null,
    workFactorLog2 = PARTICIPANT_WORK_FACTOR_LOG2,
  ): Promise<Entrance> {
    const kept = await device.link(id);
    const known = fragment ?? kept;
    if (known === null) throw new Refused('no-such-link');
    const address = addressOf(id, known);
    // An address that somebody opens does not change which root this device trusts for a link.
    if (kept !== null && addressOf(id, kept).rootFingerprint !== address.rootFingerprint) throw new Refused('another-root');
    const view = await look(connection, address);
    const { link, charter } = await trusting(async () => {
      const verified = await verifyTrust(view.trust, address, device);
      const signed = chain.verifyLink(view.statement, verified).statement;
      chain.checkLinkSecret(signed, address.secret);
      const said = [signed.link, signed.case, signed.participant, signed.purpose];
      const shown = [view.link, view.case, view.participant, view.purpose];
      if (signed.link !== id || said.some((value, place) => value !== shown[place])) throw new Refused('untrusted');
      // A signature for another relay could open a session there.
      if (view.audience.replace(/\/+$/, '') !== connection.url) throw new Refused('untrusted');
      return { link: signed, charter: verified };
    });
    if (fragment !== null && kept === null && device.lasting) await device.storeLink(id, known).catch(() => undefined);
    return new Entrance(connection, device, address, view, link, charter, workFactorLog2);
  }

  arrival(): contract.Arrival {
    const { view } = this;
    return {
      link: view.link,
      case: view.case,
      participant: view.participant,
      role: view.role,
      purpose: view.purpose,
      claimed: view.claim !== null,
      spent: view.spent,
      expiresAt: view.expires_at,
      correspondents: view.correspondents,
      takesVideo: this.charter.policy.server_processing && this.charter.mediaAt(now()).length > 0,
      hasRecovery: this.charter.recovery.length > 0,
      recoveredAt: recoveriesOf(this.charter)[0]?.at ?? null,
    };
  }

  async isStored(): Promise<boolean> {
    return this.device.lasting && (await this.device.link(this.address.id)) !== null;
  }

  forget(): Promise<void> {
    return this.device.forgetLink(this.address.id);
  }

  /** Generates keys and claims the link; `link-claimed` if somebody already did. */
  async claim(passphrase: string): Promise<Admitted> {
    // A claim whose response was lost is repeated unchanged: new keys would be refused.
    if (this.pending?.passphrase !== passphrase) this.pending = { passphrase, ...this.newClaim(passphrase) };
    const { keyring, body } = this.pending;
    await this.connection.call('PUT', `/v1/links/${this.address.id}/claim`, { bearer: bearerOf(this.address), body });
    this.view = { ...this.view, claim: body.statement };
    return this.admit(keyring, body.statement);
  }

  /** The claim is complete: forgets its keys and its passphrase. */
  settle(): void {
    this.pending = null;
  }

  /** Fetches the keyring of a claimed link with one half of the stretched passphrase, and opens it with the other. */
  async unlock(passphrase: string): Promise<Admitted> {
    if (this.view.claim === null) this.view = await look(this.connection, this.address);
    const { claim } = this.view;
    if (claim === null) throw new Refused('no-such-link');
    const { id, secret } = this.address;
    const signed = await trusting(() => {
      const found = chain.verifyClaim(claim, this.link);
      chain.checkClaimMac(found, secret.claimKey(id));
      return found;
    });
    const stretched = stretchPassphrase(passphrase, secret.unlock(id), this.workFactorLog2);
    const sealed = await this.fetchKeyring(stretched);
    const keyring = await trusting(() => {
      const opened = openParticipantKeyring(sealed, stretched);
      if (opened.identity.recipient.toString() !== signed.recipient || opened.signer.publicKey !== signed.signer) {
        throw new Refused('untrusted');
      }
      return opened;
    });
    return this.admit(keyring, claim);
  }

  /** `wrong-passphrase` for a wrong proof, `wait` after several of them. */
  private async fetchKeyring({ proof }: Stretched): Promise<Bytes> {
    const body: Schemas['KeyringRequest'] = { proof: toBase64(proof) };
    try {
      const found = await this.connection.call<Schemas['ClaimedKeyring']>('POST', `/v1/links/${this.address.id}/keyring`, {
        bearer: bearerOf(this.address),
        body,
      });
      return fromBase64(found.keyring);
    } catch (error) {
      if (isRefused(error, 'refused', 'wrong-passphrase')) throw new Refused('wrong-passphrase');
      throw isRefused(error, 'refused', 'not-found') ? new Refused('no-such-link') : error;
    }
  }

  /** Enters through an upload link, whose bearer opens the session. Drafts are sealed with the device's own key. */
  enter(): Promise<Admitted> {
    if (this.view.purpose !== 'upload') return Promise.reject(new Refused('no-such-link'));
    const { id, secret } = this.address;
    const signed = new SignedConnection(this.connection, (connection) =>
      connection.call('POST', `/v1/links/${id}/sessions`, { bearer: bearerOf(this.address) }),
    );
    const { device } = this;
    const ownSeal: OwnSeal = { seal: (plain) => device.wrap(plain), open: (sealed) => device.unwrap(sealed) };
    return Promise.resolve({ ...this.common(signed, secret.signer(id), null), origin: [this.view.statement], ownSeal, reader: null });
  }

  private admit(keyring: Keyring, claim: string): Admitted {
    const { identity, signer } = keyring;
    const recipient = identity.recipient.toString();
    const signed = new SignedConnection(this.connection, signingIn(signer, this.view.audience));
    return {
      ...this.common(signed, signer, recipient),
      origin: [this.view.statement, claim],
      ownSeal: ownSealOf(identity),
      reader: {
        identity,
        recipient,
        claimHash: statementHash(claim),
        claimedAt: statements.decodeUnverified(claim, statements.Claim).at,
      },
    };
  }

  private common(
    signed: SignedConnection,
    signer: Signer,
    recipient: string | null,
  ): Pick<Admitted, 'link' | 'device' | 'signed' | 'charter' | 'writer' | 'signer'> {
    const { address, device, view } = this;
    const charter = new CaseCharter(this.charter, async () => {
      const found = await signed.call<Schemas['Trust']>('GET', '/v1/trust');
      return trusting(() => verifyTrust(found, address, device));
    });
    return { link: address.id, device, signed, charter, signer, writer: new Writer(view.case, view.participant, signer, recipient) };
  }

  private newClaim(passphrase: string): { keyring: Keyring; body: Schemas['NewClaim'] } {
    const { id, secret } = this.address;
    const keyring = generateKeyring();
    const said = {
      link: id,
      case: this.view.case,
      participant: this.view.participant,
      recipient: keyring.identity.recipient.toString(),
      signer: keyring.signer.publicKey,
    };
    const mac = claimMac(secret.claimKey(id), said);
    const statement = statements.sign(keyring.signer, statements.Claim, { at: now(), ...said, mac });
    const { file, stretched } = sealParticipantKeyring(keyring, passphrase, {
      unlock: secret.unlock(id),
      link: linkUrl(this.connection.url, id, secret, this.address.rootFingerprint, this.address.anchor),
      workFactorLog2: this.workFactorLog2,
    });
    return { keyring, body: { statement, keyring: toBase64(file), proof_hash: toBase64(proofHash(stretched)) } };
  }
}

/** `no-such-link` if the fragment is malformed. */
function addressOf(id: Uuid, fragment: string): Address {
  try {
    return { id, ...parseFragment(fragment.replace(/^#/, '')) };
  } catch {
    throw new Refused('no-such-link');
  }
}

function bearerOf({ id, secret }: Address): string {
  return secret.auth(id);
}

async function look(connection: Connection, address: Address): Promise<Schemas['LinkView']> {
  try {
    return await connection.call('GET', `/v1/links/${address.id}`, { bearer: bearerOf(address) });
  } catch (error) {
    throw isRefused(error, 'refused', 'not-found') ? new Refused('no-such-link') : error;
  }
}

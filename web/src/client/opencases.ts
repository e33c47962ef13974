/** The cases of a mediator who is signed in: each with its verified charter and its identity, held for a while. */

import * as age from '../crypto/age';
import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import type { Digest } from '../crypto/fields';
import type { Keyring } from '../crypto/keyrings';
import { openIdentity } from '../crypto/keyrings';
import { statementHash } from '../crypto/signing';
import { Claim, decodeUnverified } from '../crypto/statements';
import type { Trust } from '../crypto/trust';
import type { SignedConnection } from './connection';
import type { Uuid } from './contract';
import type { Device } from './device';
import { Refused } from './refusing';
import type { components } from './schema';
import type { Reader } from './sealing';
import { expected, trusting, trustOf } from './verifying';
import { fromBase64 } from './wire';

type Schemas = components['schemas'];

/** A charter is asked for again after this long: somebody else may have signed the next one. */
const FRESH_MS = 60_000;

/** A mediator who is signed in. */
export interface Office {
  readonly signed: SignedConnection;
  readonly keyring: Keyring;
  readonly credential: Uuid;
  readonly rootFingerprint: string;
  readonly device: Device;
}

/** A case that this mediator can read. */
export interface OpenCase {
  readonly charter: VerifiedCharter;
  readonly identity: age.HybridIdentity;
}

/** Somebody something can be sealed for, by a claim that a mediator has verified. */
export interface Claimed {
  readonly recipient: string;
  readonly claimHash: Digest;
}

export class OpenCases {
  private readonly known = new Map<Uuid, { readonly at: number; readonly opened: Promise<OpenCase> }>();
  private readonly views = new Map<Uuid, Promise<Schemas['CaseView']>>();

  constructor(readonly office: Office) {}

  /** Everybody the pinned root vouches for. */
  async trust(): Promise<Trust> {
    const found = await this.office.signed.call<Schemas['Credentials']>('GET', '/v1/credentials');
    return trusting(() => trustOf(found, this.office.rootFingerprint));
  }

  /** The charter of a case and its identity; `untrusted` where they do not belong together. */
  find(id: Uuid, again = false): Promise<OpenCase> {
    const known = this.known.get(id);
    if (known !== undefined && !again && Date.now() - known.at < FRESH_MS) return known.opened;
    const opened = this.open(id);
    opened.catch(() => { this.known.delete(id); });
    this.known.set(id, { at: Date.now(), opened });
    return opened;
  }

  /** Runs what verifies under a case's charter; with the newest one before anything is called untrusted. */
  async under<Value>(id: Uuid, work: (opened: OpenCase) => Value | Promise<Value>): Promise<Value> {
    const asked = Date.now();
    const opened = await this.find(id);
    try {
      return await trusting(() => work(opened));
    } catch (error) {
      const isFresh = (this.known.get(id)?.at ?? 0) >= asked;
      if (isFresh || !(error instanceof Refused) || error.refusal.refusal !== 'untrusted') throw error;
    }
    const newest = await this.find(id, true);
    return trusting(() => work(newest));
  }

  /** What relay knows of a case besides what is signed: its reference, and who has which part in it. */
  view(id: Uuid, again = false): Promise<Schemas['CaseView']> {
    const known = again ? undefined : this.views.get(id);
    if (known !== undefined) return known;
    const view = this.office.signed.call<Schemas['CaseView']>('GET', `/v1/cases/${id}`);
    view.catch(() => { this.views.delete(id); });
    this.views.set(id, view);
    return view;
  }

  /** Who somebody is in a case. */
  async participant(id: Uuid, participant: Uuid): Promise<Schemas['ParticipantView']> {
    for (const again of [false, true]) {
      const found = (await this.view(id, again)).participants.find((entry) => entry.participant === participant);
      if (found !== undefined) return found;
    }
    throw new Refused('untrusted');
  }

  links(id: Uuid): Promise<Schemas['LinkRecord'][]> {
    return this.office.signed.call('GET', `/v1/cases/${id}/links`);
  }

  /** The keys of a participant, for which a mediator has vouched; null where there are none. */
  async claimed(id: Uuid, participant: Uuid): Promise<Claimed | null> {
    const links = await this.links(id);
    return this.under(id, ({ charter }) => claimedBy(links, participant, charter));
  }

  private async open(id: Uuid): Promise<OpenCase> {
    const { device, keyring, rootFingerprint, signed } = this.office;
    const charters = await signed.call<Schemas['CharterView'][]>('GET', `/v1/cases/${id}/charters`);
    const trust = await this.trust();
    return trusting(async () => {
      const charter = await expected(chain.verifyCharters(trust, charters.map(({ statement }) => statement)), rootFingerprint, device);
      const identity = openIdentity(fromBase64(charters.at(-1)?.key_file ?? ''), [keyring.identity]);
      if (charter.case !== id || identity.recipient.toString() !== charter.recipient) throw new Refused('untrusted');
      return { charter, identity };
    });
  }
}

/** The claim that counts: the one of the newest link that was not ended. */
export function currentClaim(links: readonly Schemas['LinkRecord'][], participant: Uuid): Schemas['LinkRecord'] | null {
  return links.filter((link) => link.participant === participant && !link.revoked && link.claim !== null).at(-1) ?? null;
}

export function claimedBy(links: readonly Schemas['LinkRecord'][], participant: Uuid, charter: VerifiedCharter): Claimed | null {
  const record = currentClaim(links, participant);
  if (record?.claim == null || record.verification === null) return null;
  const verified = chain.verifyParticipant(record.claim, record.verification, charter);
  if (verified.participant !== participant) throw new Refused('untrusted');
  return { recipient: decodeUnverified(record.claim, Claim).recipient, claimHash: statementHash(record.claim) };
}

export function participantReader(audience: 'author' | 'recipient', participant: Uuid, { recipient }: Claimed): Reader {
  return { audience, id: participant, recipient };
}

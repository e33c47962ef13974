/** The cases of a signed-in mediator: each with its verified charter and its identities, cached for a while. */

import * as age from '../crypto/age';
import * as chain from '../crypto/chain';
import type { VerifiedCharter, VerifiedParticipant } from '../crypto/chain';
import type { Keyring } from '../crypto/keyrings';
import { openIdentities } from '../crypto/keyrings';
import { CryptoError } from '../crypto/errors';
import type { Trust } from '../crypto/trust';
import { inForce } from './charter';
import type { SignedConnection } from './connection';
import type { Person, Uuid } from './contract';
import type { Device } from './device';
import { now } from './stamps';
import { brokenOf, Faulty, orBroken, readingNow } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { headerFor, type Reader } from './sealing';
import { trusting, trustOf } from './verifying';
import { fromBase64 } from './wire';

type Schemas = components['schemas'];

/** A charter, and who is in a case, is refetched after this time: somebody else may have changed it. */
const FRESH_MS = 60_000;

/** A signed-in mediator. */
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
  /** Every identity of the case, newest first. */
  readonly identities: readonly age.HybridIdentity[];
}

export class OpenCases {
  private readonly known = new Map<Uuid, { readonly at: number; readonly opened: Promise<OpenCase> }>();
  private readonly views = new Map<Uuid, { readonly at: number; readonly view: Promise<Schemas['CaseView']> }>();

  constructor(readonly office: Office) {}

  /** Everybody the pinned root vouches for. */
  async trust(): Promise<Trust> {
    const found = await this.office.signed.call<Schemas['Credentials']>('GET', '/v1/credentials');
    return trusting(() => trustOf(found, this.office.rootFingerprint));
  }

  /** The charter of a case and its identities; `untrusted` if they do not match. */
  find(id: Uuid, again = false): Promise<OpenCase> {
    const known = this.known.get(id);
    if (known !== undefined && !again && Date.now() - known.at < FRESH_MS) return known.opened;
    const opened = this.open(id);
    opened.catch(() => { this.known.delete(id); });
    this.known.set(id, { at: Date.now(), opened });
    return opened;
  }

  /**
   * Verifies something under a case's charter; refreshes the charter before calling a record broken, since a colleague may
   * have signed the next one. `holds` tells whether the result is complete, if nothing was thrown.
   */
  async under<Value>(id: Uuid, work: (opened: OpenCase) => Value | Promise<Value>, holds: (value: Value) => boolean = () => true): Promise<Value> {
    const asked = Date.now();
    const opened = await this.find(id);
    const isFresh = (this.known.get(id)?.at ?? 0) >= asked;
    try {
      const value = await work(opened);
      if (isFresh || holds(value)) return value;
    } catch (error) {
      if (isFresh || brokenOf(error) === null) throw error;
    }
    return work(await this.find(id, true));
  }

  /** Sends something sealed and signed under a case's charter; retries once if another one is in force by now. */
  sending<Answer>(id: Uuid, send: (opened: OpenCase) => Promise<Answer>): Promise<Answer> {
    return inForce(async (again) => send(await this.find(id, again)));
  }

  /** What relay knows of a case besides signed statements: its reference, and who has which role. */
  view(id: Uuid, again = false): Promise<Schemas['CaseView']> {
    const known = again ? undefined : this.views.get(id);
    if (known !== undefined && Date.now() - known.at < FRESH_MS) return known.view;
    const view = this.office.signed.call<Schemas['CaseView']>('GET', `/v1/cases/${id}`);
    view.catch(() => { this.views.delete(id); });
    this.views.set(id, { at: Date.now(), view });
    return view;
  }

  /** Who somebody is in a case; null if relay does not say. */
  async person(id: Uuid, participant: Uuid): Promise<Person | null> {
    for (const again of [false, true]) {
      const found = (await this.view(id, again)).participants.find((entry) => entry.participant === participant);
      if (found !== undefined) return found;
    }
    return null;
  }

  links(id: Uuid): Promise<Schemas['LinkRecord'][]> {
    return this.office.signed.call('GET', `/v1/cases/${id}/links`);
  }

  /** The keys of a participant, verified by a mediator; null if there are none, `broken` if they are invalid. */
  async claimed(id: Uuid, participant: Uuid): Promise<VerifiedParticipant | null> {
    const links = await this.links(id);
    return this.under(id, ({ charter }) => claimedBy(links, participant, charter));
  }

  /** Like `claimed`; null also if the keys are invalid, since nothing is sealed for them. */
  claimedIfSound(id: Uuid, participant: Uuid): Promise<VerifiedParticipant | null> {
    return orBroken(() => this.claimed(id, participant), () => null);
  }

  /** Makes the next use refetch a case, whose charter has changed. */
  forget(id: Uuid): void {
    this.known.delete(id);
    this.views.delete(id);
  }

  private async open(id: Uuid): Promise<OpenCase> {
    const { keyring } = this.office;
    const found = await this.charters(id);
    if (found.charters.length === 0) await this.refuseUnopened(id);
    const charter = await this.verify(id, await this.trust(), found);
    return trusting(() => {
      const identities = openIdentities(fromBase64(found.charters.at(-1)?.key_file ?? ''), [keyring.identity]);
      chain.checkIdentities(charter, identities.map(({ recipient }) => recipient.toString()));
      return { charter, identities };
    });
  }

  /** Rejects with `not-opened`; with `untrusted` if this device knows better. */
  async refuseUnopened(id: Uuid): Promise<never> {
    await this.expectUnopened(id);
    throw new Refused('not-opened');
  }

  /** `untrusted` if this device has seen a charter of a case that, according to relay, has none. */
  async expectUnopened(id: Uuid): Promise<void> {
    const { device, rootFingerprint } = this.office;
    if (await device.hasSeenCharter(rootFingerprint, id)) throw new Refused('untrusted');
  }

  private verify(id: Uuid, trust: Trust, { registration, charters }: Schemas['Charters']): Promise<VerifiedCharter> {
    return trusting(async () => {
      const charter = chain.verifyCharters(trust, registration ?? '', charters.map(({ statement }) => statement));
      if (charter.case !== id) throw new Refused('untrusted');
      await this.office.device.expectCharter(this.office.rootFingerprint, charter);
      return charter;
    });
  }

  /** The charters of a case as relay returns them. */
  charters(id: Uuid): Promise<Schemas['Charters']> {
    return this.office.signed.call('GET', `/v1/cases/${id}/charters`);
  }
}

/** The statements of a link, as `chain.verifyOrigin` takes them. */
export function wayIn({ statement, claim, verification, endings }: Schemas['LinkRecord']): readonly string[] {
  return [statement, claim, verification, ...endings].filter((compact) => compact !== null);
}

/** Whether a link was claimed, has not ended, and waits for a mediator to verify the claim. */
export function isUnverified({ claim, verification, ended, endings }: Schemas['LinkRecord']): boolean {
  return claim !== null && verification === null && !ended && endings.length === 0;
}

/** The keys of the last verified claim whose link has not ended; `broken` if there are only invalid ones. */
export function claimedBy(links: readonly Schemas['LinkRecord'][], participant: Uuid, charter: VerifiedCharter): VerifiedParticipant | null {
  const at = now();
  const found: { readonly keys: VerifiedParticipant; readonly verifiedAt: string }[] = [];
  let broken: Refused | null = null;
  for (const record of links) {
    if (record.participant !== participant || record.claim === null || record.verification === null) continue;
    try {
      const { holds, verifiedAt } = readingNow('claim', () => {
        const origin = chain.verifyOrigin(wayIn(record), charter);
        return { holds: origin.endedAt === null && origin.standingAt(at) === 'verified', verifiedAt: origin.verifiedAt ?? '' };
      });
      if (holds) found.push({ keys: keysFrom(wayIn(record), participant, charter), verifiedAt });
    } catch (error) {
      if (!(error instanceof Refused) || brokenOf(error) === null) throw error;
      if (!record.ended) broken = error;
    }
  }
  const latest = found.sort((one, other) => one.verifiedAt.localeCompare(other.verifiedAt)).at(-1);
  if (latest !== undefined) return latest.keys;
  if (broken !== null) throw broken;
  return null;
}

/** A participant's keys to seal for, from the statements of their origin; `broken` if they are invalid. */
export function keysFrom(statements: readonly string[], participant: Uuid, charter: VerifiedCharter): VerifiedParticipant {
  return readingNow('claim', () => {
    const keys = chain.verifyParticipant(statements, charter, now());
    if (keys.participant !== participant) throw new CryptoError('chain', 'a claim of somebody else');
    expectUsable(keys.recipient);
    return keys;
  });
}

/** Refuses a recipient that nothing can be sealed for. */
export function expectUsable(recipient: string): void {
  try {
    headerFor(age.newFileKey(), recipient);
  } catch {
    throw new Faulty('unusable-key');
  }
}

export function participantReader(
  audience: 'author' | 'recipient',
  { participant, recipient }: Pick<VerifiedParticipant, 'participant' | 'recipient'>,
): Reader {
  return { audience, id: participant, recipient };
}

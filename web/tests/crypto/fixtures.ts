/** Shared fixtures: a root, the people it vouches for, and a case in which two of them correspond. */

import { HybridIdentity } from '../../src/crypto/age';
import { verifyCharters, type VerifiedCharter } from '../../src/crypto/chain';
import { b64uEncode } from '../../src/crypto/encoding';
import type { Digest, Time, Uuid } from '../../src/crypto/values';
import { generateKeyring, type Keyring } from '../../src/crypto/keyrings';
import { authDigest, claimMac, LinkSecret } from '../../src/crypto/links';
import { Signer, statementHash } from '../../src/crypto/signing';
import { randomBytes } from '../../src/crypto/sodium';
import {
  Charter,
  Claim,
  Consent,
  Credential,
  Link,
  LinkEnding,
  type Member,
  Message,
  Registration,
  type Role,
  sign,
  Verification,
} from '../../src/crypto/statements';
import { establishTrust, type Trust } from '../../src/crypto/trust';
import { A_NONCE, aCase, aPart } from './samples';

export const BEGAN = '2030-01-01T00:00:00Z';
export const CHANGED = '2030-06-01T00:00:00Z';
export const ENDS = '2031-01-01T00:00:00Z';
export const CLAIRE = '38af30fc-8f34-49af-a20b-b070b5316a2d';
export const DENIS = '2397bf36-b077-49db-b396-1e23fcac86fe';

/** Somebody with a credential signed by the root. */
export interface Vouched {
  readonly id: Uuid;
  readonly person: Uuid;
  readonly keys: Keyring;
  readonly compact: string;
  readonly member: Member;
}

/** New keys, vouched for by `root`. */
export function vouch(root: Signer, role: Role, changes: Partial<Credential> = {}): Vouched {
  const keys = generateKeyring();
  const [id, person] = [changes.credential ?? crypto.randomUUID(), changes.person ?? crypto.randomUUID()];
  const compact = sign(root, Credential, {
    at: BEGAN,
    credential: id,
    person,
    role,
    recipient: role === 'service' ? null : keys.identity.recipient.toString(),
    signer: keys.signer.publicKey,
    not_before: BEGAN,
    not_after: ENDS,
    ...changes,
  });
  return { id, person, keys, compact, member: { credential: id, statement: statementHash(compact) } };
}

/** A link, and the claim and verification made through it. */
export interface WayIn {
  readonly link: Link;
  readonly linkCompact: string;
  readonly secret: LinkSecret;
  readonly keys: Keyring;
  readonly claim: string;
  readonly verification: string;
}

/** A case that Anna opened and that Boris may join, with all credentials involved. */
export class World {
  readonly root = Signer.generate();
  readonly service: Vouched;
  readonly anna: Vouched;
  readonly boris: Vouched;
  readonly worker: Vouched;
  readonly recovery: Vouched;
  readonly recipient = HybridIdentity.generate().recipient.toString();
  readonly registration: string;
  readonly everybody: readonly Vouched[];

  /** `credentials` overrides fields of every credential. */
  constructor(credentials: Partial<Credential> = {}) {
    const vouched = (role: Role): Vouched => vouch(this.root, role, credentials);
    [this.service, this.anna, this.boris] = [vouched('service'), vouched('mediator'), vouched('mediator')];
    [this.worker, this.recovery] = [vouched('media'), vouched('recovery')];
    this.registration = this.register();
    this.everybody = [this.service, this.anna, this.boris, this.worker, this.recovery];
  }

  trust(others: readonly string[] = [], revocations: readonly string[] = [], without: readonly Vouched[] = []): Trust {
    const known = this.everybody.filter((one) => !without.includes(one)).map(({ compact }) => compact);
    return establishTrust([this.root.publicKey], [...known, ...others], revocations);
  }

  register(by = this.service, changes: Partial<Registration> = {}): string {
    return sign(by.keys.signer, Registration, { at: BEGAN, case: aCase, mediators: [this.anna.id], ...changes });
  }

  /** The first version, unless `changes` overrides it. */
  charter(by: Vouched, changes: Partial<Charter> = {}): string {
    return sign(by.keys.signer, Charter, {
      at: BEGAN,
      case: aCase,
      version: 1,
      registration: statementHash(this.registration),
      previous: null,
      recipient: this.recipient,
      mediators: [this.anna.member],
      media: [this.worker.member],
      recovery: [this.recovery.member],
      policy: { approvals: 1, captions: 'optional', server_processing: true, retention_days: 30 },
      ...changes,
    });
  }

  /** The version after `before`. */
  next(before: string, by: Vouched, changes: Partial<Charter> = {}): string {
    return this.charter(by, { at: CHANGED, version: 2, registration: null, previous: statementHash(before), ...changes });
  }

  verified(...charters: readonly string[]): VerifiedCharter {
    return verifyCharters(this.trust(), this.registration, charters);
  }

  link(charter: string, participant: Uuid, changes: Partial<Link> = {}, by = this.anna): { readonly link: Link; readonly compact: string; readonly secret: LinkSecret } {
    const secret = LinkSecret.generate();
    const id = crypto.randomUUID();
    const isUpload = changes.purpose === 'upload';
    const link: Link = {
      at: BEGAN,
      nonce: A_NONCE,
      link: id,
      case: aCase,
      charter: statementHash(charter),
      participant,
      purpose: 'participate',
      auth: authDigest(secret.auth(id)),
      signer: isUpload ? secret.signer(id).publicKey : null,
      sealed: isUpload ? null : b64uEncode(randomBytes(32)),
      expires: isUpload ? CHANGED : null,
      ...changes,
    };
    return { link, compact: sign(by.keys.signer, Link, link), secret };
  }

  /** A link that its participant claimed, and that Anna verified. */
  wayIn(charter: string, participant: Uuid): WayIn {
    const { link, compact, secret } = this.link(charter, participant);
    const keys = generateKeyring();
    const claim = claimOf(link, secret, keys);
    return { link, linkCompact: compact, secret, keys, claim, verification: this.verification(claim, participant, keys) };
  }

  verification(claim: string, participant: Uuid, keys: Keyring, changes: Partial<Verification> = {}, by = this.anna): string {
    return sign(by.keys.signer, Verification, {
      at: BEGAN,
      case: aCase,
      claim: statementHash(claim),
      participant,
      recipient: keys.identity.recipient.toString(),
      ...changes,
    });
  }

  ending({ link, participant }: Link, changes: Partial<LinkEnding> = {}, by = this.anna): string {
    return sign(by.keys.signer, LinkEnding, { at: CHANGED, link, case: aCase, participant, reason: 'replaced', ...changes });
  }

  consent(by: Signer, participant: Uuid, changes: Partial<Consent> = {}): string {
    return sign(by, Consent, { at: BEGAN, case: aCase, participant, status: 'active', ...changes });
  }
}

/** A claim of `link` with those keys. */
export function claimOf(link: Link, secret: LinkSecret, keys: Keyring, changes: Partial<Claim> = {}): string {
  const said = {
    link: link.link,
    case: link.case,
    participant: link.participant,
    recipient: keys.identity.recipient.toString(),
    signer: keys.signer.publicKey,
  };
  return sign(keys.signer, Claim, { at: BEGAN, ...said, mac: claimMac(secret.claimKey(link.link), said), ...changes });
}

/** A letter from Claire to Denis. */
export function aLetter(charter: Digest, at: Time, changes: Partial<Message> = {}): Message {
  return {
    at,
    nonce: A_NONCE,
    case: aCase,
    charter,
    message: '4f1c2672-3db0-4adb-b5f1-4776d5a6c377',
    revision: 1,
    supersedes: null,
    from: CLAIRE,
    to: DENIS,
    kind: 'letter',
    language: 'en',
    parts: [aPart('body'), aPart('note')],
    ...changes,
  };
}

/**
 * Every act of a person or a worker is a signed statement: the types, and how they are signed and verified.
 *
 * A payload has one JSON text: all members in the order of its type, no white space, null for nothing. Readers encode
 * what they decoded and compare, so no two programs read one statement in two ways.
 */

import { b64uEncode } from './encoding';
import { CryptoError } from './errors';
import { audience, digest, type Form, type Language, language, list, nonce, oneOf, ordinal, orNull, type Part, part, type PartRole, pixels, publicKey, reasonCode, recipient, record, size, time, truth, uuid } from './fields';
import type { Digest, PublicKey, ReasonCode, RecipientText, Time, Uuid } from './values';
import { readUnverified, type Signer, signStatement, verifyStatement } from './signing';

const NONCE_BYTES = 16;

/** What all statements share. */
export interface Statement {
  /** When it was signed, as the signer says. */
  readonly at: Time;
  /** 16 random bytes: distinguishes two statements with the same content in the same second. */
  readonly nonce: string;
}

/** A statement to be signed: it is given a nonce if it has none. */
export type Unsigned<S extends Statement> = Omit<S, 'nonce'> & Partial<Pick<Statement, 'nonce'>>;

/** A type of statement: its name, which is signed with it, and how its payload is read. */
export interface Kind<S extends Statement> {
  readonly typ: string;
  readonly read: Form<S>;
}

/** The compact JWS of a statement; refuses one with a member that is not of its form. */
export function sign<S extends Statement>(signer: Signer, kind: Kind<S>, statement: Unsigned<S>): string {
  return signStatement(signer, kind.typ, JSON.stringify(kind.read({ nonce: newNonce(), ...statement })));
}

/** The statement, if it is one of `kind` signed by `publicKey`. */
export function verify<S extends Statement>(compact: string, kind: Kind<S>, publicKey: PublicKey): S {
  return decode(verifyStatement(compact, kind.typ, publicKey), kind);
}

/** What `compact` claims, before its signature was checked: only to find out who should have signed. */
export function decodeUnverified<S extends Statement>(compact: string, kind: Kind<S>): S {
  const claimed = readUnverified(compact);
  if (claimed.typ !== kind.typ) throw new CryptoError('statement', 'a statement of another type');
  return decode(claimed.payload, kind);
}

function newNonce(): string {
  return b64uEncode(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

function decode<S extends Statement>(payload: string, kind: Kind<S>): S {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    throw new CryptoError('statement', 'the payload is not JSON');
  }
  const statement = kind.read(value);
  if (JSON.stringify(statement) !== payload) throw new CryptoError('statement', 'not the one text of this statement');
  return statement;
}

/** Members in the order of the payload; `at` and `nonce` come first. */
function kind<S extends Statement>(
  typ: string,
  members: { readonly [Name in Exclude<keyof S, keyof Statement>]-?: Form<S[Name]> },
  rule?: (given: S) => boolean,
): Kind<S> {
  const all = { at: time, nonce, ...members } as { readonly [Name in keyof S]-?: Form<S[Name]> };
  return { typ, read: record<S>(all, rule) };
}

// ---------------------------------------------------------------------------------------- trust: who is who

export type Role = 'mediator' | 'media' | 'recovery' | 'service';

/** The organization root vouches for the keys of one person, worker or system. Signed by the root. */
export interface Credential extends Statement {
  readonly credential: Uuid;
  /** The person whose keys these are. Renewed keys are another credential of the same person. */
  readonly person: Uuid;
  readonly role: Role;
  /** Null for a service, which reads nothing. */
  readonly recipient: RecipientText | null;
  readonly signer: PublicKey;
  readonly not_before: Time;
  readonly not_after: Time;
}

export const Credential: Kind<Credential> = kind<Credential>(
  'relay-credential+jws',
  {
    credential: uuid,
    person: uuid,
    role: oneOf('mediator', 'media', 'recovery', 'service'),
    recipient: orNull(recipient),
    signer: publicKey,
    not_before: time,
    not_after: time,
  },
  (given) => (given.recipient === null) === (given.role === 'service') && given.not_before < given.not_after,
);

/** A credential is not valid for anything signed from `at` on. Signed by the root. */
export interface Revocation extends Statement {
  readonly credential: Uuid;
}

export const Revocation: Kind<Revocation> = kind<Revocation>('relay-revocation+jws', { credential: uuid });

/** A new root replaces an old one from `at` on. Signed by each of the two, in two statements. */
export interface Succession extends Statement {
  readonly old: PublicKey;
  readonly new: PublicKey;
}

export const Succession: Kind<Succession> = kind<Succession>(
  'relay-succession+jws',
  { old: publicKey, new: publicKey },
  (given) => given.old !== given.new,
);

/** One holder of a credential, named by its id and by the hash of the very statement. */
export interface Member {
  readonly credential: Uuid;
  readonly statement: Digest;
}

/** The rules that the mediators of a case agreed on. */
export interface Policy {
  readonly approvals: 1 | 2;
  readonly captions: 'required' | 'optional';
  /** Whether senders may also seal a video for the media workers. */
  readonly server_processing: boolean;
  readonly retention_days: number;
}

/**
 * Which mediators may sign the first charter of a case.
 *
 * Signed by a service. Where the root vouches for none, by one of the mediators it lists.
 */
export interface Registration extends Statement {
  readonly case: Uuid;
  /** Credentials. */
  readonly mediators: readonly Uuid[];
}

export const Registration: Kind<Registration> = kind<Registration>(
  'relay-registration+jws',
  { case: uuid, mediators: list(uuid) },
  (given) => given.mediators.length > 0 && areDistinct(given.mediators),
);

/**
 * The keys and rules of a case.
 *
 * The first version is signed by a mediator listed in the registration, every later one by a mediator or a recovery key
 * of the version before.
 */
export interface Charter extends Statement {
  readonly case: Uuid;
  readonly version: number;
  /** Hash of the registration; null in later versions. */
  readonly registration: Digest | null;
  /** Hash of the version before; null in the first. */
  readonly previous: Digest | null;
  readonly recipient: RecipientText;
  readonly mediators: readonly Member[];
  readonly media: readonly Member[];
  /** Whose recovery keys the identity of the case is sealed to. */
  readonly recovery: readonly Member[];
  readonly policy: Policy;
}

const member = record<Member>({ credential: uuid, statement: digest });

export const Charter: Kind<Charter> = kind<Charter>(
  'relay-charter+jws',
  {
    case: uuid,
    version: ordinal,
    registration: orNull(digest),
    previous: orNull(digest),
    recipient,
    mediators: list(member),
    media: list(member),
    recovery: list(member),
    policy: record<Policy>({
      approvals: oneOf(1, 2),
      captions: oneOf('required', 'optional'),
      server_processing: truth,
      retention_days: ordinal,
    }),
  },
  (given) =>
    (given.previous === null) === (given.version === 1) &&
    (given.registration === null) === (given.version !== 1) &&
    given.mediators.length > 0 &&
    areDistinct([...given.mediators, ...given.media, ...given.recovery].map(({ credential }) => credential)),
);

/** The origin of one participant. Signed by a mediator of the case, or by a service. */
export interface Link extends Statement {
  readonly link: Uuid;
  readonly case: Uuid;
  /** Hash of the latest charter when the link was made. It fixes every version up to that one. */
  readonly charter: Digest;
  readonly participant: Uuid;
  readonly purpose: 'participate' | 'upload';
  /** SHA-256 of the link's bearer. */
  readonly auth: Digest;
  /** The key that signs what comes through an upload link. */
  readonly signer: PublicKey | null;
  /** SHA-256 of the age file that holds the claim key, sealed to the case; null for an upload link. */
  readonly sealed: Digest | null;
  /** Never null for an upload link. */
  readonly expires: Time | null;
}

export const Link: Kind<Link> = kind<Link>(
  'relay-link+jws',
  {
    link: uuid,
    case: uuid,
    charter: digest,
    participant: uuid,
    purpose: oneOf('participate', 'upload'),
    auth: digest,
    signer: orNull(publicKey),
    sealed: orNull(digest),
    expires: orNull(time),
  },
  (given) =>
    given.purpose === 'upload'
      ? given.signer !== null && given.sealed === null && given.expires !== null
      : given.signer === null && given.sealed !== null,
);

/**
 * Ends a link. Signed by a mediator of the case, or by a service.
 *
 * `replaced`: what was signed before `at` with the keys of its verified claim still counts. `misused`: nothing that ever
 * came through it counts.
 */
export interface LinkEnding extends Statement {
  readonly link: Uuid;
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly reason: 'replaced' | 'misused';
}

export const LinkEnding: Kind<LinkEnding> = kind<LinkEnding>('relay-link-ending+jws', {
  link: uuid,
  case: uuid,
  participant: uuid,
  reason: oneOf('replaced', 'misused'),
});

/** A participant claims a link with new keys. Signed by the new signer. */
export interface Claim extends Statement {
  readonly link: Uuid;
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly recipient: RecipientText;
  readonly signer: PublicKey;
  /** The result of `claimMac`: only somebody with the link can compute it. */
  readonly mac: Digest;
}

export const Claim: Kind<Claim> = kind<Claim>('relay-claim+jws', {
  link: uuid,
  case: uuid,
  participant: uuid,
  recipient,
  signer: publicKey,
  mac: digest,
});

/** A mediator checked the MAC of a claim and confirmed it with the person. Signed by the mediator. */
export interface Verification extends Statement {
  readonly case: Uuid;
  readonly claim: Digest;
  readonly participant: Uuid;
  readonly recipient: RecipientText;
}

export const Verification: Kind<Verification> = kind<Verification>('relay-verification+jws', {
  case: uuid,
  claim: digest,
  participant: uuid,
  recipient,
});

/** A sign-in. Signed by the person signing in. */
export interface Session extends Statement {
  /** 32 random bytes from the server. */
  readonly challenge: Digest;
  /** The public URL of the relay: a signature for one is useless at another. */
  readonly audience: string;
}

export const Session: Kind<Session> = kind<Session>('relay-session+jws', { challenge: digest, audience });

// ---------------------------------------------------- messages: what was said, and what was done with it

/** One revision of a letter or a video. Signed by its sender, or by a mediator who wrote it down. */
export interface Message extends Statement {
  readonly case: Uuid;
  /** Hash of the charter in force when this was made. */
  readonly charter: Digest;
  readonly message: Uuid;
  readonly revision: number;
  /** Hash of the revision before. */
  readonly supersedes: Digest | null;
  readonly from: Uuid;
  readonly to: Uuid;
  readonly kind: 'letter' | 'video';
  readonly language: Language;
  /** A note says who assisted; it is for the case and the author alone. */
  readonly parts: readonly Part[];
}

export const Message: Kind<Message> = kind<Message>(
  'relay-message+jws',
  {
    case: uuid,
    charter: digest,
    message: uuid,
    revision: ordinal,
    supersedes: orNull(digest),
    from: uuid,
    to: uuid,
    kind: oneOf('letter', 'video'),
    language,
    parts: list(part),
  },
  (given) =>
    (given.supersedes === null) === (given.revision === 1) &&
    given.from !== given.to &&
    (given.kind === 'letter'
      ? arePartsOf(given.parts, 'body', ['note'])
      : arePartsOf(given.parts, 'original', ['body', 'captions', 'note'])),
);

/** The media worker's version of a video. Signed by the worker. */
export interface Rendition extends Statement {
  readonly case: Uuid;
  /** Hash of the charter in force when this was made. */
  readonly charter: Digest;
  readonly message: Uuid;
  readonly revision: number;
  /** Hash of the message statement it came from. */
  readonly source: Digest;
  readonly parts: readonly Part[];
  /** Bytes of the rendition, opened. */
  readonly size: number;
  readonly duration_ms: number;
  readonly width: number;
  readonly height: number;
  readonly profile: 'h264-720p' | 'audio';
}

export const Rendition: Kind<Rendition> = kind<Rendition>(
  'relay-rendition+jws',
  {
    case: uuid,
    charter: digest,
    message: uuid,
    revision: ordinal,
    source: digest,
    parts: list(part),
    size,
    duration_ms: size,
    width: pixels,
    height: pixels,
    profile: oneOf('h264-720p', 'audio'),
  },
  (given) => arePartsOf(given.parts, 'rendition', ['poster']),
);

/** Captions for a video, or why it has none. Signed by a mediator. */
export interface Captions extends Statement {
  readonly case: Uuid;
  readonly message: Uuid;
  readonly revision: number;
  readonly source: Digest;
  readonly rendition: Digest | null;
  readonly language: Language;
  readonly part: Part | null;
  readonly exception: ReasonCode | null;
}

export const Captions: Kind<Captions> = kind<Captions>(
  'relay-captions+jws',
  {
    case: uuid,
    message: uuid,
    revision: ordinal,
    source: digest,
    rendition: orNull(digest),
    language,
    part: orNull(part),
    exception: orNull(reasonCode),
  },
  (given) =>
    (given.part === null) !== (given.exception === null) &&
    (given.part === null || arePartsOf([given.part], 'captions', [])),
);

/** A mediator's decision on one revision, and what exactly they saw. Signed by the mediator. */
export interface Decision extends Statement {
  readonly case: Uuid;
  readonly message: Uuid;
  readonly revision: number;
  readonly source: Digest;
  readonly rendition: Digest | null;
  readonly captions: Digest | null;
  readonly decision: 'approve' | 'return' | 'decline' | 'hold' | 'resume' | 'reopen' | 'retract' | 'recall' | 'retry';
  readonly reason: ReasonCode | null;
  /** The mediator's own words to the sender. */
  readonly notes: readonly Part[];
}

export const Decision: Kind<Decision> = kind<Decision>(
  'relay-decision+jws',
  {
    case: uuid,
    message: uuid,
    revision: ordinal,
    source: digest,
    rendition: orNull(digest),
    captions: orNull(digest),
    decision: oneOf('approve', 'return', 'decline', 'hold', 'resume', 'reopen', 'retract', 'recall', 'retry'),
    reason: orNull(reasonCode),
    notes: list(part),
  },
  (given) => (given.reason !== null || !['return', 'decline', 'hold'].includes(given.decision)) && areNotes(given.notes),
);

/** One grant of an offer: which part, and which header opens it. */
export interface GrantedPart {
  /** The commitment of the part, which tells it from all others. */
  readonly commit: Digest;
  /** SHA-256 of the header written for the recipient. */
  readonly header: Digest;
}

/** A mediator releases exactly these parts to exactly this key. Signed by the mediator. */
export interface Offer extends Statement {
  readonly case: Uuid;
  /** Hash of the charter in force when this was made. */
  readonly charter: Digest;
  readonly message: Uuid;
  readonly revision: number;
  readonly source: Digest;
  readonly rendition: Digest | null;
  readonly captions: Digest | null;
  readonly recipient: RecipientText;
  /** Hash of the recipient's claim. */
  readonly claim: Digest;
  /** Hashes of the two consents it requires: the sender's, then the recipient's. */
  readonly consents: readonly Digest[];
  readonly grants: readonly GrantedPart[];
  /** The content note, then, if there is one, the mediator's summary. */
  readonly notes: readonly Part[];
  readonly not_before: Time | null;
}

export const Offer: Kind<Offer> = kind<Offer>(
  'relay-offer+jws',
  {
    case: uuid,
    charter: digest,
    message: uuid,
    revision: ordinal,
    source: digest,
    rendition: orNull(digest),
    captions: orNull(digest),
    recipient,
    claim: digest,
    consents: list(digest),
    grants: list(record<GrantedPart>({ commit: digest, header: digest })),
    notes: list(part),
    not_before: orNull(time),
  },
  (given) =>
    given.consents.length === 2 &&
    areDistinct(given.consents) &&
    given.grants.length > 0 &&
    areDistinct(given.grants.map(({ commit }) => commit)) &&
    given.notes.length <= 2 &&
    areNotes(given.notes),
);

/** A recipient's answer to an offer, and whether the author may know. Signed by the recipient. */
export interface Response extends Statement {
  readonly case: Uuid;
  readonly message: Uuid;
  readonly offer: Digest;
  /** `close` ends the recipient's own access, after they opened it. */
  readonly answer: 'accept' | 'wait' | 'refuse' | 'close';
  readonly tell_author: boolean;
}

export const Response: Kind<Response> = kind<Response>('relay-response+jws', {
  case: uuid,
  message: uuid,
  offer: digest,
  answer: oneOf('accept', 'wait', 'refuse', 'close'),
  tell_author: truth,
});

/** A sender withdraws a message. Signed by the sender, or by a mediator who recorded it. */
export interface Withdrawal extends Statement {
  readonly case: Uuid;
  readonly message: Uuid;
  readonly participant: Uuid;
}

export const Withdrawal: Kind<Withdrawal> = kind<Withdrawal>('relay-withdrawal+jws', {
  case: uuid,
  message: uuid,
  participant: uuid,
});

/** A participant resumes, pauses or ends contact. Signed by them, or by a mediator or a service that recorded it. */
export interface Consent extends Statement {
  readonly case: Uuid;
  readonly participant: Uuid;
  readonly status: 'active' | 'paused' | 'withdrawn';
}

export const Consent: Kind<Consent> = kind<Consent>('relay-consent+jws', {
  case: uuid,
  participant: uuid,
  status: oneOf('active', 'paused', 'withdrawn'),
});

/** Exactly one part with the role `needed`, and at most one each of those `allowed` with it. */
function arePartsOf(parts: readonly Part[], needed: PartRole, allowed: readonly PartRole[]): boolean {
  const roles = parts.map(({ role }) => role);
  const belong = roles.every((role) => role === needed || allowed.includes(role));
  return roles.includes(needed) && areDistinct(roles) && belong && haveOwnKeys(parts);
}

function areNotes(parts: readonly Part[]): boolean {
  return parts.every(({ role }) => role === 'note') && haveOwnKeys(parts);
}

/** A grant of one of two parts with the same file key would open both. */
function haveOwnKeys(parts: readonly Part[]): boolean {
  return areDistinct(parts.map(({ commit }) => commit));
}

function areDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

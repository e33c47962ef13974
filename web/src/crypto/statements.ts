/**
 * Every act of a person or a worker is a signed statement: the types, and how they are signed and verified.
 *
 * A payload has one JSON text: all members in the order of its type, no white space, null for nothing. Readers encode
 * what they decoded and compare, so no two programs read one statement in two ways.
 */

import { b64uEncode } from './encoding';
import { CryptoError } from './errors';
import {
  audience,
  digest,
  type Form,
  type Forms,
  language,
  list,
  nonce,
  oneOf,
  ordinal,
  orNull,
  type Part,
  part,
  type PartRole,
  pixels,
  publicKey,
  reasonCode,
  recipient,
  record,
  size,
  time,
  truth,
  uuid,
  type Values,
} from './fields';
import type { PublicKey, Time } from './values';
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

/** The type of the statements of a kind. */
type Of<K> = K extends Kind<infer S> ? S : never;

/** Members in the order of the payload; `at` and `nonce` come first. */
function kind<Members extends Forms>(typ: string, members: Members, rule?: (given: Values<Members>) => boolean): Kind<Statement & Values<Members>> {
  return { typ, read: record({ at: time, nonce, ...members }, rule) as Form<Statement & Values<Members>> };
}

// ---------------------------------------------------------------------------------------- trust: who is who

const role = oneOf('mediator', 'media', 'recovery', 'service');
export type Role = ReturnType<typeof role>;

/** The organization root vouches for the keys of one person, worker or system. Signed by the root. */
export const Credential = kind(
  'relay-credential+jws',
  {
    credential: uuid,
    /** The person whose keys these are. Renewed keys are another credential of the same person. */
    person: uuid,
    role,
    /** Null for a service, which reads nothing. */
    recipient: orNull(recipient),
    signer: publicKey,
    not_before: time,
    not_after: time,
  },
  (given) => (given.recipient === null) === (given.role === 'service') && given.not_before < given.not_after,
);
export type Credential = Of<typeof Credential>;

/** A credential is not valid for anything signed from `at` on. Signed by the root. */
export const Revocation = kind('relay-revocation+jws', { credential: uuid });
export type Revocation = Of<typeof Revocation>;

/** A new root replaces an old one from `at` on. Signed by each of the two, in two statements. */
export const Succession = kind(
  'relay-succession+jws',
  { old: publicKey, new: publicKey },
  (given) => given.old !== given.new,
);
export type Succession = Of<typeof Succession>;

/**
 * Which mediators may sign the first charter of a case.
 *
 * Signed by a service. Where the root vouches for none, by one of the mediators it lists.
 */
export const Registration = kind(
  'relay-registration+jws',
  {
    case: uuid,
    /** Credentials. */
    mediators: list(uuid),
  },
  (given) => given.mediators.length > 0 && areDistinct(given.mediators),
);
export type Registration = Of<typeof Registration>;

/** One holder of a credential, named by its id and by the hash of the very statement. */
const member = record({ credential: uuid, statement: digest });
export type Member = ReturnType<typeof member>;

/** The rules that the mediators of a case agreed on. */
const policy = record({
  approvals: oneOf(1, 2),
  captions: oneOf('required', 'optional'),
  /** Whether senders may also seal a video for the media workers. */
  server_processing: truth,
  retention_days: ordinal,
});
export type Policy = ReturnType<typeof policy>;

/**
 * The keys and rules of a case.
 *
 * The first version is signed by a mediator listed in the registration, every later one by a mediator or a recovery key
 * of the version before.
 */
export const Charter = kind(
  'relay-charter+jws',
  {
    case: uuid,
    version: ordinal,
    /** Hash of the registration; null in later versions. */
    registration: orNull(digest),
    /** Hash of the version before; null in the first. */
    previous: orNull(digest),
    recipient,
    mediators: list(member),
    media: list(member),
    /** Whose recovery keys the identity of the case is sealed to. */
    recovery: list(member),
    policy,
  },
  (given) =>
    (given.previous === null) === (given.version === 1) &&
    (given.registration === null) === (given.version !== 1) &&
    given.mediators.length > 0 &&
    areDistinct([...given.mediators, ...given.media, ...given.recovery].map(({ credential }) => credential)),
);
export type Charter = Of<typeof Charter>;

/** The origin of one participant. Signed by a mediator of the case, or by a service. */
export const Link = kind(
  'relay-link+jws',
  {
    link: uuid,
    case: uuid,
    /** Hash of the latest charter when the link was made. It fixes every version up to that one. */
    charter: digest,
    participant: uuid,
    purpose: oneOf('participate', 'upload'),
    /** SHA-256 of the link's bearer. */
    auth: digest,
    /** The key that signs what comes through an upload link. */
    signer: orNull(publicKey),
    /** SHA-256 of the age file that holds the claim key, sealed to the case; null for an upload link. */
    sealed: orNull(digest),
    /** Never null for an upload link. */
    expires: orNull(time),
  },
  (given) =>
    given.purpose === 'upload'
      ? given.signer !== null && given.sealed === null && given.expires !== null
      : given.signer === null && given.sealed !== null,
);
export type Link = Of<typeof Link>;

/**
 * Ends a link. Signed by a mediator of the case, or by a service.
 *
 * `replaced`: what was signed before `at` with the keys of its verified claim still counts. `misused`: nothing that ever
 * came through it counts.
 */
export const LinkEnding = kind('relay-link-ending+jws', {
  link: uuid,
  case: uuid,
  participant: uuid,
  reason: oneOf('replaced', 'misused'),
});
export type LinkEnding = Of<typeof LinkEnding>;

/** A participant claims a link with new keys. Signed by the new signer. */
export const Claim = kind('relay-claim+jws', {
  link: uuid,
  case: uuid,
  participant: uuid,
  recipient,
  signer: publicKey,
  /** The result of `claimMac`: only somebody with the link can compute it. */
  mac: digest,
});
export type Claim = Of<typeof Claim>;

/** A mediator checked the MAC of a claim and confirmed it with the person. Signed by the mediator. */
export const Verification = kind('relay-verification+jws', {
  case: uuid,
  claim: digest,
  participant: uuid,
  recipient,
});
export type Verification = Of<typeof Verification>;

/** A sign-in. Signed by the person signing in. */
export const Session = kind('relay-session+jws', {
  /** 32 random bytes from the server. */
  challenge: digest,
  /** The public URL of the relay: a signature for one is useless at another. */
  audience,
});
export type Session = Of<typeof Session>;

// ---------------------------------------------------- messages: what was said, and what was done with it

/** One revision of a letter or a video. Signed by its sender, or by a mediator who wrote it down. */
export const Message = kind(
  'relay-message+jws',
  {
    case: uuid,
    /** Hash of the charter in force when this was made. */
    charter: digest,
    message: uuid,
    revision: ordinal,
    /** Hash of the revision before. */
    supersedes: orNull(digest),
    from: uuid,
    to: uuid,
    kind: oneOf('letter', 'video'),
    language,
    /** A note says who assisted; it is for the case and the author alone. */
    parts: list(part),
  },
  (given) =>
    (given.supersedes === null) === (given.revision === 1) &&
    given.from !== given.to &&
    (given.kind === 'letter'
      ? arePartsOf(given.parts, 'body', ['note'])
      : arePartsOf(given.parts, 'original', ['body', 'captions', 'note'])),
);
export type Message = Of<typeof Message>;

/** The media worker's version of a video. Signed by the worker. */
export const Rendition = kind(
  'relay-rendition+jws',
  {
    case: uuid,
    /** Hash of the charter in force when this was made. */
    charter: digest,
    message: uuid,
    revision: ordinal,
    /** Hash of the message statement it came from. */
    source: digest,
    parts: list(part),
    /** Bytes of the rendition, opened. */
    size,
    duration_ms: size,
    width: pixels,
    height: pixels,
    profile: oneOf('h264-720p', 'audio'),
  },
  (given) => arePartsOf(given.parts, 'rendition', ['poster']),
);
export type Rendition = Of<typeof Rendition>;

/** Captions for a video, or why it has none. Signed by a mediator. */
export const Captions = kind(
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
export type Captions = Of<typeof Captions>;

/** A mediator's decision on one revision, and what exactly they saw. Signed by the mediator. */
export const Decision = kind(
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
    /** The mediator's own words to the sender. */
    notes: list(part),
  },
  (given) => (given.reason !== null || !['return', 'decline', 'hold'].includes(given.decision)) && areNotes(given.notes),
);
export type Decision = Of<typeof Decision>;

/** One grant of an offer: which part, and which header opens it. */
const grantedPart = record({
  /** The commitment of the part, which identifies it. */
  commit: digest,
  /** SHA-256 of the header written for the recipient. */
  header: digest,
});
export type GrantedPart = ReturnType<typeof grantedPart>;

/** A mediator releases exactly these parts to exactly this key. Signed by the mediator. */
export const Offer = kind(
  'relay-offer+jws',
  {
    case: uuid,
    /** Hash of the charter in force when this was made. */
    charter: digest,
    message: uuid,
    revision: ordinal,
    source: digest,
    rendition: orNull(digest),
    captions: orNull(digest),
    recipient,
    /** Hash of the recipient's claim. */
    claim: digest,
    /** Hashes of the two consents it requires: the sender's, then the recipient's. */
    consents: list(digest),
    grants: list(grantedPart),
    /** The content note, then, if there is one, the mediator's summary. */
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
export type Offer = Of<typeof Offer>;

/** A recipient's answer to an offer, and whether the author may know. Signed by the recipient. */
export const Response = kind('relay-response+jws', {
  case: uuid,
  message: uuid,
  offer: digest,
  /** `close` ends the recipient's own access, after they opened it. */
  answer: oneOf('accept', 'wait', 'refuse', 'close'),
  tell_author: truth,
});
export type Response = Of<typeof Response>;

/** A sender withdraws a message. Signed by the sender, or by a mediator who recorded it. */
export const Withdrawal = kind('relay-withdrawal+jws', {
  case: uuid,
  message: uuid,
  participant: uuid,
});
export type Withdrawal = Of<typeof Withdrawal>;

/** A participant resumes, pauses or ends contact. Signed by them, or by a mediator or a service that recorded it. */
export const Consent = kind('relay-consent+jws', {
  case: uuid,
  participant: uuid,
  status: oneOf('active', 'paused', 'withdrawn'),
});
export type Consent = Of<typeof Consent>;

/** What was written in a case is destroyed, with every grant and every key. Signed by a media worker. */
export const Disposal = kind('relay-disposal+jws', {
  case: uuid,
  /** The charter whose retention period is over; null for a case that had none. */
  charter: orNull(digest),
  closed: time,
  /** Rows of the log before the one that names this, and the hash of the last of them. */
  rows: size,
  head: digest,
  messages: size,
  parts: size,
  /** Bytes, sealed. */
  size: size,
});
export type Disposal = Of<typeof Disposal>;

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

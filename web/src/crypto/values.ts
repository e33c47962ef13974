/** The types of text in statements; `fields.ts` defines the format of each. */

export type Uuid = string;
/** 32 bytes as base64url: a SHA-256, an HMAC, a commitment or a nonce. */
export type Digest = string;
/** An Ed25519 public key as base64url. */
export type PublicKey = string;
/** A post-quantum age recipient, `age1pq1…`; the only kind that statements name. */
export type RecipientText = string;
/** UTC and whole seconds: `2030-01-31T23:59:59Z`. */
export type Time = string;
/** A stable code for a reason, such as `identifies-a-third-person`; its sentence is in the catalogues. */
export type ReasonCode = string;

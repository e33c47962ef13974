/** Failures in `crypto/`: one error class, so that nobody who sees it learns which check failed. */

/** Distinguished in here and in tests; a page may only ask whether a passphrase was wrong (`no-match`). */
export type CryptoFailure =
  | 'encoding' // text is not the one canonical form of any bytes
  | 'key' // a key, recipient, identity or keyring is malformed
  | 'header' // an age header is malformed, or a stanza in it breaks the rules of its type
  | 'no-match' // none of the identities opens any stanza of the header
  | 'header-mac' // the header was altered after it was written
  | 'payload' // a body is altered, cut short, too long, or sealed under another file key
  | 'commitment' // a file key is not the one that the author of the part committed to
  | 'padding' // padding is not what `pad` writes
  | 'statement' // a statement is malformed, of another type, or its signature does not hold
  | 'chain' // well signed, but not by a key that the organization root vouches for here
  | 'link'; // a link is malformed, or does not belong to what it was used for

/** Something did not verify. The reason is in `failure` and `cause`, and is never shown. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly failure: CryptoFailure;

  constructor(failure: CryptoFailure, cause: string) {
    super('not verified', { cause });
    this.failure = failure;
  }
}

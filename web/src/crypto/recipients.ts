/** Reads the text forms of recipients and identities, whichever of age's native types they are. */

import { CryptoError } from './errors';
import { HYBRID_IDENTITY_PREFIX, HYBRID_RECIPIENT_PREFIX, HybridIdentity, HybridRecipient } from './mlkem768x25519';
import { X25519_IDENTITY_PREFIX, X25519_RECIPIENT_PREFIX, X25519Identity, X25519Recipient } from './x25519';

/** The recipient behind `age1pq1…` or `age1…`. */
export function parseRecipient(text: string): HybridRecipient | X25519Recipient {
  switch (text.slice(0, text.lastIndexOf('1'))) {
    case HYBRID_RECIPIENT_PREFIX:
      return HybridRecipient.parse(text);
    case X25519_RECIPIENT_PREFIX:
      return X25519Recipient.parse(text);
    default:
      throw new CryptoError('key', 'not a recipient of a type that relay knows');
  }
}

/** The identity behind `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`. */
export function parseIdentity(text: string): HybridIdentity | X25519Identity {
  switch (text.slice(0, text.lastIndexOf('1'))) {
    case HYBRID_IDENTITY_PREFIX:
      return HybridIdentity.parse(text);
    case X25519_IDENTITY_PREFIX:
      return X25519Identity.parse(text);
    default:
      throw new CryptoError('key', 'not an identity of a type that relay knows');
  }
}

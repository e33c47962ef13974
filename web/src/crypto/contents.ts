/** Messages, what was made of them, and consents: by whom each was signed. */

import type { Signed, VerifiedCharter } from './charter';
import { CryptoError } from './errors';
import { type Origin, verifyOrigin } from './origin';
import { Captions, Consent, Message, Rendition, verify } from './statements';
import { requireOrder } from './trust';
import type { Digest, Uuid } from './values';

/** A message signed with the key of `origin`, in the name of its participant. */
export function verifyMessage(compact: string, charter: VerifiedCharter, origin: Origin): Message {
  const message = verify(compact, Message, origin.signer);
  expectSender(message, charter, origin.participant);
  return message;
}

/** A letter that a mediator wrote down for `sender`, and which mediator did. */
export function verifyRelayedMessage(compact: string, charter: VerifiedCharter, sender: Uuid): Signed<Message> {
  const message = charter.verifyByMediator(compact, Message);
  expectSender(message.statement, charter, sender);
  if (message.statement.kind !== 'letter') throw new CryptoError('chain', 'nobody records a video for somebody else');
  return message;
}

/** What a media worker of the case made of exactly this revision of `message`, and which worker. */
export function verifyRendition(
  compact: string,
  charter: VerifiedCharter,
  message: Message,
  messageHash: Digest,
): Signed<Rendition> {
  const rendition = charter.verifyByMedia(compact, Rendition);
  const { statement } = rendition;
  expectOf(statement, message, messageHash);
  requireOrder(statement, message);
  const madeUnder = charter.requireVersion(statement.charter, statement.at);
  if (madeUnder.version < charter.requireVersion(message.charter, message.at).version) {
    throw new CryptoError('chain', 'a rendition under an older charter than its message');
  }
  return rendition;
}

/**
 * What a participant said about taking part: signed by them, by a mediator, or by a service.
 *
 * `origin`: the statements of the origin whose key signed it, if a participant did; refused unless a mediator verified
 * that claim.
 */
export function verifyConsent(compact: string, charter: VerifiedCharter, origin: readonly string[] = []): Consent {
  const consent =
    origin.length === 0 ? charter.verifyByMediatorOrService(compact, Consent).statement : ownConsent(compact, charter, origin);
  if (consent.case !== charter.case) throw new CryptoError('chain', 'a consent in another case');
  return consent;
}

function ownConsent(compact: string, charter: VerifiedCharter, compacts: readonly string[]): Consent {
  const origin = verifyOrigin(compacts, charter);
  const consent = verify(compact, Consent, origin.signer);
  if (origin.claim === null || consent.participant !== origin.participant) {
    throw new CryptoError('chain', 'a consent of somebody else');
  }
  if (origin.standingAt(consent.at) !== 'verified') throw new CryptoError('chain', 'a consent by a key that nobody verified');
  return consent;
}

/** What a mediator captioned of exactly this revision and this rendition, and which mediator. */
export function verifyCaptions(
  compact: string,
  charter: VerifiedCharter,
  message: Message,
  messageHash: Digest,
  renditionHash: Digest | null,
): Signed<Captions> {
  const captions = charter.verifyByMediator(compact, Captions);
  expectOf(captions.statement, message, messageHash);
  if (captions.statement.rendition !== renditionHash) throw new CryptoError('chain', 'captions of another rendition');
  return captions;
}

function expectOf(made: Rendition | Captions, message: Message, messageHash: Digest): void {
  const same = made.case === message.case && made.message === message.message && made.revision === message.revision;
  if (!same || made.source !== messageHash) throw new CryptoError('chain', 'made of something else');
}

function expectSender(message: Message, charter: VerifiedCharter, sender: Uuid): void {
  if (message.case !== charter.case || message.from !== sender) {
    throw new CryptoError('chain', 'a message of another case or sender');
  }
  charter.requireVersion(message.charter, message.at);
}

/** A released video is believed step by step from the root's fingerprint, and with any one member exchanged it is not. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  checkClaimMac,
  checkLinkSecret,
  verifyCaptions,
  verifyCharter,
  verifyClaim,
  verifyLink,
  verifyMessage,
  verifyParticipant,
  verifyRendition,
  type VerifiedParticipant,
} from '../../src/crypto/chain';
import { b64uDecode } from '../../src/crypto/encoding';
import { LinkSecret } from '../../src/crypto/links';
import { checkGrant, item, verifyApprovals, verifyOffer } from '../../src/crypto/release';
import { statementHash } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { refusal } from './refusal';
import { vectors } from './vectors';

interface Chain {
  readonly root_fingerprint: string;
  readonly root_public_key: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly string[];
  readonly charters: readonly string[];
  readonly author_link: string;
  readonly author_claim: string;
  readonly author_verification: string;
  readonly recipient_link: string;
  readonly recipient_claim: string;
  readonly recipient_verification: string;
  readonly message: string;
  readonly rendition: string;
  readonly captions: string;
  readonly decisions: readonly string[];
  readonly offer: string;
  readonly grant_header: string;
}

const given = vectors('chain') as {
  case: string;
  version: number;
  recipient: string;
  link_secrets: { Claire: string; Denis: string };
  participants: { Claire: string; Denis: string };
  good: Chain;
  bad: { why: string; exchange: keyof Chain; for: unknown }[];
};

/** All that a recipient's reader verifies, from the root's fingerprint to the grant. */
function follow(chain: Chain): readonly [VerifiedParticipant, VerifiedParticipant] {
  const charter = verifyCharter(
    chain.root_fingerprint,
    chain.root_public_key,
    chain.credentials,
    chain.charters,
    chain.revocations,
  );
  expect([charter.case, charter.version, charter.recipient]).toEqual([given.case, given.version, given.recipient]);
  const person = (link: string, claim: string, verification: string, secret: LinkSecret): VerifiedParticipant => {
    const { statement } = verifyLink(link, charter);
    checkLinkSecret(statement, secret);
    checkClaimMac(verifyClaim(claim, statement), secret);
    return verifyParticipant(claim, verification, charter);
  };
  const claire = new LinkSecret(b64uDecode(given.link_secrets.Claire));
  const denis = new LinkSecret(b64uDecode(given.link_secrets.Denis));
  const author = person(chain.author_link, chain.author_claim, chain.author_verification, claire);
  const recipient = person(chain.recipient_link, chain.recipient_claim, chain.recipient_verification, denis);
  const message = verifyMessage(chain.message, charter.case, author.participant, author.signer);
  const source = statementHash(chain.message);
  const { statement: rendition } = verifyRendition(chain.rendition, charter, message, source);
  const renditionHash = statementHash(chain.rendition);
  const { statement: captions } = verifyCaptions(chain.captions, charter, message, source, renditionHash);
  const video = item(
    { statement: message, compact: chain.message },
    { statement: rendition, compact: chain.rendition },
    { statement: captions, compact: chain.captions },
  );
  verifyApprovals(chain.decisions, charter, video);
  const offer = verifyOffer(chain.offer, charter, video, recipient);
  const [part] = rendition.parts;
  if (part === undefined) throw new Error('a rendition has parts');
  checkGrant(offer, part, b64uDecode(chain.grant_header));
  return [author, recipient];
}

beforeAll(sodiumReady);

describe('a released video', () => {
  test('is believed', () => {
    const [author, recipient] = follow(given.good);
    expect([author.participant, recipient.participant]).toEqual([given.participants.Claire, given.participants.Denis]);
  });

  test.each(given.bad)('is not, with one bad member: $why', (bad) => {
    expect(refusal(() => follow({ ...given.good, [bad.exchange]: bad.for }))).toBeTruthy();
  });
});

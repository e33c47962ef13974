/** Roots, charters, origins and a released video are verified step by step, and refused with any one member exchanged. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  checkAnchor,
  checkClaimMac,
  checkIdentities,
  checkLinkSecret,
  checkSeen,
  type Origin,
  verifyCaptions,
  verifyCharter,
  verifyCharters,
  verifyClaim,
  type VerifiedCharter,
  verifyLink,
  verifyMessage,
  verifyOrigin,
  verifyParticipant,
  verifyRendition,
} from '../../src/crypto/chain';
import { b64uDecode } from '../../src/crypto/encoding';
import { CryptoError } from '../../src/crypto/errors';
import { LinkSecret } from '../../src/crypto/links';
import { verifyItem } from '../../src/client/verifying';
import { checkGrant, item, releasableParts, verifyOffer } from '../../src/crypto/release';
import { statementHash } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { establishTrust } from '../../src/crypto/trust';
import { refusal } from './refusal';
import { vectors } from './vectors';

type Role = 'author' | 'recipient';

interface Chain extends Readonly<Record<`${Role}_${'link' | 'claim' | 'verification'}`, string>> {
  readonly root_fingerprint: string;
  readonly root_public_key: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly string[];
  readonly successions: readonly string[];
  readonly registration: string;
  readonly charters: readonly string[];
  readonly anchor: string;
  readonly seen: Readonly<Record<string, string>>;
  readonly identities: readonly string[];
  readonly author_endings: readonly string[];
  readonly recipient_endings: readonly string[];
  readonly message: string;
  readonly rendition: string;
  readonly captions: string;
  readonly decisions: readonly string[];
  readonly consents: readonly { readonly compact: string; readonly by: Role | null }[];
  readonly offer: string;
  readonly grant_header: string;
}

interface Exchange {
  readonly why: string;
  readonly exchange: keyof Chain;
  readonly for: unknown;
}

interface Given {
  readonly why: string;
}

const given = vectors('chain') as {
  version: number;
  recipient: string;
  now: string;
  link_secrets: { Claire: string; Denis: string };
  claim_keys: { Claire: string; Denis: string };
  participants: { Claire: string; Denis: string };
  good: Chain;
  also_good: Exchange[];
  bad: Exchange[];
};

beforeAll(sodiumReady);

function charterIn(chain: Chain): VerifiedCharter {
  return verifyCharter(chain.root_fingerprint, chain.root_public_key, chain);
}

/** The statements of somebody's origin. */
function wayIn(chain: Chain, role: Role): readonly string[] {
  return [chain[`${role}_link`], chain[`${role}_claim`], chain[`${role}_verification`], ...chain[`${role}_endings`]];
}

/** Everything that a recipient's reader verifies, from the root's fingerprint to the grant; who wrote it, and who reads it. */
function follow(chain: Chain): readonly string[] {
  const charter = charterIn(chain);
  expect([charter.version, charter.recipient]).toEqual([given.version, given.recipient]);
  checkAnchor(charter, chain.anchor);
  checkSeen(charter, new Map(Object.entries(chain.seen).map(([version, hash]) => [Number(version), hash])));
  checkIdentities(charter, chain.identities);
  for (const [name, role] of [['Claire', 'author'], ['Denis', 'recipient']] as const) {
    const { statement: link } = verifyLink(chain[`${role}_link`], charter);
    checkLinkSecret(link, new LinkSecret(b64uDecode(given.link_secrets[name])));
    checkClaimMac(verifyClaim(chain[`${role}_claim`], link), b64uDecode(given.claim_keys[name]));
  }
  const recipient = verifyParticipant(wayIn(chain, 'recipient'), charter, given.now);
  const author = verifyOrigin(wayIn(chain, 'author'), charter);
  const message = verifyMessage(chain.message, charter, author);
  const source = statementHash(chain.message);
  const { statement: rendition } = verifyRendition(chain.rendition, charter, message, source);
  const { statement: captions } = verifyCaptions(chain.captions, charter, message, source, statementHash(chain.rendition));
  const video = item(
    author.standingAt(message.at),
    { statement: message, compact: chain.message },
    { statement: rendition, compact: chain.rendition },
    { statement: captions, compact: chain.captions },
  );
  const consents = chain.consents.map(({ compact, by }) => ({ compact, origin: by === null ? [] : wayIn(chain, by) }));
  const offer = verifyOffer(chain.offer, charter, video, recipient, { decisions: chain.decisions, consents });
  const [part] = rendition.parts;
  if (part === undefined) throw new Error('a rendition has parts');
  checkGrant(offer, part, b64uDecode(chain.grant_header));
  return [author.participant, recipient.participant];
}

describe('a released video', () => {
  test('is believed', () => {
    expect(follow(given.good)).toEqual([given.participants.Claire, given.participants.Denis]);
  });

  test.each(given.also_good)('is believed with another good member: $why', (good) => {
    expect(follow({ ...given.good, [good.exchange]: good.for })).toHaveLength(2);
  });

  test.each(given.bad)('is not, with one bad member: $why', (bad) => {
    expect(refusal(() => follow({ ...given.good, [bad.exchange]: bad.for }))).toBeTruthy();
  });
});

describe('an offer', () => {
  const releases = vectors('releases') as {
    charters: Record<string, readonly string[]>;
    offers: { what: string; policy: string; statements: string[]; approvals: string[]; offer: string; released: string[] | null }[];
  };

  test.each(releases.offers)('is believed exactly where its captions are settled: $what, $policy', (offered) => {
    const chain = { ...given.good, charters: releases.charters[offered.policy] ?? [] };
    const charter = charterIn(chain);
    const { item: of } = verifyItem(offered.statements, wayIn(chain, 'author'), charter);
    const recipient = verifyParticipant(wayIn(chain, 'recipient'), charter, given.now);
    const consents = chain.consents.map(({ compact, by }) => ({ compact, origin: by === null ? [] : wayIn(chain, by) }));
    const verified = () => verifyOffer(offered.offer, charter, of, recipient, { decisions: offered.approvals, consents });
    if (offered.released === null) {
      expect(refusal(verified)).toBe('chain');
      return;
    }
    expect(verified().grants.map(({ commit }) => commit).sort()).toEqual([...offered.released].sort());
    expect(releasableParts(of).map(({ commit }) => commit)).toEqual(offered.released);
  });
});

describe('roots', () => {
  interface Roots extends Given {
    readonly pinned: readonly string[];
    readonly credentials: readonly string[];
    readonly revocations: readonly string[];
    readonly successions: readonly string[];
  }

  const roots = vectors('trust') as { good: (Roots & { readonly revoked_at: Readonly<Record<string, string | null>> })[]; bad: Roots[] };
  const revokedAt = ({ pinned, credentials, revocations, successions }: Roots) => {
    const { authorities } = establishTrust(pinned, credentials, revocations, successions);
    return Object.fromEntries([...authorities.values()].map((authority) => [authority.credential, authority.revokedAt]));
  };

  test.each(roots.good)('vouch for these, each until then: $why', (good) => {
    expect(revokedAt(good)).toEqual(good.revoked_at);
  });

  test.each(roots.bad)('vouch for nobody: $why', (bad) => {
    expect(refusal(() => revokedAt(bad))).toBeTruthy();
  });
});

describe('charters', () => {
  interface Charters extends Given {
    readonly credentials: readonly string[];
    readonly registration: string;
    readonly charters: readonly string[];
  }

  const cases = vectors('charters') as {
    root_public_key: string;
    credentials: Readonly<Record<string, string>>;
    good: (Charters & { readonly version: number; readonly recipients: readonly string[] })[];
    bad: Charters[];
  };
  const charterOf = ({ credentials, registration, charters }: Charters) => {
    const known = credentials.map((name) => cases.credentials[name] ?? '');
    return verifyCharters(establishTrust([cases.root_public_key], known), registration, charters);
  };

  test.each(cases.good)('make a case: $why', (good) => {
    const { version, recipients } = charterOf(good);
    expect([version, recipients]).toEqual([good.version, good.recipients]);
  });

  test.each(cases.bad)('make none: $why', (bad) => {
    expect(refusal(() => charterOf(bad))).toBeTruthy();
  });
});

describe('a way in', () => {
  interface Statements extends Given {
    readonly statements: readonly string[];
  }

  const origins = vectors('origins') as {
    good: (Statements & { readonly signer: string; readonly standings: { readonly at: string; readonly standing: string }[] })[];
    bad: Statements[];
  };
  const standing = (origin: Origin, at: string): string => {
    try {
      return origin.standingAt(at);
    } catch (error) {
      if (error instanceof CryptoError) return 'refused';
      throw error;
    }
  };

  test.each(origins.good)('has this key, and what that signed counts: $why', ({ statements, signer, standings }) => {
    const origin = verifyOrigin(statements, charterIn(given.good));
    expect(origin.signer).toBe(signer);
    expect(standings.map(({ at }) => ({ at, standing: standing(origin, at) }))).toEqual(standings);
  });

  test.each(origins.bad)('is none: $why', ({ statements }) => {
    expect(refusal(() => verifyOrigin(statements, charterIn(given.good)))).toBeTruthy();
  });
});

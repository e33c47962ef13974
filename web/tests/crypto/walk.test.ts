/** Every type of statement under every attack: a reader stops at the step that the table names, or completes. */

import { beforeAll, describe, expect, test } from 'vitest';
import {
  checkAnchor,
  checkClaimMac,
  checkLinkSecret,
  type Origin,
  verifyCaptions,
  verifyCharters,
  type VerifiedCharter,
  type VerifiedParticipant,
  verifyMessage,
  verifyOrigin,
  verifyParticipant,
  verifyRendition,
} from '../../src/crypto/chain';
import { b64uDecode } from '../../src/crypto/encoding';
import { CryptoError } from '../../src/crypto/errors';
import { LinkSecret } from '../../src/crypto/links';
import { type Item, item, type Read, verifyOffer } from '../../src/crypto/release';
import { fingerprint, readUnverified, statementHash } from '../../src/crypto/signing';
import { sodiumReady } from '../../src/crypto/sodium';
import { type Kind, type Message, type Rendition, Response, Session, type Statement, verify, Withdrawal } from '../../src/crypto/statements';
import { establishTrust, type Trust } from '../../src/crypto/trust';
import { vectors } from './vectors';

type Place = 'author' | 'recipient';

interface Given {
  readonly root_public_key: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly string[];
  readonly successions: readonly string[];
  readonly registration: string;
  readonly charters: readonly string[];
  readonly anchor: string;
  readonly author_origin: readonly string[];
  readonly recipient_origin: readonly string[];
  readonly session: string | null;
  readonly message: string;
  readonly rendition: string;
  readonly captions: string;
  readonly decisions: readonly string[];
  readonly consents: readonly { readonly compact: string; readonly by: Place | null }[];
  readonly offer: string;
  readonly response: string | null;
  readonly withdrawal: string | null;
}

const walk = vectors('walk') as {
  now: string;
  author_secret: string;
  author_claim_key: string;
  challenge: string;
  audience: string;
  steps: string[];
  given: object;
  cells: { type: string; attack: string; exchange: object | null; refused_at: string | null; reason: string }[];
  statements: string[];
};

beforeAll(sodiumReady);

/** Replaces numbers by the statements that they refer to. */
function spelledOut(value: unknown): unknown {
  if (typeof value === 'number') return walk.statements[value];
  if (Array.isArray(value)) return value.map(spelledOut);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spelledOut(inner)]));
}

function expectThat(holds: boolean, cause: string): void {
  if (!holds) throw new CryptoError('chain', cause);
}

/** The checks of relay, a mediator, a worker and a recipient, in order. */
function* stepsOf(given: Given): Generator<string, void> {
  yield 'trust';
  const trust: Trust = establishTrust([given.root_public_key], given.credentials, given.revocations, given.successions);
  yield 'charters';
  const charter: VerifiedCharter = verifyCharters(trust, given.registration, given.charters);
  yield 'anchor';
  checkAnchor(charter, given.anchor);
  yield 'author_origin';
  const author: Origin = verifyOrigin(given.author_origin, charter);
  checkLinkSecret(author.link, new LinkSecret(b64uDecode(walk.author_secret)));
  if (author.claim === null) throw new CryptoError('chain', 'a link that nobody claimed');
  checkClaimMac(author.claim, b64uDecode(walk.author_claim_key));
  yield 'session';
  if (given.session !== null) {
    const session = byParticipant(given.session, Session, author);
    expectThat(session.challenge === walk.challenge && session.audience === walk.audience, 'another challenge or another relay');
  }
  yield 'message';
  const message: Read<Message> = { statement: verifyMessage(given.message, charter, author), compact: given.message };
  const source = statementHash(given.message);
  const standing = author.standingAt(message.statement.at);
  expectThat(standing !== 'ended', 'the link has ended');
  yield 'rendition';
  const made: Read<Rendition> = { statement: verifyRendition(given.rendition, charter, message.statement, source).statement, compact: given.rendition };
  yield 'captions';
  const captions = verifyCaptions(given.captions, charter, message.statement, source, statementHash(given.rendition)).statement;
  const reviewed: Item = item(standing, message, made, { statement: captions, compact: given.captions });
  yield 'recipient_origin';
  const recipient: VerifiedParticipant = verifyParticipant(given.recipient_origin, charter, walk.now);
  yield 'offer';
  const consents = given.consents.map(({ compact, by }) => ({ compact, origin: by === null ? [] : given[`${by}_origin`] }));
  verifyOffer(given.offer, charter, reviewed, recipient, { decisions: given.decisions, consents });
  const isAboutIt = (said: Response | Withdrawal): boolean => said.case === charter.case && said.message === message.statement.message;
  yield 'response';
  if (given.response !== null) {
    const response = byParticipant(given.response, Response, verifyOrigin(given.recipient_origin, charter));
    expectThat(isAboutIt(response) && response.offer === statementHash(given.offer), 'an answer to another offer');
  }
  yield 'withdrawal';
  if (given.withdrawal !== null) {
    const { kid } = readUnverified(given.withdrawal);
    const byMediator = charter.mediators.some(({ signer }) => fingerprint(signer) === kid);
    const withdrawal = byMediator
      ? charter.verifyByMediator(given.withdrawal, Withdrawal).statement
      : byParticipant(given.withdrawal, Withdrawal, author);
    expectThat(isAboutIt(withdrawal), 'of another message');
  }
}

function byParticipant<S extends Statement>(compact: string, kind: Kind<S>, origin: Origin): S {
  const statement = verify(compact, kind, origin.signer);
  expectThat(origin.standingAt(statement.at) === 'verified', 'the link has ended, or nobody verified it');
  return statement;
}

/** The step at which a reader stops; null if they complete. */
function refusedAt(given: Given): string | null {
  const steps = stepsOf(given);
  for (let at: string | null = null; ; ) {
    try {
      const { done, value } = steps.next();
      if (done === true) return null;
      at = value;
    } catch (error) {
      if (error instanceof CryptoError) return at;
      throw error;
    }
  }
}

test('nothing is refused that was not attacked, at any step', () => {
  const given = spelledOut(walk.given) as Given;
  expect([...stepsOf(given)]).toEqual(walk.steps);
  expect(refusedAt(given)).toBeNull();
});

describe.each([...new Set(walk.cells.map(({ attack }) => attack))])('%s', (attack) => {
  const cells = walk.cells.flatMap(({ exchange, ...cell }) => (cell.attack === attack && exchange !== null ? [{ ...cell, exchange }] : []));

  test.each(cells)('$type: $reason', ({ exchange, refused_at }) => {
    expect(refusedAt(spelledOut({ ...walk.given, ...exchange }) as Given)).toBe(refused_at);
  });
});

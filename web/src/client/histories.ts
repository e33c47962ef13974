/** What came before a message, for its reviewer; and how its recipient receives what is offered to them. */

import * as chain from '../crypto/chain';
import type { VerifiedCharter } from '../crypto/chain';
import { CryptoError } from '../crypto/errors';
import { statementHash } from '../crypto/signing';
import { formOf } from './forms';
import type * as contract from './contract';
import type { Language, Uuid } from './contract';
import { claimedBy, isUnverified, type OpenCase, type OpenCases, wayIn } from './opencases';
import { brokenOf, orBroken, readingNow } from './records';
import type { Reviews } from './reviews';
import type { components } from './schema';
import { openText, viewIn } from './sealing';
import { verifyWords } from './verifying';

type Schemas = components['schemas'];
type Message = Schemas['ReviewMessage'];
type Link = Schemas['LinkRecord'];

export class Histories {
  constructor(
    private readonly cases: OpenCases,
    private readonly reviews: Reviews,
  ) {}

  async find(id: Uuid): Promise<contract.History> {
    const message = await this.reviews.inFront(id);
    const found = await this.cases.office.signed.call<Schemas['History']>('GET', `/v1/messages/${id}/history`);
    const { revisions, others } = found;
    const sentAt = revisions.find(({ revision }) => revision === message.revision)?.sent_at ?? message.created_at;
    return {
      revisions: await this.cases.under(message.case, (opened) => earlier(message, revisions, opened), areSound),
      others: others.map(past),
      answers: lastOpened(others, message.to, sentAt),
      access: await this.access(message, others),
    };
  }

  private async access({ case: id, to }: Message, others: readonly Schemas['PastMessage'][]): Promise<contract.Access> {
    const links = (await this.cases.links(id)).filter(({ participant, ended }) => participant === to && !ended);
    const way = await orBroken(
      () => this.cases.under(id, ({ charter }) => wayOf(links, to, charter)),
      (): contract.Access['way'] => ({ by: 'broken' }),
    );
    const wrote = others.filter(({ from }) => from === to);
    return {
      way,
      hasUploadLink: links.some(({ purpose }) => purpose === 'upload'),
      wroteIn: [...new Set(wrote.map(({ language }): Language => language))],
      assisted: wrote[0]?.assisted ?? null,
    };
  }
}

/** Every revision before the one shown, newest first: its text if it is signed and can be read. */
function earlier(message: Message, revisions: readonly Schemas['SignedRevision'][], opened: OpenCase): contract.EarlierRevision[] {
  return revisions
    .filter(({ revision }) => revision < message.revision)
    .map((signed, place): contract.EarlierRevision => {
      const { revision, sent_at: sentAt } = signed;
      try {
        const before = place === 0 ? null : (revisions[place - 1]?.statement ?? null);
        return { revision, sentAt, text: readingNow('message', () => wordsOf(message, signed, before, opened)), fault: null };
      } catch (error) {
        const broken = brokenOf(error);
        if (broken === null) throw error;
        return { revision, sentAt, text: null, fault: broken };
      }
    })
    .reverse();
}

function wordsOf(
  message: Message,
  { statement: compact, origin, revision }: Schemas['SignedRevision'],
  before: string | null,
  { charter, identities }: OpenCase,
): string | null {
  const { statement: said } = verifyWords(compact, origin, charter).message;
  const follows = said.supersedes === (before === null ? null : statementHash(before));
  if (said.message !== message.message || said.from !== message.from || said.revision !== revision || !follows) {
    throw new CryptoError('chain', 'another revision');
  }
  const body = said.parts.find(({ role }) => role === 'body');
  return body === undefined ? null : readingNow('body', () => openText(message.case, body, viewIn(message.parts, body), identities));
}

function areSound(revisions: readonly contract.EarlierRevision[]): boolean {
  return revisions.every(({ fault }) => fault === null);
}

function past(one: Schemas['PastMessage']): contract.PastMessage {
  const { message, from, kind, language, state, revision, created_at: createdAt, opened_at: openedAt } = one;
  return { message, from, kind, form: formOf(one), language, state, revision, createdAt, openedAt };
}

/** What `from` had last opened by then. */
function lastOpened(others: readonly Schemas['PastMessage'][], from: Uuid, by: contract.Time): Uuid | null {
  const opened = others.flatMap((other) => {
    const at = other.opened_at === null || other.from !== from ? NaN : Date.parse(other.opened_at);
    return at <= Date.parse(by) ? [{ message: other.message, at }] : [];
  });
  return opened.sort((one, other) => other.at - one.at)[0]?.message ?? null;
}

function wayOf(links: readonly Link[], participant: Uuid, charter: VerifiedCharter): contract.Access['way'] {
  const keys = claimedBy(links, participant, charter);
  if (keys !== null) return { by: 'verified', since: keys.claimedAt };
  const unverified = links.find(isUnverified);
  if (unverified !== undefined) {
    const { claim } = readingNow('claim', () => chain.verifyOrigin(wayIn(unverified), charter));
    return claim === null ? { by: 'broken' } : { by: 'claimed', since: claim.at };
  }
  const made = links.find(({ purpose }) => purpose === 'participate');
  return made === undefined ? { by: 'none' } : { by: 'made', since: readingNow('link', () => chain.verifyLink(made.statement, charter)).statement.at };
}

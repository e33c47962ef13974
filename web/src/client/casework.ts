/** A mediator's work on cases: opens them, makes links and checks who claimed them, records what people said. */

import * as age from '../crypto/age';
import { type ChainedRow, firstBadRow } from '../crypto/audit';
import * as chain from '../crypto/chain';
import { sealIdentity } from '../crypto/keyrings';
import { linkUrl } from '../crypto/links';
import { statementHash } from '../crypto/signing';
import * as statements from '../crypto/statements';
import { isValidAt, ofRole, type Trust } from '../crypto/trust';
import { ActSigner } from './acting';
import type * as contract from './contract';
import type { ParticipantRole, Uuid } from './contract';
import { makeLink, openSecret } from './linking';
import { newId, now } from './moments';
import type { OpenCases } from './opencases';
import { claimedBy, currentClaim } from './opencases';
import { Refused } from './refusing';
import type { components } from './schema';
import { trusting } from './verifying';
import { fromBase64, toBase64 } from './wire';

type Schemas = components['schemas'];

const CASES_A_PAGE = 100;
const ROWS_A_PAGE = 500;
const HARMED_SIDE: ReadonlySet<ParticipantRole> = new Set(['harmed', 'harmed-family', 'representative']);

type Opening = Omit<contract.NewCase, 'reference' | 'roles'>;

export class Casework {
  private readonly acts = new ActSigner();

  constructor(private readonly cases: OpenCases) {}

  async colleagues(): Promise<readonly contract.Colleague[]> {
    const trust = await this.cases.trust();
    return ofRole(trust, 'mediator')
      .filter((mediator) => isValidAt(mediator, now()))
      .map(({ credential }) => ({ credential, self: credential === this.cases.office.credential }));
  }

  async all(): Promise<readonly contract.CaseSummary[]> {
    const found: contract.CaseSummary[] = [];
    for (let after: Uuid | null = ''; after !== null; ) {
      const query: string = after === '' ? '' : `&after=${after}`;
      const page = await this.cases.office.signed.call<Schemas['CasePage']>('GET', `/v1/cases?limit=${CASES_A_PAGE}${query}`);
      found.push(...page.cases.map(summary));
      after = page.next;
    }
    return found;
  }

  async detail(id: Uuid): Promise<contract.CaseDetail> {
    const view = await this.cases.view(id, true);
    const opened = { ...summary(view), pairs: view.pairs.map(({ one, other, no_contact: noContact }) => ({ one, other, noContact })) };
    if (view.charter_version === 0) {
      return {
        ...opened,
        captionsRequired: view.captions_required,
        serverProcessing: view.server_processing,
        retentionDays: null,
        participants: view.participants.map((entry) => person(entry, 'none')),
        mediators: view.mediators,
        links: [],
      };
    }
    const links = await this.cases.links(id);
    return this.cases.under(id, ({ charter }) => ({
      ...opened,
      approvals: charter.policy.approvals,
      captionsRequired: charter.policy.captions === 'required',
      serverProcessing: charter.policy.server_processing,
      retentionDays: charter.policy.retention_days,
      participants: view.participants.map((entry) => person(entry, keysOf(links, entry.participant, charter))),
      mediators: charter.mediators.map(({ credential }) => credential),
      links: links.map((record) => caseLink(record, chain.verifyLink(record.statement, charter))),
    }));
  }

  /** Registers a case of one's own and opens it. Those on one side may write to those on the other. */
  async begin({ reference, roles, ...opening }: contract.NewCase): Promise<contract.CaseDetail> {
    const id = newId();
    const participants = roles.map((role) => ({ participant: newId(), role }));
    const one = participants.filter(({ role }) => HARMED_SIDE.has(role));
    const other = participants.filter(({ role }) => !HARMED_SIDE.has(role));
    const body: Schemas['CaseRegistration'] = {
      reference,
      participants,
      mediators: [...opening.colleagues],
      pairs: one.flatMap((each) => other.map((to): [Uuid, Uuid] => [each.participant, to.participant])),
    };
    await this.cases.office.signed.call('PUT', `/v1/cases/${id}`, { body });
    return this.open(id, opening);
  }

  /** Makes the case an identity, seals it to its mediators and to recovery, and signs the first charter. */
  async open(id: Uuid, { colleagues, approvals, captions, serverProcessing, retentionDays }: Opening): Promise<contract.CaseDetail> {
    const { credential, keyring, signed } = this.cases.office;
    const trust = await this.cases.trust();
    const at = now();
    const mediators = [credential, ...colleagues.filter((colleague) => colleague !== credential)];
    const media = ofRole(trust, 'media').filter((worker) => isValidAt(worker, at));
    const recovery = ofRole(trust, 'recovery').filter((holder) => isValidAt(holder, at));
    const identity = age.HybridIdentity.generate();
    const statement = statements.sign(keyring.signer, statements.Charter, {
      at,
      case: id,
      version: 1,
      previous: null,
      recipient: identity.recipient.toString(),
      mediators: members(trust, mediators),
      media: members(trust, media.map((worker) => worker.credential)),
      policy: { approvals, captions, server_processing: serverProcessing, retention_days: retentionDays },
    });
    const holders = [...mediators.map((mediator) => authority(trust, mediator)), ...recovery];
    const recipients = holders.flatMap(({ recipient }) => (recipient === null ? [] : [age.parseRecipient(recipient)]));
    const body: Schemas['CharterFiling'] = { statement, key_file: toBase64(sealIdentity(identity, recipients)) };
    await signed.call('POST', `/v1/cases/${id}/charters`, { body });
    await this.cases.find(id, true);
    return this.detail(id);
  }

  async makeLink(id: Uuid, participant: Uuid, purpose: contract.Purpose): Promise<{ readonly link: Uuid; readonly url: string }> {
    const { keyring, rootFingerprint, signed } = this.cases.office;
    const { charter } = await this.cases.find(id);
    const made = makeLink(keyring.signer, { caseId: id, caseRecipient: charter.recipient, participant, purpose });
    await signed.call('PUT', `/v1/links/${made.id}`, { body: made.body });
    return { link: made.id, url: linkUrl(signed.connection.url, made.id, made.secret, rootFingerprint) };
  }

  async linkAddress(id: Uuid, link: Uuid): Promise<string> {
    const record = (await this.cases.links(id)).find((each) => each.link === link);
    if (record === undefined) throw new Refused('no-such-link');
    const { rootFingerprint, signed } = this.cases.office;
    return this.cases.under(id, ({ charter, identity }) => {
      const { secret } = secretOf(record, charter, identity);
      return linkUrl(signed.connection.url, link, secret, rootFingerprint);
    });
  }

  async endLink(link: Uuid): Promise<void> {
    await this.cases.office.signed.call('DELETE', `/v1/links/${link}`);
  }

  /** Checks every new claim with the secret of its link, and signs that it is good. */
  async verifyClaims(id: Uuid): Promise<number> {
    const { keyring, signed } = this.cases.office;
    await this.cases.find(id, true);
    const waiting = (await this.cases.links(id)).filter(({ claim, verification }) => claim !== null && verification === null);
    for (const record of waiting) {
      const statement = await this.cases.under(id, ({ charter, identity }) => {
        const { link, secret } = secretOf(record, charter, identity);
        const compact = record.claim ?? '';
        const claim = chain.verifyClaim(compact, link);
        chain.checkClaimMac(claim, secret);
        return statements.sign(keyring.signer, statements.Verification, {
          at: now(),
          case: id,
          claim: statementHash(compact),
          participant: claim.participant,
          recipient: claim.recipient,
        });
      });
      await signed.call('POST', '/v1/verifications', { body: { statement } });
    }
    return waiting.length;
  }

  async recordConsent(id: Uuid, participant: Uuid, status: contract.Consent): Promise<void> {
    const { keyring, signed } = this.cases.office;
    const statement = await this.acts.sign((at) =>
      statements.sign(keyring.signer, statements.Consent, { at, case: id, participant, status }),
    );
    await signed.call('PUT', `/v1/cases/${id}/participants/${participant}/consent`, { body: { statement } });
  }

  /** All rows of the log, each held against the one before. */
  async log(id: Uuid): Promise<readonly contract.LogEntry[]> {
    const rows: ChainedRow[] = [];
    for (;;) {
      const path = `/v1/cases/${id}/log?after=${rows.length}&limit=${ROWS_A_PAGE}`;
      const page = await this.cases.office.signed.call<Schemas['LogPage']>('GET', path);
      rows.push(...page.rows.map((row) => ({ ...row, case: page.case })));
      if (page.rows.length < ROWS_A_PAGE) break;
    }
    await trusting(() => {
      if (firstBadRow(rows) !== null || rows.some((row) => row.case !== id)) throw new Refused('untrusted');
    });
    return rows.map(({ seq, at, kind, message, actor }) => ({ seq, at, kind, message, actor }));
  }
}

function summary(view: Schemas['CaseSummary']): contract.CaseSummary {
  return {
    case: view.case,
    reference: view.reference,
    charterVersion: view.charter_version,
    approvals: view.approvals,
    createdAt: view.created_at,
  };
}

type Person = contract.CaseDetail['participants'][number];

function person({ participant, role, consent, consent_at: consentAt }: Schemas['ParticipantView'], keys: Person['keys']): Person {
  return { participant, role, consent, consentAt, keys };
}

function keysOf(links: readonly Schemas['LinkRecord'][], participant: Uuid, charter: chain.VerifiedCharter): Person['keys'] {
  if (claimedBy(links, participant, charter) !== null) return 'verified';
  return currentClaim(links, participant) === null ? 'none' : 'unverified';
}

function caseLink(record: Schemas['LinkRecord'], { statement, by }: chain.Signed<statements.Link>): contract.CaseLink {
  if (statement.link !== record.link || statement.participant !== record.participant) throw new Refused('untrusted');
  return {
    link: statement.link,
    participant: statement.participant,
    purpose: statement.purpose,
    createdAt: statement.at,
    expiresAt: statement.expires,
    state: stateOf(record),
    madeBy: by.role === 'service' ? 'service' : by.credential,
  };
}

function stateOf({ revoked, claim, spent, expires_at: expiresAt }: Schemas['LinkRecord']): contract.CaseLink['state'] {
  if (revoked) return 'ended';
  if (claim !== null) return 'claimed';
  if (spent) return 'spent';
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now() ? 'ended' : 'open';
}

/** The secret of a link, once everything says that it is the one its maker signed for. */
function secretOf(record: Schemas['LinkRecord'], charter: chain.VerifiedCharter, identity: age.Identity) {
  const link = chain.verifyLink(record.statement, charter).statement;
  chain.checkSealedSecret(link, fromBase64(record.sealed));
  const secret = openSecret(record.sealed, identity);
  chain.checkLinkSecret(link, secret);
  return { link, secret };
}

function members(trust: Trust, credentials: readonly Uuid[]): statements.Member[] {
  return credentials.map((credential) => ({ credential, statement: authority(trust, credential).statementHash }));
}

function authority(trust: Trust, credential: Uuid) {
  const found = trust.authorities.get(credential);
  if (found === undefined) throw new Refused('untrusted');
  return found;
}

/** A mediator's work on cases: opens them, makes links and checks who claimed them, records what people said. */

import * as age from '../crypto/age';
import { type ChainedRow, firstBadRow } from '../crypto/audit';
import * as chain from '../crypto/chain';
import { claimWords } from '../crypto/claimwords';
import { CryptoError } from '../crypto/errors';
import { anchorOf, linkUrl, LinkSecret } from '../crypto/links';
import { statementHash } from '../crypto/signing';
import * as statements from '../crypto/statements';
import { type Authority } from '../crypto/trust';
import { authority, firstCharter, peopleOf, validNow } from './charters';
import type * as contract from './contract';
import type { ParticipantRole, Uuid } from './contract';
import { endLink, makeLink, openClaimKey } from './linking';
import { newId, now } from './stamps';
import type { OpenCase, OpenCases } from './opencases';
import { claimedBy, expectUsable, isUnverified } from './opencases';
import { isOutdated, listedBy, memberOf, recoveriesOf } from './members';
import { brokenOf, Faulty, reading, readingNow } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { fromBase64 } from './wire';

type Schemas = components['schemas'];

const CASES_A_PAGE = 100;
const ROWS_A_PAGE = 500;
const HARMED_SIDE: ReadonlySet<ParticipantRole> = new Set(['harmed', 'harmed-family', 'representative']);

type Opening = Omit<contract.NewCase, 'reference' | 'roles'>;

export class Casework {

  constructor(private readonly cases: OpenCases) {}

  /** Every mediator with valid keys, one entry per person: their newest credential, or the one signed in with. */
  async colleagues(): Promise<readonly contract.Colleague[]> {
    const trust = await this.cases.trust();
    const { credential: own } = this.cases.office;
    const rank = ({ credential, notBefore }: Authority) => (credential === own ? '9' : notBefore);
    const people = new Map<Uuid, Authority>();
    for (const mediator of validNow(trust, 'mediator').sort((one, other) => rank(one).localeCompare(rank(other)))) {
      people.set(mediator.person, mediator);
    }
    return [...people.values()].map(({ credential, person }) => ({ credential, person, self: credential === own }));
  }

  async all(): Promise<readonly contract.CaseSummary[]> {
    return (await this.listed()).map(summary);
  }

  /** Open cases whose charter, according to relay, lists media workers or recovery keys other than the valid ones. */
  async outdated(): Promise<readonly contract.CaseSummary[]> {
    const trust = await this.cases.trust();
    return (await this.listed())
      .filter((one) => one.charter_version > 0 && isOutdated({ ...one, processing: one.server_processing }, trust))
      .map(summary);
  }

  private async listed(): Promise<readonly Schemas['CaseSummary'][]> {
    const found: Schemas['CaseSummary'][] = [];
    for (let after: Uuid | null = ''; after !== null; ) {
      const query: string = after === '' ? '' : `&after=${after}`;
      const page = await this.cases.office.signed.call<Schemas['CasePage']>('GET', `/v1/cases?limit=${CASES_A_PAGE}${query}`);
      found.push(...page.cases);
      after = page.next;
    }
    return found;
  }

  async detail(id: Uuid): Promise<contract.CaseDetail> {
    const view = await this.cases.view(id, true);
    if (view.charter_version === 0) return this.cases.refuseUnopened(id);
    // Refresh: valid keys and the charter in force may have changed since.
    const { charter, identities } = await this.cases.find(id, true);
    const links = await this.cases.links(id);
    return {
      ...summary(view),
      pairs: view.pairs.map(({ one, other, no_contact: noContact }) => ({ one, other, noContact })),
      approvals: charter.policy.approvals,
      captionsRequired: charter.policy.captions === 'required',
      serverProcessing: charter.policy.server_processing,
      retentionDays: charter.policy.retention_days,
      participants: view.participants.map((entry) => person(entry, keysOf(links, entry.participant, charter))),
      mediators: charter.mediators.map(({ credential }) => credential),
      links: links.map((record) => caseLink(record, charter, identities)),
      charterAt: charter.at,
      members: membersOf(charter),
      recoveries: recoveriesOf(charter),
      proposal: proposalOf(view, charter),
      outdated: isOutdated(listedBy(charter), charter.trust),
    };
  }

  /** Registers a new case and opens it. People on one side may write to those on the other. */
  async begin({ reference, roles, ...opening }: contract.NewCase): Promise<contract.CaseDetail> {
    // A mediator's registration would not be believed, and a registered case cannot be removed.
    if (chain.isForService(await this.cases.trust(), now())) throw new Refused('refused', { code: 'case-system-registers' });
    const id = newId();
    const participants = roles.map((role) => ({ participant: newId(), role }));
    const one = participants.filter(({ role }) => HARMED_SIDE.has(role));
    const other = participants.filter(({ role }) => !HARMED_SIDE.has(role));
    const body: Schemas['CaseRegistration'] = {
      reference,
      participants,
      mediators: [...opening.colleagues],
      pairs: one.flatMap((each) => other.map((to): [Uuid, Uuid] => [each.participant, to.participant])),
      statement: null,
    };
    await this.cases.office.signed.call('PUT', `/v1/cases/${id}`, { body });
    return this.open(id, opening);
  }

  /**
   * Generates the case's identity, seals it to its mediators and recovery keys, and signs the first charter. If nobody has
   * registered who may open the case, signs the registration as well.
   */
  async open(id: Uuid, { colleagues, approvals, captions, serverProcessing, retentionDays }: Opening): Promise<contract.CaseDetail> {
    const { credential, keyring, signed } = this.cases.office;
    const trust = await this.cases.trust();
    const { registration: known, charters } = await this.cases.charters(id);
    if (charters.length === 0) await this.cases.expectUnopened(id);
    const registration = known ?? statements.sign(keyring.signer, statements.Registration, { at: now(), case: id, mediators: [credential] });
    const mediators = [credential, ...colleagues.filter((colleague) => colleague !== credential)].map((one) => authority(trust, one));
    const policy = { approvals, captions, server_processing: serverProcessing, retention_days: retentionDays };
    const filing = firstCharter(keyring.signer, id, registration, peopleOf(trust, mediators), policy);
    const body = { ...filing, registration: known === null ? registration : null };
    await signed.call('POST', `/v1/cases/${id}/charters`, { body });
    await this.cases.find(id, true);
    return this.detail(id);
  }

  async makeLink(id: Uuid, participant: Uuid, purpose: contract.Purpose): Promise<{ readonly link: Uuid; readonly url: string }> {
    const { keyring, rootFingerprint, signed } = this.cases.office;
    return this.cases.sending(id, async ({ charter }) => {
      const made = makeLink(keyring, charter, participant, purpose);
      await signed.call('PUT', `/v1/links/${made.id}`, { body: made.body });
      const anchor = anchorOf(charter.statementHash);
      return { link: made.id, url: linkUrl(signed.connection.url, made.id, made.secret, rootFingerprint, anchor) };
    });
  }

  async linkAddress(id: Uuid, link: Uuid): Promise<string> {
    const record = await this.link(id, link);
    const { again } = record;
    if (again === null) throw new Refused('no-such-link');
    const { keyring, rootFingerprint, signed } = this.cases.office;
    return this.cases.under(id, ({ charter }) =>
      readingNow('link', () => {
        const { statement } = verifiedLink(record, charter);
        const secret = new LinkSecret(age.openFile(fromBase64(again), [keyring.identity]));
        chain.checkLinkSecret(statement, secret);
        return linkUrl(signed.connection.url, link, secret, rootFingerprint, anchorOf(statement.charter));
      }),
    );
  }

  /** Ends a link, even one whose own statement is invalid. */
  async endLink(id: Uuid, link: Uuid, reason: contract.LinkEndReason): Promise<void> {
    const { participant } = await this.link(id, link);
    const { keyring, signed } = this.cases.office;
    const statement = endLink(keyring.signer, { link, case: id, participant }, reason);
    await signed.call('PUT', `/v1/links/${link}/ending`, { body: { statement } });
  }

  /** Checks a pending claim with the claim key of its link; a problem with one claim affects no other. */
  async checkClaim(id: Uuid, link: Uuid): Promise<contract.WaitingClaim> {
    const opened = await this.cases.find(id, true);
    const links = await this.cases.links(id);
    const record = waiting(links, link);
    const { claim, participant } = record;
    const fault = claimFault(record, opened.charter, opened.identities);
    const hash = statementHash(claim);
    const words = fault === null ? await claimWords(hash) : null;
    return { link, participant, claim: hash, words, fault, ends: othersInUse(links, record).length };
  }

  /** Signs that the claim with this hash is the participant's; relay may return a different one by now. */
  async verifyClaim(id: Uuid, link: Uuid, claim: string): Promise<void> {
    const { keyring, signed } = this.cases.office;
    const { charter, identities } = await this.cases.find(id, true);
    const links = await this.cases.links(id);
    const record = waiting(links, link);
    if (statementHash(record.claim) !== claim) throw new Refused('broken', { broken: { record: 'claim', fault: 'altered' } });
    const fault = claimFault(record, charter, identities);
    if (fault !== null) throw new Refused('broken', { broken: { record: 'claim', fault } });
    const { participant, recipient } = statements.decodeUnverified(record.claim, statements.Claim);
    const said = { at: now(), case: id, claim, participant, recipient };
    const body: Schemas['NewVerification'] = {
      statement: statements.sign(keyring.signer, statements.Verification, said),
      endings: othersInUse(links, record).map((other) => endLink(keyring.signer, { ...other, case: id }, 'replaced')),
    };
    await signed.call('POST', '/v1/verifications', { body });
  }

  async setClosed(id: Uuid, closed: boolean): Promise<void> {
    await this.cases.office.signed.call('PUT', `/v1/cases/${id}/closing`, { body: { closed } });
  }

  async holds(id: Uuid): Promise<readonly contract.Hold[]> {
    const { holds } = await this.cases.office.signed.call<Schemas['CaseHolds']>('GET', `/v1/cases/${id}/holds`);
    return holds.map(({ hold, name, reason, placed_by: by, placed_at: placedAt }) => ({
      hold,
      name,
      reason,
      placedAt,
      bySystem: by.startsWith('service:'),
    }));
  }

  async placeHold(id: Uuid, { name, reason }: contract.NewHold): Promise<void> {
    await this.cases.office.signed.call('PUT', `/v1/cases/${id}/holds/${newId()}`, { body: { name, reason } });
  }

  async liftHold(id: Uuid, hold: Uuid): Promise<void> {
    await this.cases.office.signed.call('DELETE', `/v1/cases/${id}/holds/${hold}`);
  }

  async recordConsent(id: Uuid, participant: Uuid, status: contract.Consent): Promise<void> {
    const { keyring, signed } = this.cases.office;
    const statement = statements.sign(keyring.signer, statements.Consent, { at: now(), case: id, participant, status });
    await signed.call('PUT', `/v1/cases/${id}/participants/${participant}/consent`, { body: { statement } });
  }

  private async link(id: Uuid, link: Uuid): Promise<Schemas['LinkRecord']> {
    const record = (await this.cases.links(id)).find((each) => each.link === link);
    if (record === undefined) throw new Refused('no-such-link');
    return record;
  }

  /** All rows of the log, each verified against the one before. */
  async log(id: Uuid): Promise<readonly contract.LogEntry[]> {
    const rows: ChainedRow[] = [];
    for (;;) {
      const path = `/v1/cases/${id}/log?after=${rows.length}&limit=${ROWS_A_PAGE}`;
      const page = await this.cases.office.signed.call<Schemas['LogPage']>('GET', path);
      rows.push(...page.rows.map((row) => ({ ...row, case: page.case })));
      if (page.rows.length < ROWS_A_PAGE) break;
    }
    await reading('log', () => {
      if (firstBadRow(rows) !== null || rows.some((row) => row.case !== id)) throw new Faulty('altered');
    });
    return rows.map(({ seq, at, kind, message, actor }) => ({ seq, at, kind, message, actor }));
  }
}

/** A case in a list, or by itself. */
type ShownCase = Schemas['CaseSummary'] | Schemas['CaseView'];

function summary(view: ShownCase): contract.CaseSummary {
  return {
    case: view.case,
    reference: view.reference,
    charterVersion: view.charter_version,
    approvals: view.approvals,
    createdAt: view.created_at,
    closedAt: view.closed_at,
    disposalDueAt: view.disposal_due_at,
    disposedAt: view.disposed_at,
    changeAsked: view.proposed_mediators !== null,
    people: view.participants.map(({ participant, role, number }) => ({ participant, role, number })),
    figures: figuresOf(view),
  };
}

function figuresOf({ figures: { unused_links: unusedLinks, ...figures } }: ShownCase): contract.CaseFigures {
  return { ...figures, unusedLinks };
}

type Person = contract.CaseDetail['participants'][number];

function person({ consent_at: consentAt, ...known }: Schemas['ParticipantView'], keys: Person['keys']): Person {
  return { ...known, consentAt, keys };
}

function keysOf(links: readonly Schemas['LinkRecord'][], participant: Uuid, charter: chain.VerifiedCharter): Person['keys'] {
  if (links.some((record) => record.participant === participant && isUnverified(record))) return 'unverified';
  try {
    return claimedBy(links, participant, charter) === null ? 'none' : 'verified';
  } catch (error) {
    if (brokenOf(error) === null) throw error;
    return 'broken';
  }
}

function membersOf(charter: chain.VerifiedCharter): readonly contract.CaseMember[] {
  return [
    ...charter.mediators.map((one) => memberOf(charter, one, 'mediator')),
    ...charter.media.map((one) => memberOf(charter, one, 'media')),
    ...charter.recovery.map((one) => memberOf(charter, one, 'recovery')),
  ];
}

/** The mediators that the case system requests, if they differ from those in the charter. */
function proposalOf(view: ShownCase, { mediators, trust }: chain.VerifiedCharter): contract.CaseDetail['proposal'] {
  const { proposed_mediators: proposed } = view;
  if (proposed === null) return null;
  const listed = new Set(mediators.map(({ credential }) => credential));
  const valid = new Set(validNow(trust, 'mediator').map(({ credential }) => credential));
  return { mediators: proposed, signable: proposed.length > 0 && proposed.every((one) => listed.has(one) || valid.has(one)) };
}

type Identities = OpenCase['identities'];

/** The record of a link that has been claimed. */
type Claimed = Schemas['LinkRecord'] & { readonly claim: string };

function isClaimed(record: Schemas['LinkRecord']): record is Claimed {
  return record.claim !== null;
}

/** The link of a pending claim. */
function waiting(links: readonly Schemas['LinkRecord'][], link: Uuid): Claimed {
  const record = links.filter(isClaimed).find((each) => each.link === link && isUnverified(each));
  if (record === undefined) throw new Refused('no-such-link');
  return record;
}

/**
 * The other claimed links of this person. Links that only relay reports as ended are ended as well: without a statement
 * other readers would still accept their keys.
 */
function othersInUse(links: readonly Schemas['LinkRecord'][], { link, participant }: Claimed): readonly Claimed[] {
  return links
    .filter(isClaimed)
    .filter((other) => other.link !== link && other.participant === participant && other.endings.length === 0);
}

/** What is wrong with a claim or its link; null if nothing is. */
function claimFault(record: Claimed, charter: chain.VerifiedCharter, identities: Identities): contract.ClaimFault | null {
  const found = attempt(() => {
    const { statement: link } = verifiedLink(record, charter);
    const sealed = fromBase64(record.sealed ?? '');
    chain.checkSealedClaimKey(link, sealed);
    return { claim: chain.verifyClaim(record.claim, link), claimKey: openClaimKey(sealed, identities) };
  });
  if (found === null) return 'altered';
  const { claim, claimKey } = found;
  if (!holds(() => { chain.checkClaimMac(claim, claimKey); })) return 'not-from-link';
  return holds(() => { expectUsable(claim.recipient); }) ? null : 'unusable-key';
}

/** The result of `work`; null if what it reads is invalid. */
function attempt<Value>(work: () => Value): Value | null {
  try {
    return work();
  } catch {
    return null;
  }
}

function holds(check: () => void): boolean {
  return attempt(() => { check(); return true; }) ?? false;
}

/** A link, as far as it is valid: an invalid one does not affect the others. */
function caseLink(record: Schemas['LinkRecord'], charter: chain.VerifiedCharter, identities: Identities): contract.CaseLink {
  const signed = attempt(() => verifiedLink(record, charter));
  const fault = isClaimed(record) && isUnverified(record) ? claimFault(record, charter, identities) : null;
  const shown = { link: record.link, participant: record.participant, claimFault: fault };
  if (signed === null) {
    const { purpose, created_at: createdAt, expires_at: expiresAt } = record;
    return { ...shown, purpose, createdAt, expiresAt, state: stateOf(record), endReason: null, showable: false, madeBy: null };
  }
  const { statement, by } = signed;
  const endings = record.endings.map((ending) => attempt(() => chain.verifyEnding(ending, charter, statement))).filter((ending) => ending !== null);
  const isMisused = endings.some(({ reason }) => reason === 'misused');
  return {
    ...shown,
    purpose: statement.purpose,
    createdAt: statement.at,
    expiresAt: statement.expires,
    state: endings.length > 0 ? 'ended' : stateOf(record),
    endReason: isMisused ? 'misused' : (endings[0]?.reason ?? null),
    showable: record.again !== null,
    madeBy: by.role === 'service' ? 'service' : by.credential,
  };
}

function stateOf({ ended, claim, verification, spent, expires_at: expiresAt }: Schemas['LinkRecord']): contract.CaseLink['state'] {
  if (ended) return 'ended';
  if (claim !== null) return verification === null ? 'claimed' : 'verified';
  if (spent) return 'spent';
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now() ? 'expired' : 'open';
}

/** The link of a record, verified to match its statement. */
function verifiedLink(record: Schemas['LinkRecord'], charter: chain.VerifiedCharter): chain.Signed<statements.Link> {
  const link = chain.verifyLink(record.statement, charter);
  if (link.statement.link !== record.link || link.statement.participant !== record.participant) throw new CryptoError('link', 'another link');
  return link;
}

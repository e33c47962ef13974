/** Every part, sealed and signed in every wrong way: the fault is reported for that part, and all others are read. */

import { beforeAll, describe, expect, it } from 'vitest';

import type { OpenedMessage, Refusal } from '../../src/client/contract';
import { CaseCharter } from '../../src/client/charter';
import { Connection, SignedConnection } from '../../src/client/connection';
import { Correspondent } from '../../src/client/correspondent';
import { Device } from '../../src/client/device';
import type { Admitted } from '../../src/client/entrance';
import { type Examined, examine, expectWhole, textOf } from '../../src/client/examining';
import { Failures } from '../../src/client/failures';
import { Participant } from '../../src/client/participant';
import { refusalOf } from '../../src/client/refusing';
import type { components } from '../../src/client/schema';
import { signingIn } from '../../src/client/sessions';
import { toBase64 } from '../../src/client/wire';
import { Writer } from '../../src/client/writing';
import { HybridIdentity } from '../../src/crypto/age';
import { verifyCharter, type VerifiedCharter } from '../../src/crypto/chain';
import { b64uEncode, utf8 } from '../../src/crypto/encoding';
import type { Part, PartRole } from '../../src/crypto/fields';
import { claimMac, LinkSecret, parseFragment } from '../../src/crypto/links';
import { Signer, statementHash } from '../../src/crypto/signing';
import { sha256, sodiumReady } from '../../src/crypto/sodium';
import * as statements from '../../src/crypto/statements';
import { readableCaptions } from '../../src/playback/webvtt';
import { readable } from '../../src/i18n/readable';
import { vectors } from '../crypto/vectors';
import { CAPTIONS, type Corruption, FILES, forge, type Forged, KEYS, LETTERS, ORIGINALS } from './corruptions';
import { Browser, claimed, linkOf, openCase, PASSPHRASE, refusal, relay } from './people';

type Schemas = components['schemas'];

interface Chain {
  readonly root_fingerprint: string;
  readonly root_public_key: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly string[];
  readonly successions: readonly string[];
  readonly registration: string;
  readonly charters: readonly string[];
  readonly author_link: string;
  readonly author_claim: string;
  readonly author_verification: string;
  readonly recipient_link: string;
  readonly recipient_claim: string;
  readonly recipient_verification: string;
  readonly consents: readonly { readonly compact: string; readonly by: 'author' | null }[];
}

const { case: caseId, good, participants } = vectors('chain') as {
  case: string;
  good: Chain;
  participants: { Claire: string; Denis: string };
};

const seed = (name: string) => sha256(utf8(`relay test vectors: ${name}`));
/** After both had entered and consented, and before anything of theirs ended. */
const at = (minute: number): string => `2030-01-02T08:${String(minute).padStart(2, '0')}:00Z`;
/** The charter version that all of this is made under; not the last one. */
const under = (): string => statementHash(good.charters[1] ?? '');
const authors = [good.author_link, good.author_claim, good.author_verification];
const recipients = [good.recipient_link, good.recipient_claim, good.recipient_verification];
const consents = good.consents.slice(0, 2).map(({ compact, by }) => ({ statement: compact, origin: by === null ? [] : authors }));

let charter: VerifiedCharter;
let caseIdentity: HybridIdentity;
let identities: readonly HybridIdentity[];
let denis: HybridIdentity;
let signers: Record<'Claire' | 'Denis' | 'Anna' | 'Boris' | 'the media worker', Signer>;

beforeAll(async () => {
  await sodiumReady();
  charter = verifyCharter(good.root_fingerprint, good.root_public_key, good);
  caseIdentity = new HybridIdentity(seed('identity of the case'));
  identities = [new HybridIdentity(seed('identity of the case after somebody left')), caseIdentity];
  denis = new HybridIdentity(seed('identity of Denis'));
  const signer = (name: string): Signer => new Signer(seed(`signer of ${name}`));
  signers = { Claire: signer('Claire'), Denis: signer('Denis'), Anna: signer('Anna'), Boris: signer('Boris'), 'the media worker': signer('the media worker') };
});

type Parts = Partial<Record<PartRole, Forged>>;

/** A message from Claire to Denis with everything made from it, as relay returns it to the holder of `reader`. */
class Sent {
  readonly message = crypto.randomUUID();
  readonly statement: string;
  readonly rendition: string | null;
  readonly captions: string | null;

  constructor(
    readonly parts: Parts,
    readonly by: 'author' | 'mediator' = 'author',
  ) {
    const said = { case: caseId, message: this.message, revision: 1 };
    const signed = (roles: readonly PartRole[]): Part[] => roles.flatMap((role) => (parts[role] === undefined ? [] : [parts[role].part]));
    const kind = parts.original === undefined ? 'letter' : 'video';
    this.statement = statements.sign(signers.Claire, statements.Message, {
      at: at(1),
      ...said,
      charter: under(),
      supersedes: null,
      from: participants.Claire,
      to: participants.Denis,
      kind,
      language: 'en',
      parts: signed(by === 'author' ? ['original', 'body', 'captions', 'note'] : ['original', 'body', 'note']),
    });
    const source = statementHash(this.statement);
    this.rendition =
      parts.rendition === undefined
        ? null
        : statements.sign(signers['the media worker'], statements.Rendition, {
            at: at(2),
            ...said,
            charter: under(),
            source,
            parts: signed(['rendition', 'poster']),
            size: 6,
            duration_ms: 1000,
            width: 1280,
            height: 720,
            profile: 'h264-720p',
          });
    this.captions =
      by === 'author' || parts.captions === undefined
        ? null
        : statements.sign(signers.Anna, statements.Captions, {
            at: at(3),
            ...said,
            source,
            rendition: this.named.rendition,
            language: 'en',
            part: parts.captions.part,
            exception: null,
          });
  }

  get named() {
    const hash = (compact: string | null): string | null => (compact === null ? null : statementHash(compact));
    return { source: statementHash(this.statement), rendition: hash(this.rendition), captions: hash(this.captions ?? null) };
  }

  views(recipient: string): Schemas['PartView'][] {
    return Object.values(this.parts).map((part) => part.view(recipient));
  }

  review(): Schemas['ReviewMessage'] {
    return {
      message: this.message,
      case: caseId,
      from: participants.Claire,
      to: participants.Denis,
      kind: this.parts.original === undefined ? 'letter' : 'video',
      voice: false,
      language: 'en',
      state: 'claimed',
      revision: 1,
      waiting_since: at(1),
      state_since: at(1),
      waits_for: 'you',
      allowed_actions: ['lease', 'approve'],
      created_at: at(1),
      approvals: 0,
      approvals_needed: 2,
      lease: null,
      failure: null,
      processing: null,
      withdrawal_asked: false,
      gates: [],
      origin: authors,
      recipient_origin: recipients,
      consents: { sender: consents[0] ?? null, recipient: consents[1] ?? null },
      statement: this.statement,
      rendition: this.rendition,
      captions: this.captions,
      offer: null,
      decisions: [],
      parts: this.views(caseIdentity.recipient.toString()),
    };
  }

  examine(): Examined {
    return examine(this.review(), { charter, identities });
  }

  decision(by: 'Anna' | 'Boris', more: Partial<statements.Decision> = {}): string {
    const said = { case: caseId, message: this.message, revision: 1, ...this.named, decision: 'approve' as const, reason: null, notes: [], ...more };
    return statements.sign(signers[by], statements.Decision, { at: at(4), ...said });
  }

  offer(notes: readonly Forged[] = []): string {
    const recipient = denis.recipient.toString();
    const released = [...Object.entries(this.parts).filter(([role]) => role !== 'original' && role !== 'note').map(([, part]) => part), ...notes];
    return statements.sign(signers.Anna, statements.Offer, {
      at: at(5),
      case: caseId,
      charter: under(),
      message: this.message,
      revision: 1,
      ...this.named,
      recipient,
      claim: statementHash(good.recipient_claim),
      consents: consents.map(({ statement }) => statementHash(statement)),
      grants: released.map((part) => ({ commit: part.part.commit, header: b64uEncode(sha256(headerIn(part.view(recipient)))) })),
      notes: notes.map(({ part }) => part),
      not_before: null,
    });
  }
}

function headerIn({ header }: Schemas['PartView']): Uint8Array {
  return Uint8Array.from(Buffer.from(header ?? '', 'base64'));
}

/** How a readable text is shown. */
function shown(role: PartRole, { text }: Forged): string | null {
  const words = readable(text ?? '');
  return role === 'captions' ? readableCaptions(words) : words;
}

/** A valid part for each of these roles. */
function sound(...roles: readonly PartRole[]): Parts {
  return Object.fromEntries(roles.map((role) => [role, forge(caseId, role, {})]));
}

const TABLES: Readonly<Record<PartRole, Readonly<Record<string, Corruption>>>> = {
  body: LETTERS,
  note: LETTERS,
  captions: CAPTIONS,
  original: ORIGINALS,
  rendition: FILES,
  poster: FILES,
};
const VIDEO: readonly PartRole[] = ['original', 'body', 'captions', 'note', 'rendition', 'poster'];
const TEXT: readonly PartRole[] = ['body', 'captions', 'note'];

describe('what a mediator reviews', () => {
  const kinds = [
    ['a letter', ['body', 'note'], 'author'],
    ['a video', VIDEO, 'author'],
    ['a video with captions of a colleague', VIDEO, 'mediator'],
  ] as const;
  const cases = kinds.flatMap(([kind, roles, by]) =>
    roles.flatMap((role) => Object.entries(TABLES[role]).map(([name, corruption]) => ({ kind, roles, by, role, name, corruption }))),
  );

  it.each(cases)('$kind: $role: $name', ({ roles, by, role, corruption }) => {
    const forged = forge(caseId, role, corruption);
    const examined = new Sent({ ...sound(...roles), [role]: forged }, by).examine();
    const faults = corruption.fault === undefined ? [] : [{ record: role, fault: corruption.fault }];
    expect(examined.faults).toEqual(faults);
    for (const other of roles.filter((each) => each !== role && TEXT.includes(each))) {
      expect(textOf(examined, other)).toBe(shown(other, sound(other)[other] ?? forged));
    }
    if (corruption.fault === undefined) {
      expect(expectWhole(examined).message.message).toBeDefined();
      if (TEXT.includes(role)) expect(textOf(examined, role)).toBe(shown(role, forged));
    } else {
      const broken = { refusal: 'broken', broken: { record: role, fault: corruption.fault } };
      expect(thrown(() => expectWhole(examined))).toEqual(broken);
      if (TEXT.includes(role)) expect(thrown(() => textOf(examined, role))).toEqual(broken);
    }
  });

  it('is as it was, where captions of a mediator take the place of broken ones of the author', () => {
    const sent = new Sent({ ...sound(...VIDEO), captions: forge(caseId, 'captions', CAPTIONS['no captions'] ?? {}) });
    const ours = forge(caseId, 'captions', {});
    const captions = statements.sign(signers.Anna, statements.Captions, {
      at: at(3),
      case: caseId,
      message: sent.message,
      revision: 1,
      source: sent.named.source,
      rendition: sent.named.rendition,
      language: 'en',
      part: ours.part,
      exception: null,
    });
    const review = { ...sent.review(), captions };
    const examined = examine({ ...review, parts: [...review.parts, ours.view(caseIdentity.recipient.toString())] }, { charter, identities });
    expect(examined.faults).toEqual([]);
    expect(textOf(examined, 'captions')).toBe(shown('captions', ours));
  });
});

/** Denis, with a relay that gives prepared responses. */
async function reader(answers: Readonly<Record<string, unknown>>): Promise<Correspondent> {
  const connection = new Connection('https://relay.example', (url) => {
    const found = answers[new URL(url).pathname];
    return Promise.resolve(found === undefined ? Response.json({ code: 'not-found' }, { status: 404 }) : Response.json(found));
  });
  const signed = new SignedConnection(connection, () => Promise.resolve({ token: 't', expires_at: new Date(Date.now() + 1e6).toISOString() } as Schemas['Session']));
  const recipient = denis.recipient.toString();
  const admitted = {
    link: crypto.randomUUID(),
    device: await Device.inMemory(),
    signed,
    charter: new CaseCharter(charter, () => Promise.resolve(charter)),
    origin: recipients.slice(0, 2),
    signer: signers.Denis,
    writer: new Writer(caseId, participants.Denis, signers.Denis, recipient),
    ownSeal: { seal: (plain: Uint8Array<ArrayBuffer>) => plain, open: (sealed: Uint8Array<ArrayBuffer>) => sealed },
    reader: { identity: denis, recipient, claimHash: statementHash(good.recipient_claim), claimedAt: '2030-01-01T22:00:00Z' },
  };
  return new Correspondent(admitted, new Failures(connection));
}

async function opened(sent: Sent): Promise<OpenedMessage> {
  const path = `/v1/messages/${sent.message}`;
  const recipient = denis.recipient.toString();
  const made = [sent.statement, sent.rendition, sent.captions].filter((compact) => compact !== null);
  const person = await reader({
    [path]: { message: sent.message, from: participants.Claire, offer: sent.offer(), parts: [] },
    [`${path}/openings`]: {
      statements: made,
      approvals: [sent.decision('Anna'), sent.decision('Boris')],
      origin: authors,
      consents,
      parts: sent.views(recipient).filter(({ role }) => role !== 'original' && role !== 'note'),
    },
  });
  return person.open(sent.message);
}

describe('what was released', () => {
  const kinds = [
    ['a letter', ['body']],
    ['a video', ['body', 'captions', 'rendition']],
  ] as const;
  const cases = kinds.flatMap(([kind, roles]) =>
    roles.flatMap((role) => Object.entries(TABLES[role]).map(([name, corruption]) => ({ kind, roles, role, name, corruption }))),
  );

  it.each(cases)('$kind: $role: $name', async ({ roles, role, corruption }) => {
    const forged = forge(caseId, role, corruption);
    const others: PartRole[] = roles.length === 1 ? [] : ['original'];
    const message = await opened(new Sent({ ...sound(...roles, ...others), [role]: forged }));
    const fault = corruption.fault;
    expect(message.faults).toEqual(fault === undefined ? [] : [{ record: role, fault }]);
    const texts = { body: message.text, captions: message.captions };
    for (const each of roles) {
      if (each === 'rendition') expect(message.video === null).toBe(role === 'rendition' && fault !== undefined);
      else if (each === role && fault !== undefined) expect(texts[each]).toBeNull();
      else expect(texts[each]).toBe(shown(each, each === role ? forged : (sound(each)[each] ?? forged)));
    }
  });
});

describe("a mediator's words", () => {
  it.each(Object.entries(LETTERS))('before opening: %s', async (_name, corruption) => {
    const sent = new Sent(sound('body'));
    const note = forge(caseId, 'note', corruption);
    const path = `/v1/messages/${sent.message}`;
    const person = await reader({ [path]: { message: sent.message, offer: sent.offer([note]), parts: [note.view(denis.recipient.toString())] } });
    const read = person.offerNotes(sent.message);
    if (corruption.fault === undefined) expect(await read).toEqual({ contentNote: shown('note', note), summary: null });
    else expect(await caught(read)).toEqual(unopened('offer', corruption));
  });

  it.each(Object.entries(LETTERS))('of guidance: %s', async (_name, corruption) => {
    const sent = new Sent(sound('body'));
    const note = forge(caseId, 'note', corruption);
    const guidance = sent.decision('Anna', { decision: 'return', reason: 'tone', notes: [note.part] });
    const path = `/v1/messages/${sent.message}`;
    const older = corruption.header === KEYS['a grant for nobody']?.header;
    const person = await reader({ [path]: { message: sent.message, guidance, parts: [note.view(denis.recipient.toString())] } });
    const read = person.guidance(sent.message);
    // A header that none of one's own keys opens may be for those of an earlier link.
    if (older) expect(await read).toEqual({ reason: 'tone', words: '', older });
    else if (corruption.fault === undefined) expect(await read).toEqual({ reason: 'tone', words: shown('note', note), older });
    else expect(await caught(read)).toEqual(unopened('decision', corruption));
  });
});

function unopened(record: 'offer' | 'decision', { fault }: Corruption): Refusal {
  return fault === undefined ? { refusal: 'unexpected' } : { refusal: 'broken', broken: { record, fault } };
}

describe('through relay', () => {
  it('a letter that the case cannot open is sent back with guidance, and the one beside it goes on', async () => {
    const { mediator: someone, responsible, harmed, harmedId, responsibleId, case: opened, responsibleUrl } = await openCase();
    const hostile = await hands(responsibleUrl);
    const broken = forge(opened.case, 'body', KEYS['a grant for nobody'] ?? {});
    const message = await hostile.send(opened.case, responsibleId, harmedId, broken);
    const { message: sent } = await responsible.sendLetter({ to: harmedId, language: 'en', text: 'All is well.' });

    expect((await someone.queue({ state: 'queued', case: opened.case })).items.map((item) => item.message).sort()).toEqual([message, sent].sort());
    const faults = [{ record: 'body', fault: 'no-key' }];
    expect(await someone.lease(message)).toMatchObject({ faults, authorReady: true });
    expect(await refusal(someone.text(message))).toEqual({ refusal: 'broken', broken: faults[0] });
    expect(await refusal(someone.decide(message, { decision: 'approve' }))).toEqual({ refusal: 'broken', broken: faults[0] });
    expect(await someone.decide(message, { decision: 'return', reason: 'unclear', words: 'Please send it once more.' })).toMatchObject({ state: 'returned' });
    expect(await responsible.guidance(message)).toEqual({ reason: 'unclear', words: 'Please send it once more.', older: false });
    expect(await responsible.ownText(sent)).toBe('All is well.');

    await someone.lease(sent);
    expect(await someone.text(sent)).toBe('All is well.');
    await someone.decide(sent, { decision: 'approve' });
    await someone.offer(sent, { contentNote: 'Short.', summary: null, notBefore: null });
    await harmed.respond(sent, 'accept', false);
    expect(await harmed.open(sent)).toMatchObject({ text: 'All is well.', faults: [] });
    const waiting = (await someone.messages(opened.case)).filter(({ waitsFor }) => waitsFor !== null);
    expect(waiting.map((item) => item.message)).toEqual([message]);
  });

  it('a claim that was not made with the link stops no other, and what came with it is declined', async () => {
    const { mediator: someone, harmedId, responsibleId, case: opened } = await openCase();
    const { url } = await someone.makeLink(opened.case, responsibleId, 'participate');
    const { url: sound } = await someone.makeLink(opened.case, harmedId, 'participate');
    const stranger = await forgedClaim(url, opened.case, responsibleId);
    await claimed(sound);
    const [one, other] = [linkOf(url).id, linkOf(sound).id];
    const broken = { record: 'claim', fault: 'not-from-link' };
    const checked = await someone.checkClaim(opened.case, one);
    expect(checked).toMatchObject({ participant: responsibleId, fault: 'not-from-link', words: null });
    expect(await refusal(someone.verifyClaim(opened.case, one, checked.claim))).toEqual({ refusal: 'broken', broken });
    const { claim } = await someone.checkClaim(opened.case, other);
    await someone.verifyClaim(opened.case, other, claim);
    const { links, participants: people } = await someone.case(opened.case);
    expect(links.find(({ link }) => link === one)).toMatchObject({ state: 'claimed', claimFault: 'not-from-link' });
    expect(people.map(({ participant, keys }) => [participant, keys])).toEqual(
      expect.arrayContaining([
        [responsibleId, 'unverified'],
        [harmedId, 'verified'],
      ]),
    );
    const message = await stranger.send(opened.case, responsibleId, harmedId, forge(opened.case, 'body', {}));
    const item = await someone.lease(message);
    expect(item).toMatchObject({ standing: 'unverified', faults: [] });
    expect(await someone.decide(message, { decision: 'decline', reason: 'other', words: 'This cannot go on.' })).toMatchObject({ state: 'declined' });
  });
});

interface Hands {
  send(caseOf: string, from: string, to: string, body: Forged): Promise<string>;
}

function handsOf(signed: SignedConnection, signer: Signer, { recipient, statementHash: charterOf }: Pick<VerifiedCharter, 'recipient' | 'statementHash'>): Hands {
  return {
    async send(caseOf, from, to, { part, view }) {
      const message = crypto.randomUUID();
      const said = { at: `${new Date().toISOString().slice(0, 19)}Z`, case: caseOf, charter: charterOf, message, revision: 1, supersedes: null, from, to, kind: 'letter' as const, language: 'en' as const };
      const statement = statements.sign(signer, statements.Message, { ...said, parts: [part] });
      const { header, body } = view(recipient);
      const grants = [{ commitment: part.commit, audience: 'case', audience_id: caseOf, header }];
      await signed.call('PUT', `/v1/messages/${message}/revisions/1`, { body: { statement, grants, bodies: [{ commitment: part.commit, body }] } });
      return message;
    },
  };
}

/** The keys of somebody who claimed their link, to sign anything with. */
async function hands(url: string): Promise<Hands> {
  const browser = new Browser();
  const person = new Participant({ url: relay.url, workFactorLog2: 1, device: () => browser.device() });
  const { id, fragment } = linkOf(url);
  await person.arrive(id, fragment, { keep: true, language: 'en' });
  await person.unlock(PASSPHRASE);
  const { admitted } = (person as unknown as { inside: { admitted: Admitted } }).inside;
  return handsOf(admitted.signed, admitted.signer, admitted.charter.current);
}

/** Claims a link like somebody who has only its bearer: with the MAC of another secret. */
async function forgedClaim(url: string, caseOf: string, participant: string): Promise<Hands> {
  const { id, fragment } = linkOf(url);
  const { secret } = parseFragment(fragment);
  const signer = Signer.generate();
  const said = { link: id, case: caseOf, participant, recipient: HybridIdentity.generate().recipient.toString(), signer: signer.publicKey };
  const mac = claimMac(LinkSecret.generate().claimKey(id), said);
  const statement = statements.sign(signer, statements.Claim, { at: `${new Date().toISOString().slice(0, 19)}Z`, ...said, mac });
  const connection = new Connection(relay.url);
  const bearer = secret.auth(id);
  const view = await connection.call<Schemas['LinkView']>('GET', `/v1/links/${id}`, { bearer });
  await connection.call('PUT', `/v1/links/${id}/claim`, { bearer, body: { statement, keyring: toBase64(utf8('opaque')), proof_hash: toBase64(sha256(utf8('proof'))) } });
  const charterOf = view.trust.charters.at(-1) ?? '';
  const { recipient } = statements.decodeUnverified(charterOf, statements.Charter);
  return handsOf(new SignedConnection(connection, signingIn(signer, view.audience)), signer, { recipient, statementHash: statementHash(charterOf) });
}

function thrown(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    return refusalOf(error);
  }
  throw new Error('it was not refused');
}

async function caught(work: Promise<unknown>): Promise<Refusal> {
  try {
    await work;
  } catch (error) {
    return refusalOf(error);
  }
  throw new Error('it was not refused');
}

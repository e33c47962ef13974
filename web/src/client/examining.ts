/** Examines a message under review record by record: what is valid, what it says, and what is invalid. */

import type { VerifiedCharter } from '../crypto/chain';
import { CryptoError } from '../crypto/errors';
import type { Part, PartRole } from '../crypto/fields';
import type { FileKey } from '../crypto/filekeys';
import * as release from '../crypto/release';
import { Offer, type Policy } from '../crypto/statements';
import type { Broken, RecordName, State, Uuid } from './contract';
import type { OpenCase } from './opencases';
import { brokenOf, readingNow } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { openText, unwrap, viewIn } from './sealing';
import { type Provenance, verifyCaptions, verifyRendition, verifyWords } from './verifying';

type Message = components['schemas']['ReviewMessage'];

const TEXTS: readonly PartRole[] = ['body', 'captions', 'note'];
/** States in which the validity of approvals matters. */
const APPROVED: ReadonlySet<State> = new Set(['approved', 'offered', 'released', 'viewed']);
const WAS_OFFERED: ReadonlySet<State> = new Set(['offered', 'released', 'viewed', 'refused', 'recalled', 'closed']);

/** The findings about a message: one with a fault can be returned, declined or held, but not passed on. */
export interface Examined {
  /** As far as its statements are valid; null if the message itself is not. */
  readonly item: release.Item | null;
  readonly provenance: Provenance | null;
  /** The media worker that made the rendition. */
  readonly preparedBy: Uuid | null;
  /** Null if it was never offered, or the offer is invalid. */
  readonly offer: Offer | null;
  /** Texts that could be read, by commitment. */
  readonly texts: ReadonlyMap<string, string>;
  /** File keys that the case can open, by commitment. */
  readonly keys: ReadonlyMap<string, FileKey>;
  readonly faults: readonly Broken[];
}

/** Verifies and opens everything that came with a message; one failure does not hide the rest. */
export function examine(message: Message, { charter, identities }: OpenCase): Examined {
  const faults: Broken[] = [];
  const texts = new Map<string, string>();
  const keys = new Map<string, FileKey>();
  const attempt = <Value>(record: RecordName, work: () => Value): Value | null => {
    try {
      return readingNow(record, work);
    } catch (error) {
      const broken = brokenOf(error);
      if (broken === null) throw error;
      faults.push(broken);
      return null;
    }
  };
  const { statement: compact, origin } = message;
  if (compact === null) throw new Refused('refused'); // a draft is only for its author
  const offered = WAS_OFFERED.has(message.state) ? attempt('offer', () => offerOf(message, charter)) : null;
  const offer = offered?.offer ?? null;
  const words = attempt('message', () => {
    const read = verifyWords(compact, origin, charter);
    expectSame(read.message.statement, message);
    return { ...read, item: release.item(read.standing, read.message) };
  });
  if (words === null) return { item: null, provenance: null, preparedBy: null, offer, texts, keys, faults };
  const { standing, message: said } = words;
  const made = attempt('rendition', () => {
    const found = verifyRendition(message.rendition, charter, said);
    return { read: found?.read ?? null, by: found?.by ?? null, item: release.item(standing, said, found?.read ?? null) };
  });
  const captioned = attempt('captions', () => release.item(standing, said, made?.read ?? null, verifyCaptions(message.captions, charter)));
  const item = captioned ?? made?.item ?? words.item;

  for (const part of storedParts(item)) {
    attempt(part.role, () => {
      const view = viewIn(message.parts, part);
      keys.set(part.commit, unwrap(message.case, part, view, identities));
      if (TEXTS.includes(part.role)) texts.set(part.commit, openText(message.case, part, view, identities));
    });
  }
  if (APPROVED.has(message.state)) {
    const { approvals } = offered?.policy ?? charter.policy;
    attempt('approvals', () => release.verifyApprovals(message.decisions, charter, item, approvals));
  }
  return { item, provenance: words.provenance, preparedBy: made?.by ?? null, offer, texts, keys, faults };
}

/** A mediator's offer of this message, and the rules in force when it was made. */
function offerOf({ case: id, message, offer: compact }: Message, charter: VerifiedCharter): { readonly offer: Offer; readonly policy: Policy } {
  const { statement: offer } = charter.verifyByMediator(compact ?? '', Offer);
  if (offer.case !== id || offer.message !== message) throw new CryptoError('chain', 'an offer of another message');
  return { offer, policy: charter.requireVersion(offer.charter, offer.at).policy };
}

/** The parts of an item that are released, and those only for mediators: the original, and the assistant's note. */
function storedParts(item: release.Item): readonly Part[] {
  return [...release.releasableParts(item), ...item.message.parts.filter(({ role }) => role === 'original' || role === 'note')];
}

/** The part with this role; null if there is none. */
export function partOf({ item }: Examined, role: PartRole): Part | null {
  return item === null ? null : (storedParts(item).find((part) => part.role === role) ?? null);
}

/** The file key of a part of a complete message. */
export function keyOf({ keys }: Examined, { commit, role }: Part): FileKey {
  const fileKey = keys.get(commit);
  if (fileKey === undefined) throw new Refused('broken', { broken: { record: role, fault: 'no-key' } });
  return fileKey;
}

/** The text of the part with this role, null if there is none; `broken` if it cannot be read. */
export function textOf(examined: Examined, role: PartRole): string | null {
  const fault = examined.faults.find(({ record }) => record === role);
  if (fault !== undefined) throw new Refused('broken', { broken: fault });
  if (examined.item === null) expectWhole(examined);
  const part = partOf(examined, role);
  return part === null ? null : (examined.texts.get(part.commit) ?? null);
}

/** The item, if all of it is valid; otherwise `broken` with its first fault. */
export function expectWhole({ item, faults }: Examined): release.Item {
  const [first] = faults;
  if (first !== undefined || item === null) throw new Refused('broken', { broken: first ?? { record: 'message', fault: 'not-signed' } });
  return item;
}

/** Refuses the statement of a different message from the one relay names. */
function expectSame(said: release.Item['message'], message: Message): void {
  const members = ['message', 'revision', 'from', 'to', 'kind', 'language'] as const;
  if (members.some((member) => said[member] !== message[member])) throw new CryptoError('chain', 'another message');
}

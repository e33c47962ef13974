/** A message under review, examined record by record: what holds, what it says, and what does not hold. */

import type { FileKey } from '../crypto/filekeys';
import { CryptoError } from '../crypto/errors';
import type { Part, PartRole } from '../crypto/fields';
import * as release from '../crypto/release';
import type { Broken, RecordName, State, Uuid } from './contract';
import type { OpenCase } from './opencases';
import { brokenOf, readingNow } from './records';
import { Refused } from './refusing';
import type { components } from './schema';
import { openText, unwrap, viewIn } from './sealing';
import { isUnchecked, type Provenance, verifyCaptions, verifyRendition, verifyWords } from './verifying';

type Message = components['schemas']['ReviewMessage'];

const TEXTS: readonly PartRole[] = ['body', 'captions', 'note'];
/** In these it counts whether the approvals are still good. */
const APPROVED: ReadonlySet<State> = new Set(['approved', 'offered', 'released', 'viewed']);

/** What a mediator finds of a message: one with a fault is returned, declined or held, and never let on. */
export interface Examined {
  /** As far as its statements hold; null where the message itself does not. */
  readonly item: release.Item | null;
  readonly provenance: Provenance | null;
  /** The media worker that made the rendition. */
  readonly preparedBy: Uuid | null;
  /** What could be read, by commitment. */
  readonly texts: ReadonlyMap<string, string>;
  /** What the case can open, by commitment. */
  readonly keys: ReadonlyMap<string, FileKey>;
  readonly faults: readonly Broken[];
}

/** Verifies and opens everything of a message that came with it; nothing that fails hides the rest. */
export function examine(message: Message, { charter, identity }: OpenCase): Examined {
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
  const none: Examined = { item: null, provenance: null, preparedBy: null, texts, keys, faults };

  const { statement: compact, origin } = message;
  if (compact === null) throw new Refused('refused'); // a draft is its author's alone
  if (attempt('message', () => isUnchecked(origin)) === true) return { ...none, faults: [{ record: 'claim', fault: 'unchecked' }] };
  const words = attempt('message', () => {
    const read = verifyWords(compact, origin, charter);
    expectSame(read.message.statement, message);
    return read;
  });
  if (words === null) return none;
  const made = attempt('rendition', () => verifyRendition(message.rendition, charter, words.message));
  const plain = release.item(words.message, made?.read ?? null);
  const item = attempt('captions', () => release.item(words.message, made?.read ?? null, verifyCaptions(message.captions, charter))) ?? plain;

  for (const part of heldParts(item)) {
    attempt(part.role, () => {
      const view = viewIn(message.parts, part);
      keys.set(part.commit, unwrap(message.case, part, view, [identity]));
      if (TEXTS.includes(part.role)) texts.set(part.commit, openText(message.case, part, view, [identity]));
    });
  }
  if (APPROVED.has(message.state)) attempt('approvals', () => release.verifyApprovals(message.decisions, charter, item));
  return { item, provenance: words.provenance, preparedBy: made?.by ?? null, texts, keys, faults };
}

/** What is released of an item, and what stays with its mediators: the original, and who assisted. */
function heldParts(item: release.Item): readonly Part[] {
  return [...release.releasableParts(item), ...item.message.parts.filter(({ role }) => role === 'original' || role === 'note')];
}

/** The part of this role; null where there is none. */
export function partOf({ item }: Examined, role: PartRole): Part | null {
  return item === null ? null : (heldParts(item).find((part) => part.role === role) ?? null);
}

/** The file key of a part of a whole message. */
export function keyOf({ keys }: Examined, { commit, role }: Part): FileKey {
  const fileKey = keys.get(commit);
  if (fileKey === undefined) throw new Refused('broken', { broken: { record: role, fault: 'no-key' } });
  return fileKey;
}

/** The words of the part of this role, null where there is none; `broken` where they cannot be read. */
export function textOf(examined: Examined, role: PartRole): string | null {
  const fault = examined.faults.find(({ record }) => record === role);
  if (fault !== undefined) throw new Refused('broken', { broken: fault });
  if (examined.item === null) expectWhole(examined);
  const part = partOf(examined, role);
  return part === null ? null : (examined.texts.get(part.commit) ?? null);
}

/** The item, if all of it holds; `broken`, by its first fault, where it does not. */
export function expectWhole({ item, faults }: Examined): release.Item {
  const [first] = faults;
  if (first !== undefined || item === null) throw new Refused('broken', { broken: first ?? { record: 'message', fault: 'not-signed' } });
  return item;
}

/** Refuses the statement of another message than relay says it is of. */
function expectSame(said: release.Item['message'], message: Message): void {
  const members = ['message', 'revision', 'from', 'to', 'kind', 'language'] as const;
  if (members.some((member) => said[member] !== message[member])) throw new CryptoError('chain', 'another message');
}

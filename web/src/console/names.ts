/**
 * Names that the embedding page gives to participants and cases. They are text of somebody else: shortened, without
 * what reorders or hides text, and never in place of what relay knows. They are only in memory: nothing here is stored
 * or sent, and no title has a name in it.
 */

import type { Uuid } from '../client/contract';
import type { GivenNames } from '../embed/protocol';

/** In characters; a longer name is cut. */
const NAME_MOST = 80;
const MARKS_MOST = 4;
const EARLIER_MOST = 5;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

export class Names {
  static readonly none = new Names(new Map(), new Map(), new Map());

  private constructor(
    private readonly participants: ReadonlyMap<Uuid, string>,
    private readonly cases: ReadonlyMap<Uuid, string>,
    /** Every name that a participant has had since the page was opened, the first one first. */
    private readonly had: ReadonlyMap<Uuid, readonly string[]>,
  ) {}

  /** These in place of all names given before, which are remembered: a participant who is called otherwise now is told apart. */
  replacedBy(given: GivenNames): Names {
    const participants = cleaned(given.participants);
    const had = new Map(this.had);
    for (const [id, name] of participants) {
      const before = had.get(id) ?? [];
      if (!before.includes(name)) had.set(id, [...before, name].slice(-EARLIER_MOST - 1));
    }
    return new Names(participants, cleaned(given.cases), had);
  }

  participant(id: Uuid): string | null {
    return this.participants.get(id) ?? null;
  }

  case(id: Uuid): string | null {
    return this.cases.get(id) ?? null;
  }

  /** What the page called a participant before, if that differs from now; the last names only. */
  earlier(id: Uuid): readonly string[] {
    const now = this.participants.get(id);
    return now === undefined ? [] : (this.had.get(id) ?? []).filter((name) => name !== now);
  }
}

function cleaned(given: Readonly<Record<Uuid, string>>): ReadonlyMap<Uuid, string> {
  return new Map(
    Object.entries(given).flatMap(([id, text]) => {
      const name = cleanName(text);
      return name === null ? [] : [[id, name] as const];
    }),
  );
}

/**
 * A name of at most `most` characters on one line: without control and bidi characters, invisible ones that join no
 * letters, and quotation marks that could end those around it; null if no letter or digit is left.
 */
export function cleanName(text: string, most: number = NAME_MOST): string | null {
  const plain = text
    .normalize('NFC')
    .replace(/[\p{Zs}\p{Zl}\p{Zp}\t\n\v\f\r]+/gu, ' ')
    .replace(/[\u200C\u200D]/g, (joiner, at: number, whole: string) => (joins(whole, at) ? joiner : ''))
    .replace(/(?![\u200C\u200D])[\p{C}\p{DI}]/gu, '')
    .replace(/["“”„‟«»‹›〝〞〟＂]/g, '’')
    .replace(new RegExp(`(\\p{M}{${String(MARKS_MOST)}})\\p{M}+`, 'gu'), '$1')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = Array.from(plain);
  const name = characters.length <= most ? plain : `${characters.slice(0, most - 1).join('').trimEnd()}…`;
  return /[\p{L}\p{N}]/u.test(name) ? name : null;
}

/** Whether a joiner is between two letters or marks, as Persian and Indic names need it. */
function joins(text: string, at: number): boolean {
  return /[\p{L}\p{M}]$/u.test(text.slice(0, at)) && /^[\p{L}\p{M}]/u.test(text.slice(at + 1));
}

/** A name within a sentence of another direction; where an element can be used, `bdi` does the same. */
export function isolated(name: string): string {
  return `${FIRST_STRONG_ISOLATE}${name}${POP_ISOLATE}`;
}

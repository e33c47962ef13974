/** What changed between two texts, word by word. */

export interface Piece {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** More changed words than this are shown as one change: nobody reads them one by one, and the algorithm is quadratic. */
const MOST_CHANGES = 2_000;

/** `before` is the unchanged text with what was removed, `after` the unchanged text with what was added. */
export function differences(before: string, after: string): readonly Piece[] {
  const [old, now] = [wordsIn(before), wordsIn(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const middle = compared(old.slice(start, old.length - end), now.slice(start, now.length - end));
  return joined([piece('same', old.slice(0, start)), ...middle, piece('same', old.slice(old.length - end))]);
}

function wordsIn(text: string): readonly string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*|\s+|./gsu) ?? [];
}

function piece(kind: Piece['kind'], words: readonly string[]): Piece {
  return { kind, text: words.join('') };
}

/** Myers' algorithm: the fewest words removed and added. */
function compared(old: readonly string[], now: readonly string[]): readonly Piece[] {
  const whole = [piece('removed', old), piece('added', now)];
  if (old.length === 0 || now.length === 0) return whole;
  /** Per number of changes: the furthest position in `old` on each diagonal. */
  const reached: Int32Array[] = [];
  for (let changes = 0; changes <= Math.min(old.length + now.length, MOST_CHANGES); changes += 1) {
    const last = reached.at(-1);
    const far = new Int32Array(2 * changes + 1);
    reached.push(far);
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let at = last === undefined ? 0 : stepped(last, changes, diagonal).at;
      while (at < old.length && at - diagonal < now.length && old[at] === now[at - diagonal]) at += 1;
      far[diagonal + changes] = at;
      if (at >= old.length && at - diagonal >= now.length) return retraced(old, now, reached);
    }
  }
  return whole;
}

/** The better predecessor on a neighbouring diagonal, and the position reached from it. */
function stepped(last: Int32Array, changes: number, diagonal: number): { readonly from: number; readonly at: number } {
  const far = (of: number): number => last[of + changes - 1] ?? -1;
  const adds = diagonal === -changes || (diagonal !== changes && far(diagonal - 1) < far(diagonal + 1));
  return adds ? { from: diagonal + 1, at: far(diagonal + 1) } : { from: diagonal - 1, at: far(diagonal - 1) + 1 };
}

function retraced(old: readonly string[], now: readonly string[], reached: readonly Int32Array[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let [at, diagonal] = [old.length, old.length - now.length];
  for (let changes = reached.length - 1; changes >= 0; changes -= 1) {
    const last = reached[changes - 1];
    const step = last === undefined ? { from: 0, at: 0 } : stepped(last, changes, diagonal);
    pieces.push(piece('same', old.slice(step.at, at)));
    if (last === undefined) break;
    pieces.push(step.from > diagonal ? piece('added', now.slice(step.at - step.from, step.at - diagonal)) : piece('removed', old.slice(step.at - 1, step.at)));
    at = step.from > diagonal ? step.at : step.at - 1;
    diagonal = step.from;
  }
  return pieces.reverse();
}

/** Merges neighbours of a kind, removed before added; a space between two changes becomes part of them. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const found: Piece[] = [];
  let [removed, added] = ['', ''];
  const close = (): void => {
    if (removed !== '') found.push({ kind: 'removed', text: removed });
    if (added !== '') found.push({ kind: 'added', text: added });
    [removed, added] = ['', ''];
  };
  const filled = pieces.filter(({ text }) => text !== '');
  for (const [place, { kind, text }] of filled.entries()) {
    const next = filled[place + 1];
    const isBetween = kind === 'same' && removed + added !== '' && next !== undefined && next.kind !== 'same' && /^[^\S\n]+$/.test(text);
    if (kind === 'removed' || isBetween) removed += text;
    if (kind === 'added' || isBetween) added += text;
    if (kind !== 'same' || isBetween) continue;
    close();
    const last = found.at(-1);
    if (last?.kind === 'same') found[found.length - 1] = { kind, text: last.text + text };
    else found.push({ kind, text });
  }
  close();
  return found;
}

/** How a text begins, which tells it from another one. */

/** About a line. */
const MOST = 80;

/** Whole words, as far as a line goes. */
export function beginning(text: string): string {
  const line = text.trim().replace(/\s+/gu, ' ');
  const letters = Array.from(line);
  if (letters.length <= MOST) return line;
  const cut = letters.slice(0, MOST).join('');
  const space = cut.lastIndexOf(' ');
  return `${space < MOST / 2 ? cut : cut.slice(0, space)}…`;
}

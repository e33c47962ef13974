/** How much somebody has written. */

/** Words as a person counts them, with an apostrophe inside. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+(?:[’'-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
}

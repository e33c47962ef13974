// All that this system keeps, in one JSON file: who people are, what happened, and how far it has read.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const EMPTY = { cases: {}, people: {}, taken: {}, next: 0, toWrite: [] };

/** `cases`: by relay's identifier. `people`: names by participant. `taken`: events. `toWrite`: who to write to. */
export function openStore(file) {
  const data = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : structuredClone(EMPTY);
  const save = () => {
    writeFileSync(`${file}.new`, JSON.stringify(data), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file); // a whole file or the one before
  };
  return { data, save };
}

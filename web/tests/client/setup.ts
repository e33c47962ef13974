/** Starts a real relay for these tests, once, and says where it is; it ends when its input is closed. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { TestProject } from 'vitest/node';

export interface Stage {
  readonly url: string;
  /** Of the organization's root. */
  readonly fingerprint: string;
  /** The root's seed: these tests are their own administrator. */
  readonly root: string;
  readonly mediators: readonly { readonly credential: string; readonly keyring: string; readonly passphrase: string }[];
  /** An open case with one unclaimed link for each of its two participants. */
  readonly case: string;
  readonly harmed: string;
  readonly responsible: string;
  /** A file: a video as phones make them. */
  readonly video: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    stage: Stage;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const python = process.env['RELAY_PYTHON'] ?? `${root}.venv/bin/python`;
  const stage = spawn(python, [`${root}web/tests/client/stage.py`], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => stage.once('exit', () => { resolve(); }));
  const [line] = await Promise.race([
    new Promise<[string]>((resolve) => createInterface(stage.stdout).once('line', (said) => { resolve([said]); })),
    ended.then((): never => {
      throw new Error('the relay for these tests did not start');
    }),
  ]);
  project.provide('stage', JSON.parse(line) as Stage);
  return async () => {
    stage.stdin.end();
    await ended;
  };
}

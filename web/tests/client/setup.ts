/** Starts one real relay for all of these tests; it stops when its input is closed. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { TestProject } from 'vitest/node';

export interface TestRelay {
  readonly url: string;
  /** The fingerprint of the organization's root. */
  readonly fingerprint: string;
  /** The root's seed: these tests are their own administrator. */
  readonly root: string;
  readonly mediators: readonly { readonly credential: string; readonly keyring: string; readonly passphrase: string }[];
  /** An open case with one unclaimed link for each of its two participants. */
  readonly case: string;
  readonly harmed: string;
  readonly responsible: string;
  /** The path of a video as phones record it. */
  readonly video: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    relay: TestRelay;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const python = process.env['PYTHON'] ?? `${root}.venv/bin/python`;
  const server = spawn(python, [`${root}web/tests/client/start_relay.py`], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => { resolve(); }));
  const [line] = await Promise.race([
    new Promise<[string]>((resolve) => createInterface(server.stdout).once('line', (said) => { resolve([said]); })),
    ended.then((): never => {
      throw new Error('the relay for these tests did not start');
    }),
  ]);
  project.provide('relay', JSON.parse(line) as TestRelay);
  return async () => {
    server.stdin.end();
    await ended;
  };
}

/**
 * One record that does not hold: which one, and why. All other records stay as they are.
 *
 * A broken chain of trust (root, credentials, charter) is another matter: `untrusted`, and nothing is to be believed.
 */

import type { CryptoFailure } from '../crypto/errors';
import { CryptoError } from '../crypto/errors';
import type { Broken, Fault, RecordName } from './contract';
import { Refused } from './refusing';

const FAULTS: Readonly<Partial<Record<CryptoFailure, Fault>>> = {
  'no-match': 'no-key',
  header: 'no-key',
  'header-mac': 'no-key',
  key: 'unusable-key',
  commitment: 'wrong-key',
  payload: 'altered',
  padding: 'not-text',
};

/** Thrown where something is found of which no check of the crypto room speaks. */
export class Faulty extends Error {
  override readonly name = 'Faulty';

  constructor(readonly fault: Fault) {
    super(fault);
  }
}

/** Runs what verifies or opens `record` alone: whatever does not hold is `broken`, about that record. */
export async function reading<Value>(record: RecordName, work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw broken(record, error);
  }
}

/** As `reading`, for what is done at once. */
export function readingNow<Value>(record: RecordName, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw broken(record, error);
  }
}

/** What is wrong with a record, if that is why something was refused. */
export function brokenOf(error: unknown): Broken | null {
  return error instanceof Refused && error.refusal.refusal === 'broken' ? (error.refusal.broken ?? null) : null;
}

/** Runs `work`; where a record does not hold, `instead` of what is wrong with it. */
export async function orBroken<Value, Other>(work: () => Promise<Value>, instead: (broken: Broken) => Other): Promise<Value | Other> {
  try {
    return await work();
  } catch (error) {
    const found = brokenOf(error);
    if (found === null) throw error;
    return instead(found);
  }
}

function broken(record: RecordName, error: unknown): unknown {
  if (error instanceof Refused) return error;
  return new Refused('broken', { broken: { record, fault: faultOf(record, error) } });
}

function faultOf(record: RecordName, error: unknown): Fault {
  const known = error instanceof CryptoError ? FAULTS[error.failure] : undefined;
  if (error instanceof Faulty) return error.fault;
  // What is no error of either kind is an answer of relay that is none.
  return known ?? (record === 'approvals' ? 'too-few' : 'not-signed');
}

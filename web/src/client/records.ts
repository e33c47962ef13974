/**
 * One invalid record: which one, and why. All other records are unaffected.
 *
 * A broken chain of trust (root, credentials, charter) is different: `untrusted`, and nothing is believed.
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

/** Thrown for a fault that none of the checks in `crypto/` covers. */
export class Faulty extends Error {
  override readonly name = 'Faulty';

  constructor(readonly fault: Fault) {
    super(fault);
  }
}

/** Verifies or opens `record` alone: anything invalid is `broken`, about that record. */
export async function reading<Value>(record: RecordName, work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw broken(record, error);
  }
}

/** Like `reading`, synchronously. */
export function readingNow<Value>(record: RecordName, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw broken(record, error);
  }
}

/** What is wrong with a record, if something was refused for that reason. */
export function brokenOf(error: unknown): Broken | null {
  return error instanceof Refused && error.refusal.refusal === 'broken' ? (error.refusal.broken ?? null) : null;
}

/** Runs `work`; returns `instead` if a record is invalid. */
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
  // Any other error means that relay's response is malformed.
  return known ?? (record === 'approvals' ? 'too-few' : 'not-signed');
}

/** Signs in with a key: relay's challenge, signed for this relay only. */

import type { Signer } from '../crypto/signing';
import * as statements from '../crypto/statements';
import type { SignIn } from './connection';
import { now } from './stamps';
import type { components } from './schema';

type Schemas = components['schemas'];

export function signingIn(signer: Signer, audience: string): SignIn {
  return async (connection) => {
    const { challenge } = await connection.call<Schemas['Challenge']>('POST', '/v1/challenges');
    const statement = statements.sign(signer, statements.Session, { at: now(), challenge, audience });
    return connection.call<Schemas['Session']>('POST', '/v1/sessions', { body: { statement } });
  };
}

/** Creates charters: the first one of a case, and the next one when its people, keys or rules change. */

import * as age from '../crypto/age';
import { sealIdentities } from '../crypto/keyrings';
import { statementHash, type Signer } from '../crypto/signing';
import * as statements from '../crypto/statements';
import { type Authority, isValidAt, ofRole, type Trust } from '../crypto/trust';
import type { Uuid } from './contract';
import { now } from './stamps';
import type { OpenCase } from './opencases';
import { Refused } from './refusing';
import type { components } from './schema';
import { toBase64 } from './wire';

type Filing = components['schemas']['CharterFiling'];

/** The people listed in a charter. */
export interface People {
  readonly mediators: readonly Authority[];
  readonly media: readonly Authority[];
  readonly recovery: readonly Authority[];
}

/** Everybody with this role whose credential is valid now. */
export function validNow(trust: Trust, role: statements.Role): Authority[] {
  return ofRole(trust, role).filter((one) => isValidAt(one, now()));
}

/** The holder of a credential. */
export function authority(trust: Trust, credential: Uuid): Authority {
  const found = trust.authorities.get(credential);
  if (found === undefined) throw new Refused('untrusted');
  return found;
}

/** These mediators, with the media workers and recovery keys that are valid now. */
export function peopleOf(trust: Trust, mediators: readonly Authority[]): People {
  return { mediators, media: validNow(trust, 'media'), recovery: validNow(trust, 'recovery') };
}

/** The first charter of a case, with a new identity sealed to its mediators and recovery keys. */
export function firstCharter(signer: Signer, id: Uuid, registration: string, people: People, policy: statements.Policy): Filing {
  const identity = age.HybridIdentity.generate();
  const statement = statements.sign(signer, statements.Charter, {
    at: now(),
    case: id,
    version: 1,
    registration: statementHash(registration),
    previous: null,
    recipient: identity.recipient.toString(),
    ...membersOf(people),
    policy,
  });
  return { statement, key_file: keyFile([identity], people), registration };
}

/**
 * The charter that replaces the one in force.
 *
 * If a reader leaves, the case gets a new identity, so that they cannot read what is sealed afterwards.
 * Everybody who stays or joins receives all identities.
 */
export function nextCharter(signer: Signer, { charter, identities: known }: OpenCase, people: People): Filing {
  const staying = new Set([...people.mediators, ...people.recovery].map(({ credential }) => credential));
  const somebodyLeaves = [...charter.mediators, ...charter.recovery].some(({ credential }) => !staying.has(credential));
  const identities = somebodyLeaves ? [age.HybridIdentity.generate(), ...known] : known;
  const at = now();
  const statement = statements.sign(signer, statements.Charter, {
    at: at < charter.at ? charter.at : at,
    case: charter.case,
    version: charter.version + 1,
    registration: null,
    previous: charter.statementHash,
    recipient: identities[0]?.recipient.toString() ?? charter.recipient,
    ...membersOf(people),
    policy: charter.policy,
  });
  return { statement, key_file: keyFile(identities, people), registration: null };
}

function membersOf({ mediators, media, recovery }: People): Pick<statements.Charter, 'mediators' | 'media' | 'recovery'> {
  return { mediators: members(mediators), media: members(media), recovery: members(recovery) };
}

function members(people: readonly Authority[]): statements.Member[] {
  return people.map(({ credential, statementHash: statement }) => ({ credential, statement }));
}

function keyFile(identities: readonly age.HybridIdentity[], { mediators, recovery }: People): string {
  const recipients = [...mediators, ...recovery].flatMap(({ recipient }) => (recipient === null ? [] : [age.parseRecipient(recipient)]));
  return toBase64(sealIdentities(identities, recipients));
}

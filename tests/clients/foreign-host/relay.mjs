// The way to relay: tokens that this system signs, the statement for a new case, calls, and refusals in words.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const KID = 'host-1';
const b64u = (value) => Buffer.from(value).toString('base64url');
const signed = (header, payload, key) => {
  const text = `${b64u(JSON.stringify(header))}.${b64u(JSON.stringify(payload))}`;
  return `${text}.${b64u(sign(null, Buffer.from(text), key))}`;
};

/** The Ed25519 key of the tokens, from a file; made where there is none. */
export function tokenKey(file) {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  }
  return createPrivateKey(readFileSync(file));
}

/** What `/jwks.json` answers: the public half of the key, under its name. */
export function keySet(key) {
  const { kty, crv, x } = createPublicKey(key).export({ format: 'jwk' });
  return { keys: [{ kty, crv, x, kid: KID, alg: 'EdDSA', use: 'sig' }] };
}

/** A token for one scope, for a minute. `issuer` is what relay was told in RELAY_SERVICE_ISSUER. */
export function token(key, issuer, scope) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'relay', sub: 'foreign-host', iat: now, exp: now + 60, scope };
  return signed({ alg: 'EdDSA', kid: KID, typ: 'JWT' }, claims, key);
}

/** The Ed25519 key in a file of `relay keys new service`: JSON, whose `signer` is the seed. */
export function signingKey(file) {
  const seed = Buffer.from(JSON.parse(readFileSync(file, 'utf8')).signer, 'base64url');
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

/** A `relay-registration+jws`: which mediators may open a case. The order of the members counts. */
export function registration(key, id, mediators) {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  const kid = createHash('sha256').update(x, 'base64url').digest().subarray(0, 16).toString('base64url');
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const payload = { at, nonce: randomBytes(16).toString('base64url'), case: id, mediators };
  return signed({ alg: 'EdDSA', kid, typ: 'relay-registration+jws' }, payload, key);
}

/** relay did not do it; `message` is for whoever works here. `code` is relay's, or `away`. */
export class NotDone extends Error {
  constructor(status, problem) {
    const about = [problem.title, problem.detail].filter(Boolean).join(' ');
    super(problem.instance ? `${about} (${problem.code}; for relay's operator: ${problem.instance})` : about);
    this.status = status;
    this.code = problem.code;
  }
}

const AWAY = { code: 'away', title: 'relay cannot be reached now. Nothing was changed there; try again in a minute.' };

/** Calls relay with a token of its own for each call. Answers `{status, etag, body}`; NotDone. */
export function connect({ url, key, issuer, language = 'en' }) {
  return async (method, path, scope, { body, headers = {}, seconds = 15 } = {}) => {
    let answer;
    let text;
    try {
      answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token(key, issuer, scope)}`,
          'Accept-Language': language,
          ...(body && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: body && JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(seconds * 1000),
      });
      text = await answer.text();
    } catch {
      throw new NotDone(503, AWAY);
    }
    if (!answer.ok) {
      const isProblem = answer.headers.get('content-type')?.startsWith('application/problem+json');
      throw new NotDone(answer.status, isProblem ? JSON.parse(text) : AWAY);
    }
    return { status: answer.status, etag: answer.headers.get('etag'), body: text ? JSON.parse(text) : null };
  };
}

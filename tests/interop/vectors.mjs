// Recomputes relay's test vectors with nothing but the platform's crypto and the public age-encryption package:
// what the browser code has to be able to do, written once more, from docs/protocol.md.
//   node vectors.mjs FOLDER
import assert from "node:assert/strict";
import { createHash, createHmac, createPrivateKey, createPublicKey, hkdfSync, scryptSync, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Decrypter } from "age-encryption";

const [folder] = process.argv.slice(2);
const load = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const bytes = (text) => Buffer.from(text, "base64url");
const text = (buffer) => Buffer.from(buffer).toString("base64url");
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const hkdf = (key, salt, info) => Buffer.from(hkdfSync("sha256", key, salt, info, 32));
const raw = (uuid) => Buffer.from(uuid.replaceAll("-", ""), "hex");

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const privateKey = (seed) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
const publicKey = (key) =>
  createPublicKey({ key: Buffer.concat([SPKI, key]), format: "der", type: "spki" });
const rawPublic = (key) => createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);

const counts = {};
const count = (name) => (counts[name] = (counts[name] ?? 0) + 1);

for (const { file_key, case: id, commit } of load("commitments.json")) {
  assert.equal(text(hkdf(bytes(file_key), raw(id), "relay/v1/commit")), commit);
  count("commitments");
}

const padded = (length) => {
  const size = Math.max(length + 1, 256);
  const e = Math.floor(Math.log2(size));
  const unit = 2 ** (e - (Math.floor(Math.log2(e)) + 1));
  return Math.ceil(size / unit) * unit;
};
for (const { plain, padded: size } of load("padding.json").sizes) {
  assert.equal(padded(plain), size);
  count("padded sizes");
}
for (const { plain, padded: whole } of load("padding.json").good) {
  const room = Buffer.alloc(padded(bytes(plain).length));
  room.set(bytes(plain));
  room[bytes(plain).length] = 0x80;
  assert.equal(text(room), whole);
  count("padded texts");
}

const links = load("links.json");
for (const link of links.derived) {
  const derive = (what) => hkdf(bytes(link.secret), raw(link.link), `relay/v1/link/${what}`);
  assert.equal(text(derive("auth")), link.auth);
  assert.equal(text(sha256(derive("auth"))), link.auth_digest);
  assert.equal(text(derive("claim")), link.claim_key);
  assert.equal(text(derive("unlock")), link.unlock);
  assert.equal(text(derive("signer")), link.signer_seed);
  assert.equal(text(rawPublic(privateKey(derive("signer")))), link.signer_public_key);
  assert.equal(text(sha256(link.charter).subarray(0, 16)), link.anchor);
  const fragment = text(Buffer.concat([link.secret, link.root_fingerprint, link.anchor].map(bytes)));
  assert.equal(`${link.public_url}/l/${link.link}#${fragment}`, link.url);
  count("links");
}
const stretch = (typed, unlock, log2) => {
  const words = typed.normalize("NFKC").replace(/^ +| +$/g, "");
  const cost = 2 ** log2;
  const options = { cost, blockSize: 8, parallelization: 1, maxmem: 1024 * (cost + 32) };
  const stretched = scryptSync(Buffer.from(words), bytes(unlock), 64, options);
  return { proof: stretched.subarray(0, 32), ringKey: stretched.subarray(32) };
};
for (const { unlock, typed, work_factor_log2: log2, ...derived } of load("passphrases.json").stretched) {
  const { proof, ringKey } = stretch(typed, unlock, log2);
  assert.equal(text(proof), derived.proof);
  assert.equal(text(sha256(proof)), derived.proof_hash);
  assert.equal(text(ringKey), derived.ring_key);
  count("passphrases");
}

const { lists, claims: coded } = load("words.json");
for (const language of ["en", "fr"]) {
  const file = join(folder, "..", "..", "relay", "crypto", "wordlists", `${language}.txt`);
  const words = readFileSync(file, "utf8").trim().split("\n");
  assert.equal(sha256(words.join("\n")).toString("hex"), lists[language]);
  for (const { hash, ...shown } of coded) {
    const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };
    const code = scryptSync(Buffer.from(hash), Buffer.from("relay/v1/claim-words"), 5, cost);
    const bits = [...code].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const found = bits.match(/.{10}/g).map((ten) => words[parseInt(ten, 2)]);
    assert.deepEqual(found, shown[language]);
    count("claim words");
  }
}

for (const claim of load("claims.json")) {
  const lines = [claim.link, claim.case, claim.participant, claim.recipient, claim.signer];
  const mac = createHmac("sha256", bytes(claim.claim_key));
  assert.equal(text(mac.update(["relay/v1/claim", ...lines].join("\n")).digest()), claim.mac);
  count("claims");
}

const { signer, good } = load("statements.json");
for (const { typ, payload, compact, hash } of good) {
  assert.equal(JSON.stringify(JSON.parse(payload)), payload);
  const kid = text(sha256(bytes(signer.public_key)).subarray(0, 16));
  assert.equal(kid, signer.kid);
  const header = JSON.stringify({ alg: "EdDSA", kid, typ });
  const covered = `${text(Buffer.from(header))}.${text(Buffer.from(payload))}`;
  const signature = sign(null, Buffer.from(covered), privateKey(bytes(signer.seed)));
  assert.equal(`${covered}.${text(signature)}`, compact);
  assert.ok(verify(null, Buffer.from(covered), publicKey(bytes(signer.public_key)), signature));
  assert.equal(text(sha256(compact)), hash);
  count("statements");
}

let previous = Buffer.alloc(32);
for (const row of load("log.json").good) {
  const fields = [row.case, row.seq, row.at, row.kind, row.message ?? "-", row.actor, row.statement ?? "-"];
  const line = ["relay/v1/event", ...fields].join("\n");
  assert.equal(line, row.bytes);
  assert.equal(text(previous), row.prev);
  previous = sha256(previous, line);
  assert.equal(text(previous), row.hash);
  count("log rows");
}

const open = async (file, { identity, passphrase }) => {
  const decrypter = new Decrypter();
  if (identity === undefined) decrypter.addPassphrase(passphrase);
  else decrypter.addIdentity(identity);
  return Buffer.from(await decrypter.decrypt(file));
};
const sealed = load("sealed.json");
for (const identity of sealed.identities) {
  for (const { plain, body } of sealed.bodies) {
    const file = Buffer.concat([bytes(sealed.header), bytes(body)]);
    assert.equal(text(await open(file, { identity })), plain);
    count("sealed bodies");
  }
  for (const { file, identities } of sealed.case_identities) {
    const held = await open(bytes(file), { identity });
    assert.equal(held.toString(), identities.map((one) => `${one}\n`).join(""));
    count("case identities");
  }
}
const { keyring } = sealed;
assert.equal(
  (await open(bytes(keyring.file), { passphrase: keyring.passphrase })).toString(),
  JSON.stringify({ version: 1, identity: keyring.identity, signer: keyring.signer_seed }),
);
count("keyrings");
const own = sealed.participant_keyring;
assert.equal(text(stretch(own.typed, own.unlock, own.work_factor_log2).ringKey), own.ring_key);
assert.equal(
  (await open(bytes(own.file), { passphrase: own.ring_key })).toString(),
  JSON.stringify({ version: 1, identity: own.identity, signer: own.signer_seed }),
);
count("keyrings");
const { claim_key: claimKey } = sealed;
assert.equal(text(await open(bytes(claimKey.file), { identity: claimKey.identity })), claimKey.claim_key);
count("claim keys");

console.log(JSON.stringify(counts));

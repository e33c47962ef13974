// A small age command on the public age-encryption package: what relay writes must open here, and the reverse.
//   node age.mjs keygen pq|x25519
//   node age.mjs seal recipient|passphrase SECRET IN OUT
//   node age.mjs open identity|passphrase SECRET IN OUT [IN OUT …]
import { readFileSync, writeFileSync } from "node:fs";
import * as age from "age-encryption";

const [command, kind, secret, source, target, ...more] = process.argv.slice(2);

if (command === "keygen") {
  const identity =
    kind === "pq" ? await age.generateHybridIdentity() : await age.generateX25519Identity();
  console.log(identity);
  console.log(await age.identityToRecipient(identity));
} else if (command === "seal") {
  const encrypter = new age.Encrypter();
  if (kind === "passphrase") {
    encrypter.setScryptWorkFactor(12);
    encrypter.setPassphrase(secret);
  } else {
    encrypter.addRecipient(secret);
  }
  writeFileSync(target, await encrypter.encrypt(readFileSync(source)));
} else if (command === "open") {
  const decrypter = new age.Decrypter();
  if (kind === "passphrase") {
    decrypter.addPassphrase(secret);
  } else {
    decrypter.addIdentity(secret);
  }
  const files = [source, target, ...more];
  for (let at = 0; at < files.length; at += 2) {
    writeFileSync(files[at + 1], await decrypter.decrypt(readFileSync(files[at])));
  }
} else {
  throw new Error(`no such command: ${command}`);
}

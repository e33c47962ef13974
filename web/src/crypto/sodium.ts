/**
 * libsodium, loaded when it is first needed, and its functions with bytes in and bytes out.
 *
 * The raw module is used, not its wrapper: sealing then copies each chunk once in and once out of memory that is
 * allocated once, and the page that starts the worker loads 30 KB less. Whatever is written to WebAssembly memory is
 * zeroed when the call is over.
 */

import type { LibsodiumModule, Pointer } from 'libsodium-sumo';
import type { Bytes } from './encoding';

export const HASH_BYTES = 32;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;
const SECRET_KEY_BYTES = 64;
const LARGEST_CHUNK_BYTES = 64 * 1024 + TAG_BYTES;

let loading: Promise<void> | null = null;
let loaded: { readonly module: LibsodiumModule; readonly chunk: Chunk } | null = null;

/** Where chunks are sealed and opened in place. */
interface Chunk {
  readonly key: Pointer;
  readonly nonce: Pointer;
  readonly data: Pointer;
}

/** Resolves once everything in this module can be called. */
export function sodiumReady(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  const { default: instantiate } = await import('libsodium-sumo');
  const module = await instantiate({ getRandomValue: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0 });
  if (module._sodium_init() < 0) throw new Error('libsodium does not start');
  const chunk = {
    key: module._malloc(KEY_BYTES),
    nonce: module._malloc(16),
    data: module._malloc(LARGEST_CHUNK_BYTES),
  };
  loaded = { module, chunk };
}

function sodium(): NonNullable<typeof loaded> {
  if (loaded === null) throw new Error('sodiumReady was not awaited');
  return loaded;
}

/** Memory allocated in libsodium for one call; all of it is zeroed and freed afterwards. */
class Memory {
  readonly #module: LibsodiumModule;
  readonly #taken: { readonly at: Pointer; readonly size: number }[] = [];

  constructor(module: LibsodiumModule) {
    this.#module = module;
  }

  allocate(size: number): Pointer {
    const at = this.#module._malloc(Math.max(size, 1));
    if (at === 0) throw new RangeError('no memory left');
    this.#taken.push({ at, size });
    return at;
  }

  put(bytes: Uint8Array): Pointer {
    const at = this.allocate(bytes.length);
    this.#module.HEAPU8.set(bytes, at);
    return at;
  }

  take(at: Pointer, size: number): Bytes {
    return this.#module.HEAPU8.slice(at, at + size);
  }

  release(): void {
    for (const { at, size } of this.#taken) {
      this.#module.HEAPU8.fill(0, at, at + size);
      this.#module._free(at);
    }
  }
}

function within<T>(work: (module: LibsodiumModule, memory: Memory) => T): T {
  const { module } = sodium();
  const memory = new Memory(module);
  try {
    return work(module, memory);
  } finally {
    memory.release();
  }
}

export function randomBytes(size: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}

export function sha256(data: Uint8Array): Bytes {
  return within((module, memory) => {
    const out = memory.allocate(HASH_BYTES);
    module._crypto_hash_sha256(out, memory.put(data), data.length, 0);
    return memory.take(out, HASH_BYTES);
  });
}

/** HMAC-SHA256 with a key of 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Bytes {
  expectSize(key, KEY_BYTES);
  return within((module, memory) => {
    const out = memory.allocate(HASH_BYTES);
    module._crypto_auth_hmacsha256(out, memory.put(data), data.length, 0, memory.put(key));
    return memory.take(out, HASH_BYTES);
  });
}

/** HKDF-SHA256 (RFC 5869), 32 bytes out. */
export function hkdf(key: Uint8Array, salt: Uint8Array, info: Uint8Array): Bytes {
  return hkdfExpand(hkdfExtract(key, salt), info, HASH_BYTES);
}

/** The first half of HKDF-SHA256. */
export function hkdfExtract(key: Uint8Array, salt: Uint8Array): Bytes {
  return within((module, memory) => {
    const out = memory.allocate(HASH_BYTES);
    const from = memory.put(key);
    module._crypto_kdf_hkdf_sha256_extract(out, memory.put(salt), salt.length, from, key.length);
    return memory.take(out, HASH_BYTES);
  });
}

/** The second half of HKDF-SHA256. */
export function hkdfExpand(extracted: Uint8Array, info: Uint8Array, size: number): Bytes {
  expectSize(extracted, HASH_BYTES);
  return within((module, memory) => {
    const out = memory.allocate(size);
    const from = memory.put(extracted);
    module._crypto_kdf_hkdf_sha256_expand(out, size, memory.put(info), info.length, from);
    return memory.take(out, size);
  });
}

/** scrypt with `size` bytes out; null where there is not the memory that it takes. */
export function scrypt(passphrase: Uint8Array, salt: Uint8Array, rounds: number, blockSize: number, size: number): Bytes | null {
  return within((module, memory) => {
    const out = memory.allocate(size);
    const words = memory.put(passphrase);
    const at = memory.put(salt);
    const failed = module._crypto_pwhash_scryptsalsa208sha256_ll(
      words, passphrase.length, at, salt.length, rounds, 0, blockSize, 1, out, size,
    );
    return failed ? null : memory.take(out, size);
  });
}

/** The X25519 public key of a secret. */
export function x25519Public(secret: Uint8Array): Bytes {
  expectSize(secret, KEY_BYTES);
  return within((module, memory) => {
    const out = memory.allocate(KEY_BYTES);
    module._crypto_scalarmult_base(out, memory.put(secret));
    return memory.take(out, KEY_BYTES);
  });
}

/** What two X25519 keys share; null for a point of low order, with which every secret shares zero. */
export function x25519Shared(secret: Uint8Array, point: Uint8Array): Bytes | null {
  expectSize(secret, KEY_BYTES);
  expectSize(point, KEY_BYTES);
  return within((module, memory) => {
    const out = memory.allocate(KEY_BYTES);
    const failed = module._crypto_scalarmult(out, memory.put(secret), memory.put(point));
    return failed ? null : memory.take(out, KEY_BYTES);
  });
}

export interface SigningPair {
  readonly publicKey: Bytes;
  readonly secretKey: Bytes;
}

export function signingPair(seed: Uint8Array): SigningPair {
  expectSize(seed, KEY_BYTES);
  return within((module, memory) => {
    const publicKey = memory.allocate(KEY_BYTES);
    const secretKey = memory.allocate(SECRET_KEY_BYTES);
    module._crypto_sign_seed_keypair(publicKey, secretKey, memory.put(seed));
    return { publicKey: memory.take(publicKey, KEY_BYTES), secretKey: memory.take(secretKey, SECRET_KEY_BYTES) };
  });
}

export function signDetached(secretKey: Uint8Array, data: Uint8Array): Bytes {
  expectSize(secretKey, SECRET_KEY_BYTES);
  return within((module, memory) => {
    const out = memory.allocate(SIGNATURE_BYTES);
    module._crypto_sign_detached(out, 0, memory.put(data), data.length, 0, memory.put(secretKey));
    return memory.take(out, SIGNATURE_BYTES);
  });
}

/** Whether the signature holds; libsodium also refuses an `s` that is not reduced and an `R` of small order. */
export function verifyDetached(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  return within((module, memory) => {
    const at = memory.put(signature);
    return module._crypto_sign_verify_detached(at, memory.put(data), data.length, 0, memory.put(publicKey)) === 0;
  });
}

/** Whether this is a canonical point of Ed25519's prime-order group. */
export function isValidPoint(point: Uint8Array): boolean {
  if (point.length !== KEY_BYTES) return false;
  return within((module, memory) => module._crypto_core_ed25519_is_valid_point(memory.put(point)) === 1);
}

/** ChaCha20-Poly1305 of one chunk, at most 64 KiB, into `out` at `place`. */
export function sealChunk(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, out: Uint8Array, place: number): void {
  const { module, chunk } = sodium();
  if (plain.length > LARGEST_CHUNK_BYTES - TAG_BYTES) throw new RangeError('a chunk is too long');
  module.HEAPU8.set(key, chunk.key);
  module.HEAPU8.set(nonce, chunk.nonce);
  module.HEAPU8.set(plain, chunk.data);
  module._crypto_aead_chacha20poly1305_ietf_encrypt(
    chunk.data, 0, chunk.data, plain.length, 0, 0, 0, 0, 0, chunk.nonce, chunk.key,
  );
  out.set(module.HEAPU8.subarray(chunk.data, chunk.data + plain.length + TAG_BYTES), place);
  wipe(module, chunk);
}

/** Opens one chunk into `out` at `place`; false, with `out` untouched, where it is not authentic. */
export function openChunk(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, out: Uint8Array, place: number): boolean {
  const { module, chunk } = sodium();
  if (sealed.length < TAG_BYTES || sealed.length > LARGEST_CHUNK_BYTES) return false;
  module.HEAPU8.set(key, chunk.key);
  module.HEAPU8.set(nonce, chunk.nonce);
  module.HEAPU8.set(sealed, chunk.data);
  const failed = module._crypto_aead_chacha20poly1305_ietf_decrypt(
    chunk.data, 0, 0, chunk.data, sealed.length, 0, 0, 0, 0, chunk.nonce, chunk.key,
  );
  if (!failed) out.set(module.HEAPU8.subarray(chunk.data, chunk.data + sealed.length - TAG_BYTES), place);
  wipe(module, chunk);
  return !failed;
}

/** The key goes at once; the data is written over by the next chunk and is the caller's anyway. */
function wipe(module: LibsodiumModule, chunk: Chunk): void {
  module.HEAPU8.fill(0, chunk.key, chunk.key + KEY_BYTES);
}

function expectSize(bytes: Uint8Array, size: number): void {
  if (bytes.length !== size) throw new RangeError(`${size} bytes, not ${bytes.length}`);
}

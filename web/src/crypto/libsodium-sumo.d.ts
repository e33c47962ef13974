/** The few functions of the raw libsodium module that are used here; a 64-bit argument is two numbers, low half first. */

declare module 'libsodium-sumo' {
  export type Pointer = number;

  export interface LibsodiumModule {
    /** A new object after the memory grew: never hold it across a call. */
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    _malloc(size: number): Pointer;
    _free(pointer: Pointer): void;
    _sodium_init(): number;
    _crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed: Pointer, sealedSize: Pointer, plain: Pointer, size: number, sizeHigh: 0,
      additional: Pointer, additionalSize: number, additionalSizeHigh: 0, unused: 0, nonce: Pointer, key: Pointer,
    ): number;
    _crypto_aead_chacha20poly1305_ietf_decrypt(
      plain: Pointer, plainSize: Pointer, unused: 0, sealed: Pointer, size: number, sizeHigh: 0,
      additional: Pointer, additionalSize: number, additionalSizeHigh: 0, nonce: Pointer, key: Pointer,
    ): number;
    _crypto_hash_sha256(out: Pointer, data: Pointer, size: number, sizeHigh: 0): number;
    _crypto_auth_hmacsha256(out: Pointer, data: Pointer, size: number, sizeHigh: 0, key: Pointer): number;
    _crypto_kdf_hkdf_sha256_extract(out: Pointer, salt: Pointer, saltSize: number, key: Pointer, keySize: number): number;
    _crypto_kdf_hkdf_sha256_expand(out: Pointer, outSize: number, info: Pointer, infoSize: number, key: Pointer): number;
    _crypto_scalarmult(out: Pointer, scalar: Pointer, point: Pointer): number;
    _crypto_scalarmult_base(out: Pointer, scalar: Pointer): number;
    _crypto_sign_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number;
    _crypto_sign_detached(
      signature: Pointer, signatureSize: Pointer, data: Pointer, size: number, sizeHigh: 0, secretKey: Pointer,
    ): number;
    _crypto_sign_verify_detached(signature: Pointer, data: Pointer, size: number, sizeHigh: 0, publicKey: Pointer): number;
    _crypto_core_ed25519_is_valid_point(point: Pointer): number;
    _crypto_pwhash_scryptsalsa208sha256_ll(
      passphrase: Pointer, passphraseSize: number, salt: Pointer, saltSize: number,
      rounds: number, roundsHigh: 0, blockSize: number, parallel: number, out: Pointer, outSize: number,
    ): number;
  }

  export default function load(options: { readonly getRandomValue: () => number }): Promise<LibsodiumModule>;
}

"""Key files that nobody types a passphrase for, such as a worker's: plain keys, for their owner alone."""

from __future__ import annotations

import os
import stat
import uuid
from pathlib import Path
from typing import Final, Literal

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import EncodingError, KeyInvalidError
from relay.crypto.keyrings import Keyring
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer
from relay.decoding import NotDecodable, decode_json
from relay.errors import ConfigurationError

KEY_FILE_MAX_BYTES: Final = 4096
_NOT_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFileUnusable(ConfigurationError):
    """A key file is missing, damaged, or readable by others."""

    code = "key-file-unusable"


class _KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    credential: uuid.UUID
    identity: str
    signer: str


class _SignerFile(msgspec.Struct, frozen=True, kw_only=True):
    """What of a key file an auditor needs: every one has a signer."""

    version: Literal[1] = 1
    signer: str


def save_keyring_file(path: Path, keyring: Keyring, credential_id: uuid.UUID) -> None:
    """Write the keys of a credential to a new file of mode 0600; KeyFileUnusable if it is there already."""
    content = _KeyFile(
        credential=credential_id,
        identity=str(keyring.identity),
        signer=b64u_encode(keyring.signer.seed),
    )
    _write_new(path, content)


def save_signer_file(path: Path, signer: Signer) -> None:
    """Write a key that only signs to a new file of mode 0600; KeyFileUnusable if it is there already."""
    _write_new(path, _SignerFile(signer=b64u_encode(signer.seed)))


def load_keyring_file(path: Path) -> tuple[uuid.UUID, Keyring]:
    """The credential and its keys; KeyFileUnusable for a file that anybody but its owner may touch."""
    raw = _read_closed(path)
    try:
        content = decode_json(raw, _KeyFile)
        return content.credential, Keyring(
            identity=HybridIdentity.parse(content.identity),
            signer=Signer.from_seed(b64u_decode(content.signer)),
        )
    except (NotDecodable, EncodingError, KeyInvalidError):
        raise KeyFileUnusable("not a key file") from None


def load_signer_file(path: Path) -> Signer:
    """The signer in any key file; KeyFileUnusable for a file that anybody but its owner may touch."""
    raw = _read_closed(path)
    try:
        return Signer.from_seed(b64u_decode(decode_json(raw, _SignerFile).signer))
    except (NotDecodable, EncodingError, KeyInvalidError):
        raise KeyFileUnusable("not a key file with a signer") from None


def _write_new(path: Path, content: _KeyFile | _SignerFile) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyFileUnusable(error.strerror) from None
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        file.flush()
        os.fsync(descriptor)


def _read_closed(path: Path) -> bytes:
    """A file that is its owner's alone."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & _NOT_FOR_OTHERS:
                raise KeyFileUnusable(f"mode {stat.S_IMODE(status.st_mode):04o}, not 0600")
            return file.read(KEY_FILE_MAX_BYTES)
    except OSError as error:
        raise KeyFileUnusable(error.strerror) from None

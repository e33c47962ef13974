"""The charters that a reader has seen: what relay says later must extend them."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Final

from relay.crypto import chain
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.fields import Digest
from relay.crypto.verified import VerifiedCharter
from relay.decoding import NotDecodable, decode_json
from relay.errors import ConfigurationError

_NEW_FILE_MODE: Final = 0o600


class SeenFileUnusable(ConfigurationError):
    """The file of charters seen so far cannot be read."""

    code = "seen-file-unusable"


class SeenCharters:
    """Remembers the hash of every charter version, in memory or in a file that outlives the process."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: a JSON file, made where it is missing; SeenFileUnusable where it holds something else."""
        self._path = path
        self._seen: dict[uuid.UUID, dict[int, bytes]] = {}
        if path is not None and path.exists():
            self._seen = _read(path)

    def require(self, charter: VerifiedCharter) -> None:
        """Require a charter that extends every version seen before; ChainError otherwise."""
        known = self._seen.get(charter.case, {})
        chain.check_seen(charter, known)
        current = {term.version: term.statement_hash for term in charter.terms}
        if current != known:
            self._seen[charter.case] = current
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        content = {
            str(case): {str(version): b64u_encode(digest) for version, digest in versions.items()}
            for case, versions in self._seen.items()
        }
        partial = self._path.with_name(f".{self._path.name}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _NEW_FILE_MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(descriptor)
        partial.replace(self._path)


def _read(path: Path) -> dict[uuid.UUID, dict[int, bytes]]:
    try:
        said = decode_json(path.read_bytes(), dict[uuid.UUID, dict[int, Digest]])
    except (OSError, NotDecodable):
        raise SeenFileUnusable(path.name) from None
    return {
        case: {version: b64u_decode(digest) for version, digest in versions.items()}
        for case, versions in said.items()
    }

"""What a relay in wrong hands might answer: the real answer with something in it that nobody vouched for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer
from tests.support.browser.wire import Alter

_FALSE: Final = Signer.generate()


def _changed(change: Callable[[Any], None]) -> Alter:
    def alter(answer: bytes) -> bytes:
        said = json.loads(answer)
        change(said)
        return json.dumps(said).encode()

    return alter


def _another_root(said: dict[str, Any]) -> None:
    trust = said.get("trust", said)
    trust["roots"] = [b64u_encode(_FALSE.public_key)]
    for pair in trust["credentials"]:
        credential = statements.decode_unverified(pair["credential"], statements.Credential)
        pair["credential"] = statements.sign(_FALSE, credential)


def _another_key_for_the_case(said: dict[str, Any]) -> None:
    charter = statements.decode_unverified(said["trust"]["charters"][-1], statements.Charter)
    own = msgspec.structs.replace(charter, recipient=str(HybridIdentity.generate().recipient))
    said["trust"]["charters"][-1] = statements.sign(_FALSE, own)


def _a_changed_statement(said: dict[str, Any]) -> None:
    said["statement"] = _flipped(said["statement"])


def _another_relay(said: dict[str, Any]) -> None:
    said["audience"] = "https://relay.elsewhere.example"


def _changed_statements(said: dict[str, Any]) -> None:
    said["statements"] = [_flipped(statement) for statement in said["statements"]]


def _flipped(compact: str) -> str:
    # A character in the middle of the signature: its last one has bits that do not count.
    at = len(compact) - 20
    return compact[:at] + ("A" if compact[at] != "A" else "B") + compact[at + 1 :]


ARRIVAL: Final[dict[str, Alter]] = {
    "another root": _changed(_another_root),
    "another key for the case": _changed(_another_key_for_the_case),
    "a changed link": _changed(_a_changed_statement),
    "another relay": _changed(_another_relay),
}
"""Answers to somebody who opens a link."""

CREDENTIALS: Final = _changed(_another_root)
"""The answer to a mediator who asks whom the organization vouches for."""


LETTER: Final = _changed(_a_changed_statement)
"""The answer to somebody who reads a letter of their own."""

OPENING: Final = _changed(_changed_statements)
"""The answer to somebody who opens what was released."""

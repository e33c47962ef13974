"""Addresses of routes, for tests that walk over all of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from relay.crypto.encoding import b64u_encode

_OTHERS: Final = {
    "asset": "participant.js",
    "commitment": b64u_encode(bytes(32)),
    "logo": "none.svg",
    "receiver": "case-system",
    "revision": "1",
}
"""What is in a path beside identifiers."""


def filled(path: str, known: Mapping[str, object] | None = None) -> str:
    """An address of a route: with what is known, else with what nothing is called by."""
    found = {**_OTHERS, **(known or {})}
    return re.sub(r"\{(\w+)\}", lambda name: str(found.get(name[1], uuid.uuid4())), path)

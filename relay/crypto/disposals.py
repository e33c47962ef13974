"""Certificates of disposal: how anybody verifies that what was written in a case is destroyed."""

from __future__ import annotations

import uuid

from relay.crypto.errors import ChainError
from relay.crypto.statements import Disposal
from relay.crypto.trust import Trust, verify_by


def verify_disposal(trust: Trust, compact: str, case: uuid.UUID | None = None) -> Disposal:
    """A certificate, of this case where one is named; ChainError unless a media worker could sign it then.

    Any media worker of the organization may: a case is disposed of though its charter lists none, or none
    that is left. What it says is the worker's word.
    """
    said, _worker = verify_by(compact, Disposal, trust.of_role("media"))
    if case is not None and said.case != case:
        raise ChainError("a certificate of another case")
    return said

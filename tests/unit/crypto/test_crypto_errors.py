"""Crypto failures: told apart inside, all alike outside."""

from __future__ import annotations

import inspect

import pytest

from relay.crypto import errors
from relay.errors import CryptoError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, CryptoError) and kind is not CryptoError
]


def test_there_are_kinds() -> None:
    """The room tells a dozen failures apart, for the log."""
    assert len(KINDS) == 12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_failure_looks_the_same_from_outside(kind: type[CryptoError], language: str) -> None:
    """Code and sentence do not tell which check failed."""
    assert kind.code == "crypto"
    assert kind("detail").sentence(language) == CryptoError.sentence(language)

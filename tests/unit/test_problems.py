"""What people are told about an error: each code has its entry in `relay/problems.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import relay
from relay.errors import RelayError, sentences


def _errors(kind: type[RelayError]) -> Iterator[type[RelayError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


def _codes() -> list[str]:
    """Of every error of the package that has a code of its own."""
    for module in walk_packages(relay.__path__, "relay."):
        if not module.name.endswith("__main__") and ".inside." not in module.name:
            import_module(module.name)
    ours = {kind for kind in _errors(RelayError) if kind.__module__.startswith("relay.")}
    return [kind.code for kind in ours if "code" in vars(kind)]


def test_every_code_has_its_sentences_and_is_of_one_error() -> None:
    """No error goes without an entry, no entry is left over, and no two errors share a code."""
    assert sorted(_codes()) == sorted(sentences())


@pytest.mark.parametrize("code", sorted(sentences()))
def test_both_languages_are_whole_sentences(code: str) -> None:
    """English and French, each begun and ended as a sentence is, and not one in place of the other."""
    entry = sentences()[code]
    assert sorted(entry) == ["en", "fr"]
    assert entry["en"] != entry["fr"]
    for sentence in entry.values():
        assert "  " not in sentence
        assert sentence[0].isupper() or sentence.startswith("relay ")
        assert sentence.endswith(".")

"""Passphrases: the one form of what somebody typed, and the least that a new one must have."""

from __future__ import annotations

import unicodedata
from typing import Final

from relay.errors import RelayError

LEAST_CHARACTERS: Final = 12
LEAST_DIFFERENT: Final = 6
LINK_RUN: Final = 12
"""So many letters and digits in a row that are also in the link make a passphrase a copy of it."""


class WeakPassphrase(RelayError):
    """A passphrase that is too easy to guess."""

    code = "weak-passphrase"


class PassphraseShort(WeakPassphrase):
    """A passphrase below the least length."""

    code = "passphrase-short"


class PassphraseRepeats(WeakPassphrase):
    """A passphrase that repeats a few characters."""

    code = "passphrase-repeats"


class PassphraseUniform(WeakPassphrase):
    """A passphrase of too few different characters."""

    code = "passphrase-uniform"


class PassphraseFromLink(WeakPassphrase):
    """A passphrase that is part of the link."""

    code = "passphrase-from-link"


def normal(passphrase: str) -> str:
    """What is stretched: NFKC, so that keyboards agree, without the spaces that they add at the ends."""
    return unicodedata.normalize("NFKC", passphrase).strip(" ")


def find_weakness(passphrase: str, link: str = "") -> type[WeakPassphrase] | None:
    """Why a new passphrase is refused, or None. `link`: the address that it is to guard, if it does."""
    text = normal(passphrase).lower()
    if len(text) < LEAST_CHARACTERS:
        return PassphraseShort
    if _repeats(text):
        return PassphraseRepeats
    if len(set(text)) < LEAST_DIFFERENT:
        return PassphraseUniform
    return PassphraseFromLink if _shares_a_run(text, normal(link).lower()) else None


def check_new_passphrase(passphrase: str, link: str = "") -> None:
    """Raises the WeakPassphrase that find_weakness finds."""
    weakness = find_weakness(passphrase, link)
    if weakness is not None:
        raise weakness


def _repeats(text: str) -> bool:
    """Whether it is one piece over and over, the last time perhaps not whole."""
    return any(text[period:] == text[:-period] for period in range(1, len(text) // 2 + 1))


def _shares_a_run(text: str, link: str) -> bool:
    words, address = ("".join(sign for sign in of if sign.isalnum()) for of in (text, link))
    return any(words[at : at + LINK_RUN] in address for at in range(len(words) - LINK_RUN + 1))

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
    """This passphrase is too easy to guess. Choose another one: four words that do not belong together."""

    code = "weak-passphrase"
    french = (
        "Cette phrase secrète est trop facile à deviner. "
        "Choisissez-en une autre, par exemple quatre mots sans lien entre eux."
    )


class PassphraseShort(WeakPassphrase):
    """This passphrase is too short. Use at least 12 characters; four words are good."""

    code = "passphrase-short"
    french = (
        "Cette phrase secrète est trop courte. "
        "Utilisez au moins 12 caractères; quatre mots conviennent bien."
    )


class PassphraseRepeats(WeakPassphrase):
    """This passphrase repeats the same few characters. Choose different words."""

    code = "passphrase-repeats"
    french = (
        "Cette phrase secrète répète toujours les mêmes caractères. Choisissez des mots différents."
    )


class PassphraseUniform(WeakPassphrase):
    """This passphrase has too few different characters. Use at least 6 different ones."""

    code = "passphrase-uniform"
    french = (
        "Cette phrase secrète a trop peu de caractères différents. "
        "Utilisez-en au moins 6 différents."
    )


class PassphraseFromLink(WeakPassphrase):
    """This passphrase is part of the link, and whoever finds the link would have both. Choose other words."""

    code = "passphrase-from-link"
    french = (
        "Cette phrase secrète fait partie du lien; qui trouverait le lien aurait les deux. "
        "Choisissez d'autres mots."
    )


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

"""Words for people to read, say and type: the short code of a claim, and passphrases to choose from.

The lists are part of the protocol: a word's place in its list is its value, so a list never changes.
Each has 1024 words, 10 bits a word, with no accents; no two share their first four letters.
"""

from __future__ import annotations

import functools
import secrets
from importlib import resources
from typing import Final, Literal, TypeAlias

from relay.crypto.passphrases import find_weakness

WordLanguage: TypeAlias = Literal["en", "fr"]

BITS_PER_WORD: Final = 10
CLAIM_WORDS: Final = 4
SUGGESTED_WORDS: Final = 4
"""40 bits: enough where relay counts the tries. What can be guessed offline needs more words."""


@functools.cache
def word_list(language: WordLanguage) -> tuple[str, ...]:
    """The 1024 words of a language, in their order."""
    folder = resources.files("relay.crypto").joinpath("wordlists")
    return tuple(folder.joinpath(f"{language}.txt").read_text("ascii").split())


def claim_words(claim_hash: bytes, language: WordLanguage) -> tuple[str, str, str, str]:
    """Four words for a claim: the first 40 bits of its statement's hash, big endian, 10 bits a word."""
    words = word_list(language)
    number = int.from_bytes(claim_hash[: CLAIM_WORDS * BITS_PER_WORD // 8], "big")
    first, second, third, fourth = (
        words[number >> BITS_PER_WORD * place & (1 << BITS_PER_WORD) - 1]
        for place in reversed(range(CLAIM_WORDS))
    )
    return first, second, third, fourth


def suggest_passphrase(language: WordLanguage, words: int = SUGGESTED_WORDS) -> str:
    """Words that the system's random source chose, 10 bits each, with a space between them.

    What the floor would refuse, such as one word four times, is drawn again.
    """
    while True:
        drawn = " ".join(secrets.choice(word_list(language)) for _ in range(words))
        if find_weakness(drawn) is None:
            return drawn

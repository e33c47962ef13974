"""Words for people to read, say and type: the short code of a claim, and passphrases to choose from.

The lists are part of the protocol: a word's place in its list is its value, so a list never changes.
Each has 1024 words, 10 bits a word, with no accents; no two share their first four letters.
"""

from __future__ import annotations

import functools
import secrets
from importlib import resources
from typing import Final, Literal, TypeAlias

from relay.crypto.encoding import b64u_encode
from relay.crypto.passphrases import find_weakness
from relay.crypto.scrypt import stretch

WordLanguage: TypeAlias = Literal["en", "fr"]

BITS_PER_WORD: Final = 10
CLAIM_WORDS: Final = 4
CLAIM_WORK_FACTOR_LOG2: Final = 15
"""What each try costs somebody who looks for a second claim of the same words: 32 MiB of scrypt."""
CODE_BYTES: Final = CLAIM_WORDS * BITS_PER_WORD // 8
SUGGESTED_WORDS: Final = 4
"""40 bits: enough where relay counts the tries. What can be guessed offline needs more words."""
_LABEL: Final = b"relay/v1/claim-words"


@functools.cache
def word_list(language: WordLanguage) -> tuple[str, ...]:
    """The 1024 words of a language, in their order."""
    folder = resources.files("relay.crypto").joinpath("wordlists")
    return tuple(folder.joinpath(f"{language}.txt").read_text("ascii").split())


def claim_words(claim_hash: bytes, language: WordLanguage) -> tuple[str, str, str, str]:
    """Four words for a claim: 40 bits of scrypt over its statement's hash (32 bytes)."""
    return spell(_claim_code(claim_hash), language)


@functools.lru_cache(maxsize=64)
def _claim_code(claim_hash: bytes) -> bytes:
    return stretch(b64u_encode(claim_hash), _LABEL, CLAIM_WORK_FACTOR_LOG2, CODE_BYTES)


def spell(code: bytes, language: WordLanguage) -> tuple[str, str, str, str]:
    """The words of a code of 5 bytes: big endian, 10 bits a word."""
    words = word_list(language)
    number = int.from_bytes(code, "big")
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

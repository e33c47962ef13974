"""The sentences of the pages, from their catalogues: a test names one, in either language, by its key."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import TypeAlias

from tests.support.node import node

Sentences: TypeAlias = "str | dict[str, Sentences]"


@functools.cache
def catalogues() -> dict[str, dict[str, Sentences]]:
    """Every catalogue of the pages, in both languages."""
    script = Path(__file__).with_name("words.mjs")
    printed = subprocess.run([node(), script], check=True, capture_output=True).stdout
    found: dict[str, dict[str, Sentences]] = json.loads(printed)
    return found


class Words:
    """The catalogue of one area in one language: `words("arrive.title")`."""

    def __init__(self, area: str, language: str) -> None:
        self._sentences = catalogues()[area][language]

    def __call__(self, key: str, *given: object) -> str:
        """The sentence of this key, with what is given in its places."""
        found = self._sentences
        for name in key.split("."):
            assert isinstance(found, dict), key
            found = found[name]
        assert isinstance(found, str), key
        for place, value in enumerate(given):
            found = found.replace(f"{{{place}}}", str(value))
        return found

    def pattern(self, key: str, *given: object) -> re.Pattern[str]:
        """The sentence of this key with anything in its places."""
        return re.compile(self.expression(key, *given))

    def expression(self, key: str, *given: object) -> str:
        """The same as a pattern. A name that Playwright compares has no other space than the plain one."""
        any_space = re.sub(r"\\ |\s", r"\\s", re.escape(self(key, *given)))
        return re.sub(r"\\\{\d\\\}", ".*", any_space)

"""Every sentence in English and in French, from texts.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "fr")


def _read() -> dict[str, dict[str, str]]:
    content = tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))
    return {
        f"{section}.{key}": words
        for section, entries in content.items()
        for key, words in entries.items()
    }


TEXTS: Final = _read()
"""By section and key, then by language."""


def text(key: str, language: str, **values: object) -> str:
    """A sentence with `values` in the places that it has for them; KeyError for one that is not there."""
    return TEXTS[key][language].format(**values)


def preferred(accept_language: str) -> str:
    """The language that a browser asks for, of those that there are; English otherwise."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        name, _, quality = part.strip().partition(";q=")
        language = name.strip().lower().split("-")[0]
        if language in LANGUAGES:
            weight = float(quality) if quality.replace(".", "", 1).isdecimal() else 1.0
            wanted.append((-weight, language))
    return min(wanted, key=lambda one: one[0])[1] if wanted else "en"

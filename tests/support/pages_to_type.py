"""A page of commands: its blocks in order, each with where it belongs, as its own first line says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Final

HEADING: Final = re.compile(r"#{2,4} (?P<title>.+)")
FENCE: Final = re.compile(r"(?P<fence>```+)(?P<language>.*)")
PLACES: Final = ("Server", "Key holder", "Case system", "Mediator")
"""Who types, as the first line of a block of commands has it."""
FILE: Final = re.compile(r"[\w/-]+\.[\w.]+|/[\w./-]+")
FILE_LANGUAGES: Final = ("ini", "toml", "python")


class UnknownBlock(Exception):
    """A block of which its first line does not say where it belongs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Commands that somebody types, or the content of a file."""

    section: str
    line: int
    """Of the page, where it begins."""
    where: str
    """One of PLACES, or the path of a file."""
    text: str

    @property
    def is_file(self) -> bool:
        """Whether it is the content of a file."""
        return self.where not in PLACES


def read_blocks(page: Path) -> list[Block]:
    """Every fenced block of a page; UnknownBlock for one that is neither commands nor a file."""
    blocks = []
    section, opened = "", None
    content: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if opened is None and (heading := HEADING.fullmatch(line)):
            section = heading["title"]
        fence = FENCE.fullmatch(line)
        if opened is None and fence:
            opened, content = (number, fence["fence"], fence["language"]), []
        elif opened is not None and line == opened[1]:
            blocks.append(_block(section, opened[0], opened[2], content))
            opened = None
        elif opened is not None:
            content.append(line)
    if opened is not None:
        raise UnknownBlock(f"line {opened[0]}: it does not end")
    return blocks


def _block(section: str, line: int, language: str, content: list[str]) -> Block:
    label = content[0].removeprefix("# ") if content and content[0].startswith("# ") else ""
    is_file = language in FILE_LANGUAGES and FILE.fullmatch(label)
    if not is_file and not (language == "sh" and label in PLACES):
        raise UnknownBlock(f"line {line}: {language!r}, {label!r}")
    return Block(section=section, line=line, where=label, text="\n".join(content[1:]) + "\n")

"""What a release says of its pages: their hashes, as the text of a signed note."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Final, Self

from relay.crypto.notes import NoteUnusable

_FIRST: Final = re.compile(r"relay pages (?P<version>[0-9A-Za-z.+-]{1,40})")
_LINE: Final = re.compile(
    r"(?P<hash>sha384-[A-Za-z0-9+/]{64}) (?P<name>(?:assets/)?[A-Za-z0-9_\-]+(?:\.[a-z0-9]+)+)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """The version of a relay, and the SHA-384 of each of its files by name, without compressed copies."""

    version: str
    hashes: Mapping[str, str]

    @property
    def text(self) -> str:
        """One line with the version, and one for each file in the order of their names."""
        lines = [f"{self.hashes[name]} {name}\n" for name in sorted(self.hashes)]
        return "".join([f"relay pages {self.version}\n", *lines])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The release that a text is of; NoteUnusable for any other spelling."""
        first, *lines = text.removesuffix("\n").split("\n")
        began = _FIRST.fullmatch(first)
        if began is None:
            raise NoteUnusable("the note is not of the pages of a release")
        found = dict[str, str]()
        for number, line in enumerate(lines, 2):
            match = _LINE.fullmatch(line)
            if match is None:
                raise NoteUnusable(f"line {number} of the note is not a hash and a name")
            found[match["name"]] = match["hash"]
        release = cls(began["version"], found)
        if not found or release.text != text:
            raise NoteUnusable("the lines of the note are not each file once, in order")
        return release

"""Text of people as it is shown: the same to the mediator who reviews it and to anyone who reads it later.

Some characters are not seen and still change what is: they turn the order of the letters after them, end a
line, or hide words. Each is replaced by its name, such as `[U+202E]`, which everybody sees in its place.
"""

from __future__ import annotations

import re
from typing import Final

_LINE_ENDS: Final = re.compile("\r\n?|[\u2028\u2029]")
_FLAG: Final = "\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f"
"""A flag of a region, such as that of Scotland: an emoji that is written with tag characters."""
_MARKED: Final = re.compile(
    f"(?P<flag>{_FLAG})|["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction of writing
    "\ufff9-\ufffb"  # words above other words
    "\U000e0000-\U000e007f"  # letters that nobody sees
    "]"
)


def readable(text: str) -> str:
    """`text` with line feeds for all line ends, and `[U+…]` for every character that hides or turns words."""
    return _MARKED.sub(_named, _LINE_ENDS.sub("\n", text))


def _named(found: re.Match[str]) -> str:
    return found["flag"] or f"[U+{ord(found[0]):04X}]"

"""What must never leave a browser or stay in it, and where to look: the line, the console, every store."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import Frame, Page

from relay.crypto.links import parse_link_url
from relay.testing.searching import needles_of_text

ALWAYS: Final = ("AGE-SECRET-KEY-",)
"""How private keys begin in text."""

_DUMP: Final = Path(__file__).with_name("dump.js").read_text("utf-8").partition("\n")[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """One thing that a browser stores."""

    place: str
    content: bytes


def needles_of(texts: Iterable[str]) -> list[bytes]:
    """Every spelling of these texts, of both alphabets of base64."""
    spelled = [needle for text in texts for needle in needles_of_text(text)]
    url_safe = [needle.replace(b"+", b"-").replace(b"/", b"_") for needle in spelled]
    return list(dict.fromkeys([*spelled, *url_safe, *(text.encode() for text in ALWAYS)]))


def needles_of_link(url: str) -> list[bytes]:
    """The secret of a link, raw and in text, and its whole fragment."""
    link = parse_link_url(url)
    secret = link.secret.secret
    spelled = [base64.b64encode(secret).rstrip(b"="), base64.urlsafe_b64encode(secret).rstrip(b"=")]
    # The last character of base64 also depends on what is behind: 21 of 22 are certain.
    return [secret, secret.hex().encode(), *(one[:21] for one in spelled)]


async def stored(page: Page | Frame) -> list[Kept]:
    """Everything that the origin of this page stores, and where its history has been."""
    dump: list[list[str]] = await page.evaluate(_DUMP)
    return [Kept(place, base64.b64decode(content)) for place, content in dump]


def found_in(kept: Iterable[Kept], needles: Sequence[bytes]) -> list[str]:
    """The places where a needle is, and every key that could be taken out."""
    wanted = [*needles, b"EXTRACTABLE-KEY"]
    return [
        f"{needle!r} in {one.place}" for one in kept for needle in wanted if needle in one.content
    ]


def as_text(value: object) -> Kept:
    """Something that was said, as something to search."""
    return Kept("said", str(value).encode())

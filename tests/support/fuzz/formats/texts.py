"""Words of people: captions and text that is shown."""

from __future__ import annotations

import random
from typing import Final

from relay.domain.captions import NotCaptions, read_captions, readable_captions, write_captions
from relay.domain.texts import readable
from tests.support.fuzz.mutation import choose, mutate_bytes, mutate_lines
from tests.support.fuzz.reading import attempt
from tests.support.fuzz.target import Target


def _text(given: bytes) -> str | None:
    return attempt(lambda: given.decode("utf-8"), UnicodeDecodeError)


def _captions(given: bytes) -> str | None:
    file = _text(given)
    if file is None:
        return None
    cues = attempt(lambda: read_captions(file), NotCaptions)
    said = attempt(lambda: readable_captions(file), NotCaptions)
    assert cues is not None or said is None
    if cues:
        assert read_captions(write_captions(cues)) == cues
    if said is None:
        return None
    assert readable_captions(said) == said, "reduced once more it is something else"
    assert readable(said) == said
    return said


def _readable(given: bytes) -> str | None:
    text = _text(given)
    if text is None:
        return None
    said = readable(text)
    assert readable(said) == said
    return said


_WORDS: Final = (
    *(
        b"WEBVTT",
        b"NOTE",
        b" --> ",
        b"00:00.000",
        b"99:59:59.999",
        b"9" * 5000 + b":00:00.000",
        b"<v A>",
    ),
    *(
        b"<b>",
        b"&lt;",
        b"&#10;",
        b"&#x2028;",
        b"&#55296;",
        b"&amp;lt;",
        b"\r",
        b"\t",
        b"\xc2\x85",
        b"\x1c",
    ),
    *(b"\xe2\x80\xae", "\U0001f3f4\U000e0067\U000e007f".encode(), b"\xef\xbb\xbf", b"<v &lt;b>"),
    b"<v.loud ",
)


def _cue(given: bytes, chance: random.Random) -> bytes:
    """A line with another word of the format in it."""
    at = chance.randint(0, len(given))
    return given[:at] + chance.choice(_WORDS) + given[at + chance.randint(0, 3) :]


_LINES: Final = choose([mutate_lines(_cue), mutate_lines(mutate_bytes)])

TARGETS: Final = (
    Target(
        name="captions",
        reads=(
            "relay.domain.captions.read_captions",
            "relay.domain.captions.readable_captions",
        ),
        check=_captions,
        mutate=_LINES,
        largest=32_768,
        in_browser=True,
    ),
    Target(
        name="texts",
        reads=("relay.domain.texts.readable",),
        check=_readable,
        mutate=choose([mutate_bytes, _cue]),
        in_browser=True,
    ),
)

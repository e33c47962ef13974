"""Text and captions are shown alike to anyone who reviews them and to anyone who reads them."""

from __future__ import annotations

import json
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto.encoding import b64u_decode
from relay.domain.captions import NotCaptions, read_captions, readable_captions, write_captions
from relay.domain.texts import readable
from tests.vectors.generate import FOLDER

VECTORS = json.loads((FOLDER / "texts.json").read_text("utf-8"))
SECONDS = 20
"""Far more than it takes; far less than work that grows with the square of the size."""
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of characters that turn the order of others."""


def _text(value: str) -> str:
    return b64u_decode(value).decode()


@pytest.mark.parametrize("vector", VECTORS["plain"], ids=lambda vector: vector["what"])
def test_text_is_shown_as_the_vectors_say(vector: dict[str, str]) -> None:
    """The pages are held to the same file."""
    assert readable(_text(vector["text"])) == _text(vector["shown"])


@pytest.mark.parametrize("vector", VECTORS["captions"], ids=lambda vector: vector["what"])
def test_captions_are_shown_as_the_vectors_say(vector: dict[str, str | None]) -> None:
    """Or refused, where they are none."""
    file = readable(_text(vector["file"] or ""))
    if vector["shown"] is None:
        with pytest.raises(NotCaptions):
            readable_captions(file)
    else:
        assert readable_captions(file) == _text(vector["shown"])


@given(st.text())
def test_nothing_that_hides_or_turns_words_is_left(text: str) -> None:
    """Whatever was written: no control but tab and line feed, and no character that turns others."""
    shown = readable(text)
    assert readable(shown) == shown
    for character in shown:
        assert unicodedata.category(character) != "Cc" or character in "\t\n"
        assert unicodedata.bidirectional(character) not in TURNING
        assert character not in "\u200e\u200f\u061c"


@given(st.text())
def test_what_is_no_captions_file_is_refused_and_never_breaks(text: str) -> None:
    """Whatever comes after the first line, it is read or refused; and what is read is read again alike."""
    try:
        shown = readable_captions(readable(f"WEBVTT\n\n{text}"))
    except NotCaptions:
        return
    assert readable_captions(shown) == shown
    assert write_captions(read_captions(shown)) == shown


@given(st.text(alphabet="<>&v; ab#x20E2/\n\u202e", max_size=40))
def test_a_cue_says_the_same_however_often_it_is_read(words: str) -> None:
    """Markup and references are resolved once: nothing that was text becomes markup afterwards."""
    try:
        shown = readable_captions(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{words}\n")
    except NotCaptions:
        return
    assert readable_captions(shown) == shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("00:01.000 --> 00:02.000\nHi", [1]),
        ("WEBVTT\n\nHi there", [3]),
        ("WEBVTT\n\n00:02.000 --> 00:01.000\nHi\n\n00:00.000 --> 00:03.000\nHi", [3, 6]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\na --> b", [4]),
    ],
)
def test_mistakes_are_named_by_their_lines(file: str, lines: list[int]) -> None:
    """So that anyone who wrote them finds them."""
    with pytest.raises(NotCaptions) as refused:
        read_captions(file)
    assert refused.value.lines == lines


def test_a_long_file_is_read_in_no_time() -> None:
    """A hostile file is bounded by its size alone: the work grows with it, and no faster."""
    timed = "WEBVTT\n\n00:01.000 --> 00:02.000\n"
    began = time.process_time()
    for filling in ("<", "&#", "<v ", " ", "\U0001f3f4\U000e0067", f"\n\n{timed[8:]}a"):
        file = readable(timed + "a" + filling * (200_000 // len(filling)))
        assert readable_captions(file)
    assert time.process_time() - began < SECONDS

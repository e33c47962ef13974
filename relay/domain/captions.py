"""Captions (WebVTT): read strictly, and reduced to the words and times that everybody is shown alike."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from relay.domain.texts import readable

_ARROW: Final = "-->"
_HEADER: Final = re.compile(r"WEBVTT(?:[ \t]|$)")
_NOT_A_CUE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)")
_TIME: Final = re.compile(r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})", re.ASCII)
_SPEAKER: Final = re.compile(r"<v(?:\.[^ >]*)? ([^>]+)>")
_TAG: Final = re.compile(r"<[^<>]*>")
_REFERENCE: Final = re.compile(
    r"&(?:(amp|lt|gt|nbsp|lrm|rlm)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));", re.ASCII
)
_NAMED: Final = {
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "nbsp": "\u00a0",
    "lrm": "\u200e",
    "rlm": "\u200f",
}
_HIGHEST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_UNKNOWN: Final = "\ufffd"
_SPACES: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What a browser trims."""


class NotCaptions(ValueError):
    """A text is no captions file; `lines` names those that are wrong, from 1."""

    def __init__(self, lines: list[int]) -> None:
        """No lines: there is nothing wrong with any of them, and nothing in them."""
        self.lines = lines
        super().__init__(f"no captions: lines {lines}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One caption: from when to when, in milliseconds, and its lines."""

    start: int
    end: int
    text: str


def read_captions(file: str) -> list[Cue]:
    """The cues of a file; NotCaptions, with the numbers of all wrong lines, where it has a mistake.

    Notes, styles and positions are passed over: not every player shows them.
    """
    lines = re.sub("\r\n?", "\n", file.removeprefix("\ufeff")).split("\n")
    if _HEADER.match(lines[0]) is None:
        raise NotCaptions([1])
    cues: list[Cue] = []
    mistakes: list[int] = []
    latest = 0
    for first, block in _blocks(lines):
        if _NOT_A_CUE.match(block[0]) is not None:
            continue
        timing_at = 0 if _ARROW in block[0] else 1  # a name may be above the times
        line = min(first + timing_at, first + len(block) - 1) + 1
        times = _timing(block[timing_at]) if timing_at < len(block) else None
        if times is None:
            mistakes.append(line)
            continue
        cue = Cue(start=times[0], end=times[1], text="\n".join(block[timing_at + 1 :]))
        if cue.end <= cue.start or cue.start < latest or _is_blank(cue.text):
            mistakes.append(line)
        elif _ARROW in cue.text:
            mistakes.append(line + 1)
        cues.append(cue)
        latest = max(latest, cue.start)
    if mistakes:
        raise NotCaptions(mistakes)
    return cues


def write_captions(cues: list[Cue]) -> str:
    """The file of these cues."""
    blocks = [f"{_clock(cue.start)} {_ARROW} {_clock(cue.end)}\n{cue.text}\n" for cue in cues]
    return "\n".join(["WEBVTT\n", *blocks])


def readable_captions(file: str) -> str:
    """A captions file with nothing but its words, times and speakers; NotCaptions where it has none.

    Markup goes, and character references become what they stand for, so that a player, a transcript and a
    reviewer all show the same words; `readable` is held to what comes of it.
    """
    cues = [dataclasses.replace(cue, text=_readable_cue(cue.text)) for cue in read_captions(file)]
    spoken = [cue for cue in cues if not _is_blank(_TAG.sub("", cue.text))]
    if not spoken:
        raise NotCaptions([])
    return write_captions(spoken)


def _readable_cue(text: str) -> str:
    said = _SPEAKER.match(text)
    speaker = "" if said is None else _escaped(_plain(said[1]).strip(_SPACES))
    lines = [line.strip(_SPACES) for line in _plain(_TAG.sub("", text)).split("\n")]
    words = _escaped("\n".join(line for line in lines if not _is_blank(line)))
    return words if speaker == "" else f"<v {speaker}>{words}"


def _plain(text: str) -> str:
    return readable(_REFERENCE.sub(_referred, text))


def _referred(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name is not None:
        return _NAMED[name]
    number = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if number > _HIGHEST or number in _SURROGATES:
        return _UNKNOWN
    # A line that a reference begins would end the cue where it is written back.
    return " " if chr(number) in "\t\n\r\u2028\u2029" else chr(number)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_blank(text: str) -> bool:
    return text.strip(_SPACES) == ""


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """The blocks after the first one, which holds the header, each with the place of its first line."""
    blocks: list[tuple[int, list[str]]] = []
    fresh = True
    for at, line in enumerate(lines):
        if line and fresh:
            blocks.append((at, []))
        if line:
            blocks[-1][1].append(line)
        fresh = not line
    return blocks[1:]


def _timing(line: str) -> tuple[int, int] | None:
    sides = line.split(_ARROW)
    if len(sides) != 2:  # noqa: PLR2004 - one arrow has two sides
        return None
    start = _milliseconds(sides[0].strip(_SPACES))
    end = _milliseconds(re.split(r"[ \t]", sides[1].strip(_SPACES))[0])
    return None if start is None or end is None else (start, end)


def _milliseconds(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds, rest = (int(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours:02}:" if hours else ""
    return f"{ahead}{minutes:02}:{seconds:02}.{rest:03}"

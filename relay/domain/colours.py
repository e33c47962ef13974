"""The colours of the pages, and whether a programme's own can be read: WCAG 2.2, contrast of level AA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

TEXT: Final = 4.5
"""The least contrast of text, success criterion 1.4.3."""
MARK: Final = 3.0
"""The least contrast of what shows where the focus is, success criterion 1.4.11."""

SCHEMES: Final = ("light", "dark")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_LINEAR_BELOW: Final = 0.04045


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """A programme's colours where a device is light, or where it is dark; each as `#rrggbb`."""

    accent: str
    """Links, buttons, and what is marked."""
    accent_ink: str
    """Text on `accent`."""
    accent_wash: str
    """Behind notes."""
    focus: str
    """Around what has the focus."""


class Colours(msgspec.Struct, frozen=True, kw_only=True):
    """A programme's colours, by what a device asks for."""

    light: Scheme
    dark: Scheme


CHOSEN: Final = Scheme.__struct_fields__
"""What a programme may choose. Paper, ink, and what says that something is wrong or went well, stay."""

PAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "light": {
        "paper": "#fbfaf7",
        "sheet": "#ffffff",
        "ink": "#1d2329",
        "soft": "#4a545e",
        "accent": "#0b5a6e",
        "accent_ink": "#ffffff",
        "accent_wash": "#e5f0f3",
        "warn": "#8a2c0d",
        "warn_wash": "#fbeee8",
        "good": "#1d5f36",
        "good_wash": "#e8f3ec",
        "focus": "#b25d00",
    },
    "dark": {
        "paper": "#14181c",
        "sheet": "#1c2227",
        "ink": "#eceff1",
        "soft": "#b9c2ca",
        "accent": "#7cc7da",
        "accent_ink": "#0b1a1f",
        "accent_wash": "#17323a",
        "warn": "#ffb59b",
        "warn_wash": "#3a1f15",
        "good": "#93d7ab",
        "good_wash": "#16301f",
        "focus": "#ffb454",
    },
}
"""Those of web/src/style/relay.css, which a test compares."""


class Pair(NamedTuple):
    """Two colours that the pages put on one another."""

    over: str
    under: str
    least: float
    where: str


PAIRS: Final = (
    Pair("ink", "paper", TEXT, "text"),
    Pair("ink", "sheet", TEXT, "text in a box"),
    Pair("ink", "accent_wash", TEXT, "text in a note"),
    Pair("ink", "warn_wash", TEXT, "text in a warning"),
    Pair("ink", "good_wash", TEXT, "text in good news"),
    Pair("soft", "paper", TEXT, "smaller text"),
    Pair("soft", "sheet", TEXT, "smaller text in a box"),
    Pair("soft", "accent_wash", TEXT, "smaller text in a note"),
    Pair("accent", "paper", TEXT, "links"),
    Pair("accent", "sheet", TEXT, "buttons, and links in a box"),
    Pair("accent", "accent_wash", TEXT, "links in a note, and a pressed button"),
    Pair("accent", "warn_wash", TEXT, "links in a warning"),
    Pair("accent", "good_wash", TEXT, "links in good news"),
    Pair("accent_ink", "accent", TEXT, "the text of the main button"),
    Pair("warn", "paper", TEXT, "what is wrong"),
    Pair("warn", "sheet", TEXT, "what is wrong, in a box"),
    Pair("warn", "accent_wash", TEXT, "what is wrong, in a note"),
    Pair("warn", "warn_wash", TEXT, "what is taken out of a letter"),
    Pair("good", "sheet", TEXT, "what went well"),
    Pair("good", "good_wash", TEXT, "what is put into a letter"),
    Pair("focus", "paper", MARK, "the frame around what has the focus"),
    Pair("focus", "sheet", MARK, "that frame in a box"),
    Pair("focus", "accent_wash", MARK, "that frame in a note"),
    Pair("focus", "warn_wash", MARK, "that frame in a warning"),
    Pair("focus", "good_wash", MARK, "that frame in good news"),
)
"""Every pair of these that the pages use."""


def is_colour(text: str) -> bool:
    """Whether it is a colour as a profile writes it: `#` and six of 0-9 a-f, in small letters."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2.2, from 1 to 21; the order does not matter."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def unreadable(scheme: str, chosen: Mapping[str, str]) -> list[tuple[Pair, float]]:
    """The pairs, with their contrast, that are too low with these colours in place of the pages' own."""
    colours = {**PAGES[scheme], **chosen}
    found = ((pair, contrast(colours[pair.over], colours[pair.under])) for pair in PAIRS)
    return [(pair, ratio) for pair, ratio in found if ratio < pair.least]


def _luminance(colour: str) -> float:
    """Relative luminance, from 0 to 1."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= _LINEAR_BELOW else float(((value + 0.055) / 1.055) ** 2.4)

"""Files of profiles: whole ones, and logos, for tests to change."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30">'
    '<defs><linearGradient id="a"><stop offset="0" stop-color="#036"/></linearGradient></defs>'
    '<path d="M0 0h90v30H0z" fill="url(#a)" style="stroke:#000;stroke-width:2px"/></svg>'
)
HARBOUR: Final[dict[str, Any]] = {
    "name": {"en": "Harbour Programme", "fr": "Programme du Port"},
    "review_time": {"en": "It takes a week.", "fr": "Cela prend une semaine."},
    "contact": {
        "phone": "+1 (613) 555-0100",
        "email": "office@harbour.example",
        "address": {"en": "1 Quay Street\nOttawa", "fr": "1, rue du Quai\nOttawa"},
        "hours": {"en": "Monday to Friday, 9 to 5", "fr": "Du lundi au vendredi, de 9 h à 17 h"},
    },
    "crisis_line": [
        {
            "name": {"en": "Night line", "fr": "Ligne de nuit"},
            "number": "555-0199",
            "note": {"en": "Ask for Robin.", "fr": "Demandez Robin."},
            "hours": {"en": "At night.", "fr": "La nuit."},
        }
    ],
    "colours": {
        "light": {
            "accent": "#6a1b6e",
            "accent_ink": "#fffffe",
            "accent_wash": "#f5e8f6",
            "focus": "#a05000",
        },
        "dark": {
            "accent": "#e3a6e8",
            "accent_ink": "#1f0b20",
            "accent_wash": "#331735",
            "focus": "#ffb455",
        },
    },
}
"""A whole profile, without a logo, that has nothing of relay's own."""


def changed(path: str, value: object, profile: Mapping[str, Any] = HARBOUR) -> dict[str, Any]:
    """The profile with another value at `contact.hours.en` or the like; None takes it out."""
    found = copy.deepcopy(dict(profile))
    *way, last = path.split(".")
    place: dict[str, Any] | list[Any] = found
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if isinstance(place, list):
        raise TypeError(f"{path} ends in a list")
    if value is None:
        del place[last]
    else:
        place[last] = value
    return found


def written(profile: Mapping[str, Any]) -> str:
    """The profile as TOML."""
    return "\n".join(f"{name} = {_value(value)}" for name, value in profile.items()) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {_value(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def write_profile(
    folder: Path, profile: Mapping[str, Any] = HARBOUR, *, logo: bytes | None = None
) -> Path:
    """The file in a folder, with a logo beside it."""
    named = profile
    if logo is not None:
        named = {**profile, "logo": "logo.svg" if logo.lstrip().startswith(b"<") else "logo.png"}
        (folder / named["logo"]).write_bytes(logo)
    file = folder / "profile.toml"
    file.write_text(written(named), "utf-8")
    return file


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a PNG, with its length and checksum."""
    checksum = zlib.crc32(name + data)
    return len(data).to_bytes(4, "big") + name + data + checksum.to_bytes(4, "big")


def png(
    width: int = 3, height: int = 2, *, pixels: bytes | None = None, extra: bytes = b""
) -> bytes:
    """A PNG in 8 bits of RGBA; `extra` are further parts before the picture."""
    rows = b"".join(b"\0" + b"\x20\x60\x90\xff" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    picture = zlib.compress(rows if pixels is None else pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", picture)
        + chunk(b"IEND", b"")
    )

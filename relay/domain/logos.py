"""A programme's logo: what an SVG or a PNG may hold, so that it draws a picture and does nothing else."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final, Literal
from xml.parsers import expat

import msgspec

LOGO_MAX_BYTES: Final = 32 * 1024
PNG_MAX_PIXELS: Final = 1024
"""Of each side."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"pHYs",
}
_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By the colour type."""
_ROW_EXTRA: Final = 8
"""More than the filter bytes of one row, in each pass of an interlaced picture."""

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_DRAWS: Final = frozenset(
    {
        *(
            "svg",
            "g",
            "defs",
            "title",
            "desc",
            "path",
            "rect",
            "circle",
            "ellipse",
            "line",
            "polyline",
        ),
        *("polygon", "linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    }
)
_SAYS: Final = frozenset(
    {
        *("id", "class", "role", "aria-label", "aria-hidden", "focusable", "version", "viewBox"),
        *("preserveAspectRatio", "width", "height", "overflow", "x", "y", "x1", "y1", "x2", "y2"),
        *("cx", "cy", "r", "rx", "ry", "fx", "fy", "d", "points", "pathLength", "transform"),
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap"),
        *("stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset"),
        *("stroke-opacity", "opacity", "color", "display", "visibility", "clip-path", "clip-rule"),
        *("mask", "clipPathUnits", "maskUnits", "maskContentUnits", "gradientTransform"),
        *("gradientUnits", "spreadMethod", "offset", "stop-color", "stop-opacity", "style"),
    }
)
_LINKS: Final = frozenset({"href", f"{_XLINK} href"})
_URL: Final = re.compile(
    r"url\(\s*+(?P<quote>['\"]?+)(?P<to>[^)'\"]{0,200}+)(?P=quote)\s*\)", re.IGNORECASE
)
"""Nothing in it is tried twice: the time is that of the length."""
_WITHIN: Final = re.compile(r"#[A-Za-z_][\w.\-]*")
_VALUE: Final = re.compile(r"[\w\s#.,%()+\-:;/*]*")
"""What a value that draws has beside the parts of its own picture that it names."""
_NOT_DRAWN: Final = frozenset({"aria-label", "class", "id", "role"})


class LogoRefused(ValueError):
    """What is wrong with a logo, and what to do about it, as a sentence."""


class Logo(msgspec.Struct, frozen=True, kw_only=True):
    """A logo that was looked through."""

    content: bytes
    kind: Literal["svg", "png"]
    width: int
    height: int
    """In pixels; of an SVG as its view box says it, which gives the shape and not the size."""


def read_logo(content: bytes) -> Logo:
    """The logo of these bytes; LogoRefused."""
    if len(content) > LOGO_MAX_BYTES:
        raise LogoRefused(
            f"it has {len(content):,} bytes: make it smaller, {LOGO_MAX_BYTES:,} at most"
        )
    if content.startswith(_PNG):
        width, height = _read_png(content)
        return Logo(content=content, kind="png", width=width, height=height)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        width, height = _SvgReader().read(content)
        return Logo(content=content, kind="svg", width=width, height=height)
    raise LogoRefused("it is neither an SVG nor a PNG: save it as one of the two")


def _read_png(content: bytes) -> tuple[int, int]:
    chunks = list(_chunks(content))
    names = [name for name, _data in chunks]
    whole = names[:1] == [b"IHDR"] and names[-1:] == [b"IEND"] and b"IDAT" in names
    if not whole or names.count(b"IHDR") != 1 or names.count(b"IEND") != 1:
        raise LogoRefused("the PNG is not whole: export it again")
    for name in names:
        if name not in _PNG_CHUNKS:
            raise LogoRefused(
                f"the PNG has a part {name.decode('latin-1')!r}, which is not of the picture: export it "
                "without metadata, colour profile and animation"
            )
    header = chunks[0][1]
    if len(header) != struct.calcsize(">IIBBBBB"):
        raise LogoRefused("the PNG is not whole: export it again")
    width, height, depth, colour, *_rest = struct.unpack(">IIBBBBB", header)
    if not (0 < width <= PNG_MAX_PIXELS and 0 < height <= PNG_MAX_PIXELS):
        raise LogoRefused(
            f"the PNG is {width} by {height} pixels: make it {PNG_MAX_PIXELS} by {PNG_MAX_PIXELS} at most"
        )
    if colour not in _PNG_CHANNELS or depth not in {1, 2, 4, 8, 16}:
        raise LogoRefused("the PNG is of no kind that browsers know: export it again")
    row = (width * depth * _PNG_CHANNELS[colour] + 7) // 8 + _ROW_EXTRA
    _require_pixels(b"".join(data for name, data in chunks if name == b"IDAT"), 2 * row * height)
    return width, height


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG, each compared with its checksum."""
    at = len(_PNG)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        end = at + 12 + length
        name, data = content[at + 4 : at + 8], content[at + 8 : end - 4]
        if end > len(content) or zlib.crc32(name + data) != int.from_bytes(
            content[end - 4 : end], "big"
        ):
            raise LogoRefused("the PNG is damaged: export it again")
        yield name, data
        at = end


def _require_pixels(compressed: bytes, most: int) -> None:
    """The picture unpacks, and to no more than it says."""
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(compressed, most)
    except zlib.error:
        raise LogoRefused("the PNG is damaged: export it again") from None
    if not unpacker.eof:
        raise LogoRefused("the PNG unpacks to something else than its picture: export it again")


class _SvgReader:
    """Reads an SVG to its end and keeps nothing of it but its shape."""

    def __init__(self) -> None:
        self._depth = 0
        self._shape: tuple[int, int] | None = None

    def read(self, content: bytes) -> tuple[int, int]:
        parser = expat.ParserCreate("utf-8", " ")
        parser.XmlDeclHandler = self._declaration
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        try:
            content.decode("utf-8")
            parser.Parse(content, True)  # noqa: FBT003
        except (expat.ExpatError, UnicodeDecodeError):
            raise LogoRefused("the SVG is not whole, or not in UTF-8: export it again") from None
        if self._shape is None:
            raise LogoRefused(
                "the SVG has no view box: export it with one, as viewBox='0 0 120 40'"
            )
        return self._shape

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, element = name.rpartition(" ")
        if space != _SVG or element not in _DRAWS:
            raise LogoRefused(
                f"the SVG has a <{element}>, which does more than draw, or cannot be looked through: "
                "export it as plain SVG, text as paths, without pictures, style sheets and scripts"
            )
        if (element == "svg") != (self._depth == 0):
            raise LogoRefused("the SVG has to be one <svg>: export it again")
        self._depth += 1
        for attribute, value in attributes.items():
            self._attribute(element, attribute, value)

    def _attribute(self, element: str, name: str, value: str) -> None:
        if name in _LINKS:
            if _WITHIN.fullmatch(value) is None:
                raise LogoRefused(
                    f"the SVG leads out of itself at <{element}>: export it with everything inside"
                )
            return
        if name == f"{_XML} space":
            return
        if name not in _SAYS:
            shown = name.rpartition(" ")[2]
            raise LogoRefused(
                f"the SVG has {shown!r} at <{element}>, which is not for drawing: export it as plain SVG"
            )
        if name not in _NOT_DRAWN and not _draws(value):
            raise LogoRefused(
                f"the SVG leads out of itself, or to code, in {name!r} at <{element}>: "
                "export it as plain SVG with everything inside"
            )
        if element == "svg" and name == "viewBox":
            self._shape = _shape_of(value)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() != "utf-8":
            raise LogoRefused("the SVG is not in UTF-8: export it again")

    def _doctype(self, *_given: object) -> None:
        raise LogoRefused("the SVG has a DOCTYPE, which may define more: export it without")

    def _instruction(self, *_given: object) -> None:
        raise LogoRefused(
            "the SVG has an instruction (<?…?>), as for a style sheet: export it without"
        )


def _draws(value: str) -> bool:
    """Whether a value names nothing outside of the picture."""
    within = all(_WITHIN.fullmatch(found["to"]) for found in _URL.finditer(value))
    rest = _URL.sub("", value)
    return (
        within
        and _VALUE.fullmatch(rest) is not None
        and "//" not in rest
        and "url" not in rest.lower()
    )


def _shape_of(view_box: str) -> tuple[int, int]:
    """Width and height in whole pixels of a size that pages can show."""
    try:
        _x, _y, width, height = map(float, view_box.replace(",", " ").split())
        ratio = width / height
    except (ValueError, ZeroDivisionError):
        ratio = 0
    if not 1 / 20 <= ratio <= 20:  # noqa: PLR2004
        raise LogoRefused(
            "the view box of the SVG has no shape that pages can show: 20 to 1 at most"
        )
    return (max(1, round(100 * ratio)), 100)

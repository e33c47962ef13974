"""A logo draws a picture and does nothing else: everything else that an SVG or a PNG can hold is refused."""

from __future__ import annotations

import zlib
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.logos import LOGO_MAX_BYTES, PNG_MAX_PIXELS, LogoRefused, read_logo
from tests.support.profiles import SVG, chunk, png

OPEN: Final = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"'


def refusal(content: str | bytes) -> str:
    """Why a logo is refused."""
    with pytest.raises(LogoRefused) as refused:
        read_logo(content.encode() if isinstance(content, str) else content)
    return str(refused.value)


def test_what_draws_is_taken_with_its_shape() -> None:
    """Gradients, paths and styles; the shape of an SVG is that of its view box."""
    found = read_logo(SVG.encode())
    assert (found.kind, found.width, found.height) == ("svg", 300, 100)
    assert found.content == SVG.encode()
    read_logo(b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->' + SVG.encode())
    found = read_logo(png(7, 5))
    assert (found.kind, found.width, found.height) == ("png", 7, 5)


@pytest.mark.parametrize(
    "element",
    [
        *(
            "script",
            "style",
            "image",
            "use",
            "foreignObject",
            "iframe",
            "a",
            "animate",
            "set",
            "feImage",
        ),
        *(
            "text",
            "audio",
            "video",
            "handler",
            "listener",
            "filter",
            "pattern",
            "symbol",
            "svg",
            "html",
        ),
    ],
)
def test_what_does_more_than_draw_is_refused(element: str) -> None:
    """By an allowlist: also what browsers do not know yet."""
    for inside in (f"<{element}/>", f"<g><{element}>x</{element}></g>"):
        assert "SVG" in refusal(f"{OPEN}>{inside}</svg>")


@given(st.from_regex(r"[a-zA-Z]{2,12}", fullmatch=True))
def test_an_element_of_another_language_is_refused(name: str) -> None:
    """HTML in an SVG, whatever it is called."""
    for element in (
        f'<{name} xmlns="http://www.w3.org/1999/xhtml"/>',
        f'<h:{name} xmlns:h="http://www.w3.org/1999/xhtml"/>',
        f'<{name} xmlns=""/>',
    ):
        refusal(f"{OPEN}>{element}</svg>")


@given(st.from_regex(r"on[a-z]{3,12}", fullmatch=True))
def test_a_handler_is_refused(name: str) -> None:
    """Whatever event it is for."""
    assert repr(name) in refusal(f'{OPEN} {name}="alert(1)"/>')
    assert repr(name) in refusal(f'{OPEN}><path {name}="alert(1)"/></svg>')


OUTSIDE = [
    *(
        "https://x.example/a.svg",
        "//x.example/a",
        "data:text/html,x",
        "javascript:alert(1)",
        "a.png",
    ),
    *("/v1/profile", "", "#", "# a", "https://x.example/a#b"),
]


@given(
    st.sampled_from(["fill", "stroke", "style", "mask", "clip-path", "transform", "d"]),
    st.sampled_from(OUTSIDE),
    st.sampled_from(["", "'", '"']),
    st.sampled_from(["url", "URL", "Url"]),
)
def test_a_value_that_leads_out_is_refused(name: str, to: str, quote: str, url: str) -> None:
    """Only a part of the same picture may be named."""
    value = f"{'fill:' if name == 'style' else ''}{url}({quote}{to}{quote})".replace('"', "&quot;")
    assert "leads out" in refusal(f'{OPEN}><path {name}="{value}"/></svg>')


@pytest.mark.parametrize(
    "value",
    [
        *(
            "fill:u\\72l(https://x.example)",
            "@import 'x'",
            "fill:image-set('https://x.example' 1x)",
        ),
        *("mask:image('https://x.example')", "fill:url(#a);mask:url(https://x.example)", "url(#a"),
        *("src:url( #a) //x.example", "fill:expression(alert(1))//", "&lt;script&gt;"),
    ],
)
def test_a_style_that_fetches_is_refused(value: str) -> None:
    """Escapes, imports, sets of pictures, and a second address behind a good one."""
    refusal(f'{OPEN}><path style="{value}"/></svg>')


@pytest.mark.parametrize("to", OUTSIDE)
def test_a_link_leads_nowhere_but_inside(to: str) -> None:
    """By `href`, with its old namespace and without."""
    xlink = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    gradient = f'{OPEN} {xlink}><linearGradient {{}}="{{}}"/></svg>'
    for name in ("href", "xlink:href"):
        assert "leads out" in refusal(gradient.format(name, to))
        read_logo(gradient.format(name, "#a").encode())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "DOCTYPE"),
        (f'<?xml-stylesheet href="x.css"?>{SVG}', "instruction"),
        (SVG[:-3], "not whole"),
        (SVG.replace('viewBox="0 0 90 30"', ""), "view box"),
        (SVG.replace("0 0 90 30", "0 0 0 30"), "shape"),
        (SVG.replace("0 0 90 30", "0 0 9000 30"), "shape"),
        (SVG.replace("0 0 90 30", "0 0 nan 30"), "shape"),
        (f"{OPEN} xml:base='https://x.example'/>", "'base'"),
        (f"{OPEN} xmlns:i='urn:i' i:label='x'/>", "'label'"),
        ("<svg/>", "svg"),
        ("<html/>", "html"),
        ("GIF89a", "neither"),
        ("", "neither"),
        (SVG + " " * LOGO_MAX_BYTES, "smaller"),
    ],
)
def test_an_svg_that_is_none_is_refused(content: str, why: str) -> None:
    """With what to do about it."""
    assert why in refusal(content)


def test_an_svg_in_another_encoding_is_refused() -> None:
    """What is looked through is what browsers read."""
    declared = f'<?xml version="1.0" encoding="iso-8859-1"?>{SVG}'.encode("iso-8859-1")
    refusal(declared[:-7] + b"<!-- \xe9 --></g>")
    refusal(SVG.encode("utf-16"))


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error_that_nobody_foresaw(content: bytes) -> None:
    """Behind either beginning."""
    for beginning in (b"", b"<", b"\x89PNG\r\n\x1a\n", OPEN.encode()):
        refusal(beginning + content)


@given(st.data())
def test_a_png_with_one_byte_changed_is_damaged(data: st.DataObject) -> None:
    """Every byte behind the signature is under a checksum, or is one, or says where it ends."""
    whole = png()
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    refusal(bytes(changed))
    refusal(whole[:at])


@pytest.mark.parametrize("name", [b"tEXt", b"eXIf", b"iTXt", b"acTL", b"iCCP", b"zzZz"])
def test_a_png_has_nothing_but_its_picture(name: bytes) -> None:
    """No place where it was made, no words, no animation."""
    assert repr(name.decode()) in refusal(png(extra=chunk(name, b"x")))


def test_a_png_is_as_large_as_it_says() -> None:
    """No side that is too long, and no picture that unpacks to more."""
    assert "pixels" in refusal(png(PNG_MAX_PIXELS + 1, 1))
    assert "pixels" in refusal(png(0, 1))
    read_logo(png(PNG_MAX_PIXELS, 1))
    assert "unpacks" in refusal(png(pixels=b"\0" * 10_000_000))
    cut = chunk(b"IDAT", zlib.compress(b"\0" * 50)[:-6])
    header = png().partition(b"IDAT")[0][:-4]
    refusal(header + cut + chunk(b"IEND", b""))
    refusal(header + chunk(b"IEND", b""))

"""What the pages of a build are served with: their types, their policies, and where each one is.

relay serves by these rules, and `relay verify-pages` holds a relay to them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".yaml": "application/yaml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
CODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
"""Of a build's compressed copies, the smallest first, and how their names end."""
LIST: Final = "integrity.json"
"""Every file of the build with its hash; relay serves it as well, for whoever compares."""
ALWAYS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What every answer of relay has."""
API_POLICY: Final = "default-src 'none'"
"""Of every answer that is no page: a browser that shows it runs nothing."""
LOGO_PATH: Final = "/v1/profile/logo/"
"""Below which the logo of a programme is."""
LOGO_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Also where somebody opens it by itself: it draws, and its own styles are all that it may use."""
STRICT_TRANSPORT: Final = "max-age=63072000; includeSubDomains"
"""Strict-Transport-Security of a relay behind TLS."""

_IMPORT_MAP: Final = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
_TRUSTED_TYPES: Final = "require-trusted-types-for 'script'; trusted-types default lit-html"
_SCRIPT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    + _TRUSTED_TYPES
)
"""For scripts, since a worker is held to the policy of its own answer."""
_FEATURES: Final = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
"""What a browser may be asked for; a document has none of it but what it is given below."""


class Document(NamedTuple):
    """A page that a browser opens: its file, and what it may ask the browser for."""

    file: str
    features: tuple[str, ...]


DOCUMENTS: Final = {
    # A video is recorded there, and at a kiosk the camera reads a link.
    "participant.html": Document("participant.html", ("camera", "fullscreen", "microphone")),
    "receipt.html": Document("participant.html", ()),
    "console.html": Document("console.html", ("fullscreen",)),
}
"""By the name that an address leads to (`ADDRESSES`)."""

ADDRESSES: Final = (
    ("/l/{link}", "participant.html"),
    ("/kiosk", "participant.html"),
    ("/receipt", "receipt.html"),
    ("/console", "console.html"),
    ("/sw.js", "sw.js"),
    ("/embed.js", "embed.js"),
    (f"/{LIST}", LIST),
    ("/openapi.yaml", "openapi.yaml"),
    ("/licences.txt", "licences.txt"),
    ("/assets/{asset}", ""),
)
"""Each path, and the name of what is there; of an asset that is its own."""


def integrity_of(content: bytes) -> str:
    """The SHA-384 of a file, as browsers and the list of a build write it."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def is_copy(name: str) -> bool:
    """Whether a file of a build is the compressed copy of another one."""
    return name.endswith(tuple(ending for _coding, ending in CODINGS))


def file_of(name: str) -> str:
    """The file of the build that an address with this name is answered from."""
    return DOCUMENTS[name].file if name in DOCUMENTS else name


def headers_of(name: str, content: bytes, origins: tuple[str, ...]) -> dict[str, str]:
    """What relay answers with beside the content itself; `origins` may frame the console.

    `name` is one of `ADDRESSES`, `content` the file behind it. Strict-Transport-Security and what every
    answer has (`ALWAYS`) is not there.
    """
    headers = {
        "Content-Type": TYPES["." + file_of(name).rpartition(".")[2]],
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": _SCRIPT_POLICY,
        "Cache-Control": "no-cache",
    }
    if name.startswith("assets/"):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if name == "sw.js":
        headers["Service-Worker-Allowed"] = "/"
    elif name == "embed.js":
        # A case system loads it from its own origin, and holds it to its hash.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if name in DOCUMENTS:
        framed_by = origins if name == "console.html" else ()
        headers |= _document_headers(content, framed_by, DOCUMENTS[name].features)
    return headers


def _document_headers(
    content: bytes, origins: tuple[str, ...], features: tuple[str, ...]
) -> dict[str, str]:
    """What a document may do: run its own code, speak to its own relay, and be framed by whom it names."""
    scripts = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(found).digest()).decode()}'"
        for found in _IMPORT_MAP.findall(content)
    )
    headers = {
        "Content-Security-Policy": "; ".join(
            [
                "default-src 'none'",
                f"script-src 'self' 'wasm-unsafe-eval' {scripts}".rstrip(),
                "style-src 'self'",
                "img-src 'self' blob: data:",
                "media-src 'self' blob:",
                "connect-src 'self'",
                "worker-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors " + (" ".join(origins) or "'none'"),
                _TRUSTED_TYPES,
            ]
        ),
        "Permissions-Policy": ", ".join(
            f"{name}=({'self' if name in features else ''})" for name in _FEATURES
        ),
    }
    if not origins:
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
    return headers

"""The pages as they were built: read once, held to their hashes, and handed out with what holds them in.

A browser runs what it is served, so serving is strict: only files that the build listed, each with a hash; a
content security policy without inline code; no other origin, but for those that may embed the console.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from relay.errors import ConfigurationError, NotFound, Unavailable

BUILT: Final = Path(__file__).resolve().parent.parent / "pages"
"""Where `make pages` puts them."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_IMPORT_MAP: Final = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)

_TRUSTED_TYPES: Final = "require-trusted-types-for 'script'; trusted-types default lit-html"
_SCRIPT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    + _TRUSTED_TYPES
)
"""For scripts, since a worker is held to the policy of its own answer."""
_PERMISSIONS: Final = ", ".join(
    f"{name}=(self)" for name in ("camera", "fullscreen", "microphone")
) + "".join(
    f", {name}=()"
    for name in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "midi",
        "payment",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)


class PagesNotBuilt(Unavailable):
    """The pages were not built. Whoever runs relay does so with `make pages`; the API works without them."""

    code = "pages-not-built"
    french = (
        "Les pages n'ont pas été construites. La personne qui exploite relay le fait avec « make pages » ; "
        "l'API fonctionne sans elles."
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file, whole and compressed, with the headers that it always has."""

    encodings: Mapping[str, bytes]
    """By content coding; `identity` is always there."""
    etag: str
    headers: Mapping[str, str]

    def encoded(self, accept_encoding: str) -> tuple[str, bytes]:
        """The smallest that the caller takes, and how it is coded."""
        accepted = {
            coding.split(";")[0].strip().lower()
            for coding in accept_encoding.split(",")
            if not re.search(r";\s*q=0(\.0*)?\s*$", coding)
        }
        for coding, _ending in _ENCODINGS:
            if coding in accepted and coding in self.encodings:
                return coding, self.encodings[coding]
        return "identity", self.encodings["identity"]


class Pages:
    """Every file of the pages by its name; none of them where they were not built."""

    def __init__(self, files: Mapping[str, Page]) -> None:
        self._files = files

    @classmethod
    def read(cls, folder: Path, *, embed_origins: tuple[str, ...], public_url: str) -> Pages:
        """All that `integrity.json` of the build lists; ConfigurationError where a file is another one."""
        listed = folder / "integrity.json"
        if not listed.is_file():
            return cls({})
        hashes = msgspec.json.decode(listed.read_bytes(), type=dict[str, str])
        secure = public_url.startswith("https:")
        return cls(
            {
                name: _page(folder, name, integrity, embed_origins, secure=secure)
                for name, integrity in hashes.items()
            }
        )

    def find(self, name: str) -> Page:
        """The file of that name; NotFound, or PagesNotBuilt."""
        if not self._files:
            raise PagesNotBuilt
        page = self._files.get(name)
        if page is None:
            raise NotFound("no such page")
        return page


def embed_origins(setting: str) -> tuple[str, ...]:
    """The exact origins of a setting; ConfigurationError for anything that is not one."""
    origins = tuple(origin.strip() for origin in setting.split(",") if origin.strip())
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise ConfigurationError(
                "RELAY_EMBED_ORIGINS holds something that is no origin, as in https://cases.example"
            )
    return origins


def _page(
    folder: Path, name: str, integrity: str, origins: tuple[str, ...], *, secure: bool
) -> Page:
    path = folder / name
    content = path.read_bytes()
    digest = hashlib.sha384(content).digest()
    if not hmac.compare_digest(f"sha384-{base64.b64encode(digest).decode()}", integrity):
        raise ConfigurationError(f"the page {name} is not the one that was built: make pages")
    encodings = {"identity": content}
    for coding, ending in _ENCODINGS:
        compressed = path.with_name(path.name + ending)
        if compressed.is_file():
            encodings[coding] = compressed.read_bytes()
    headers = {
        "Content-Type": _TYPES[path.suffix],
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": _SCRIPT_POLICY,
        "Cache-Control": "no-cache",
    }
    if name.startswith("assets/"):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if path.suffix == ".html":
        headers |= _document(content, origins if name == "console.html" else ())
    elif name == "sw.js":
        headers["Service-Worker-Allowed"] = "/"
    elif name == "embed.js":
        # A case system loads it from its own origin, and holds it to its hash.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return Page(encodings=encodings, etag=f'"{digest.hex()[:32]}"', headers=headers)


def _document(content: bytes, origins: tuple[str, ...]) -> dict[str, str]:
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
        "Permissions-Policy": _PERMISSIONS,
    }
    if not origins:
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
    return headers

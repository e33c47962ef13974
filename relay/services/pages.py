"""The pages as they were built: read once, held to their hashes, and handed out with what holds them in.

A browser runs what it is served, so serving is strict: only what the build listed, whole or compressed, by
its hash; a content security policy without inline code; no other origin, but for those that may embed the
console.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

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
    ".yaml": "application/yaml",
    ".json": "application/json",
}
_LIST: Final = "integrity.json"
"""Every file of the build with its hash; relay serves it as well, for whoever compares."""
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_NAME: Final = re.compile(r"(assets/)?[A-Za-z0-9_\-]+(\.[a-z0-9]+)+")
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


class _Document(NamedTuple):
    file: str
    features: tuple[str, ...]


_DOCUMENTS: Final = {
    # A video is recorded there, and at a kiosk the camera reads a link.
    "participant.html": _Document("participant.html", ("camera", "fullscreen", "microphone")),
    "receipt.html": _Document("participant.html", ()),
    "console.html": _Document("console.html", ("fullscreen",)),
}
"""By the name that `find` takes."""


class PagesNotBuilt(Unavailable):
    """The pages were not built into the package."""

    code = "pages-not-built"


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
        """All that `integrity.json` of the build lists, whole and compressed; empty where there is no build.

        ConfigurationError where a file is missing, is another one than was built, or is no page.
        """
        contents = _listed(folder)
        secure = public_url.startswith("https:")
        files = {
            name: _page(name, name, contents, secure=secure)
            for name in contents
            if not _is_copy(name) and not name.endswith(".html")
        }
        if contents:
            listed = {_LIST: (folder / _LIST).read_bytes()}
            files[_LIST] = _page(_LIST, _LIST, listed, secure=secure)
        for name, document in _DOCUMENTS.items():
            if document.file in contents:
                origins = embed_origins if name == "console.html" else ()
                page = _page(name, document.file, contents, secure=secure)
                files[name] = dataclasses.replace(
                    page,
                    headers={
                        **page.headers,
                        **_document(contents[document.file], origins, document.features),
                    },
                )
        return cls(files)

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


def _listed(folder: Path) -> dict[str, bytes]:
    """Every file that the build listed, by its name, each held to its own hash; nothing else is ever read."""
    path = folder / _LIST
    if not path.is_file():
        return {}
    try:
        hashes = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path} is not a list of pages: make pages") from error
    contents = {name: _held(folder, name, integrity) for name, integrity in hashes.items()}
    for name in contents:
        whole = Path(name).with_suffix("").as_posix() if _is_copy(name) else name
        if whole not in contents or Path(whole).suffix not in _TYPES:
            raise _no_page(name)
    return contents


def _held(folder: Path, name: str, integrity: str) -> bytes:
    if _NAME.fullmatch(name) is None:
        raise _no_page(name)
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the page {name} is missing: make pages") from error
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    if not hmac.compare_digest(f"sha384-{digest}".encode(), integrity.encode()):
        raise ConfigurationError(f"the page {name} is not the one that was built: make pages")
    return content


def _no_page(name: str) -> ConfigurationError:
    return ConfigurationError(f"integrity.json lists {name}, which is no page: make pages")


def _is_copy(name: str) -> bool:
    return name.endswith(tuple(ending for _coding, ending in _ENCODINGS))


def _page(name: str, file: str, contents: Mapping[str, bytes], *, secure: bool) -> Page:
    content = contents[file]
    copies = {coding: contents.get(file + ending) for coding, ending in _ENCODINGS}
    encodings = {
        "identity": content,
        **{coding: copy for coding, copy in copies.items() if copy is not None},
    }
    headers = {
        "Content-Type": _TYPES[Path(file).suffix],
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": _SCRIPT_POLICY,
        "Cache-Control": "no-cache",
    }
    if name.startswith("assets/"):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if name == "sw.js":
        headers["Service-Worker-Allowed"] = "/"
    elif name == "embed.js":
        # A case system loads it from its own origin, and holds it to its hash.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    digest = hashlib.sha384(content).hexdigest()
    return Page(encodings=encodings, etag=f'"{digest[:32]}"', headers=headers)


def _document(
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

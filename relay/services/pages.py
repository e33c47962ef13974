"""The pages as they were built: read once, held to their hashes, and handed out with what holds them in.

A browser runs what it is served, so serving is strict: only what the build listed, whole or compressed, by
its hash; a content security policy without inline code; no other origin, but for those that may embed the
console.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from relay.decoding import NotDecodable, decode_json
from relay.domain.page_rules import (
    CODINGS,
    DOCUMENTS,
    LIST,
    STRICT_TRANSPORT,
    TYPES,
    file_of,
    headers_of,
    integrity_of,
    is_copy,
)
from relay.errors import ConfigurationError, NotFound, Unavailable

BUILT: Final = Path(__file__).resolve().parent.parent / "pages"
"""Where `make pages` puts them."""

_NAME: Final = re.compile(r"(assets/)?[A-Za-z0-9_\-]+(\.[a-z0-9]+)+")
_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)


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
        for coding, _ending in CODINGS:
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
            name: _page(name, contents, embed_origins, secure=secure)
            for name in contents
            if not is_copy(name) and not name.endswith(".html")
        }
        if contents:
            listed = {LIST: (folder / LIST).read_bytes()}
            files[LIST] = _page(LIST, listed, embed_origins, secure=secure)
        for name in DOCUMENTS:
            if file_of(name) in contents:
                files[name] = _page(name, contents, embed_origins, secure=secure)
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


def files_of_build(folder: Path) -> dict[str, bytes]:
    """Each file of a build, without compressed copies, by name; ConfigurationError as `read`."""
    return {name: file for name, file in sorted(_listed(folder).items()) if not is_copy(name)}


def hashes_of_build(folder: Path) -> dict[str, str]:
    """The SHA-384 of each file of a build, without compressed copies; ConfigurationError as `read`."""
    return {name: integrity_of(content) for name, content in files_of_build(folder).items()}


def _listed(folder: Path) -> dict[str, bytes]:
    """Every file that the build listed, by its name, each held to its own hash; nothing else is ever read."""
    path = folder / LIST
    if not path.is_file():
        return {}
    try:
        hashes = decode_json(path.read_bytes(), dict[str, str])
    except NotDecodable as error:
        raise ConfigurationError(f"{path} is not a list of pages: make pages") from error
    contents = {name: _held(folder, name, integrity) for name, integrity in hashes.items()}
    for name in contents:
        whole = Path(name).with_suffix("").as_posix() if is_copy(name) else name
        if whole not in contents or Path(whole).suffix not in TYPES:
            raise _no_page(name)
    return contents


def _held(folder: Path, name: str, integrity: str) -> bytes:
    if _NAME.fullmatch(name) is None:
        raise _no_page(name)
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the page {name} is missing: make pages") from error
    if not hmac.compare_digest(integrity_of(content).encode(), integrity.encode()):
        raise ConfigurationError(f"the page {name} is not the one that was built: make pages")
    return content


def _no_page(name: str) -> ConfigurationError:
    return ConfigurationError(f"integrity.json lists {name}, which is no page: make pages")


def _page(
    name: str, contents: Mapping[str, bytes], origins: tuple[str, ...], *, secure: bool
) -> Page:
    file = file_of(name)
    content = contents[file]
    copies = {coding: contents.get(file + ending) for coding, ending in CODINGS}
    encodings = {
        "identity": content,
        **{coding: copy for coding, copy in copies.items() if copy is not None},
    }
    headers = headers_of(name, content, origins)
    if secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    digest = hashlib.sha384(content).hexdigest()
    return Page(encodings=encodings, etag=f'"{digest[:32]}"', headers=headers)

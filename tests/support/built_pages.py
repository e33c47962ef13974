"""A build of the pages, small: as `make pages` leaves it, whole and compressed, with its list."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import brotli

from relay.domain.page_rules import integrity_of

IMPORT_MAP = '{"integrity":{"/assets/main-1.js":"sha384-x"}}'
DOCUMENT = f'<title>relay</title><script type="importmap">{IMPORT_MAP}</script>'
SCRIPT = "export const sealed = true;\n" * 40
FILES = {
    "participant.html": DOCUMENT,
    "console.html": DOCUMENT,
    "sw.js": SCRIPT,
    "embed.js": SCRIPT,
    "assets/main-1.js": SCRIPT,
    "assets/relay-1.css": "main { color: black }",
    "openapi.yaml": "openapi: 3.1.0\n" * 40,
    "licences.txt": "lit 3.3.3, BSD-3-Clause\n" * 40,
}
COPIES = ("", ".gz", ".br")
SERVED = [f"{name}{ending}" for name in FILES for ending in COPIES]


def compressed(content: bytes, ending: str) -> bytes:
    """The copy with this ending."""
    if ending == ".br":
        return bytes(brotli.compress(content))
    return gzip.compress(content, mtime=0) if ending == ".gz" else content


@functools.cache
def contents() -> dict[str, bytes]:
    """Every file that is served, in every encoding."""
    return {
        f"{name}{ending}": compressed(text.encode(), ending)
        for name, text in FILES.items()
        for ending in COPIES
    }


def build(folder: Path, more: Mapping[str, str] | None = None) -> Path:
    """A folder as the build of the pages leaves it, small; with more files, which have no copies."""
    (folder / "assets").mkdir(parents=True)
    files = {**contents(), **{name: text.encode() for name, text in (more or {}).items()}}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    hashes = {name: integrity_of(content) for name, content in files.items()}
    (folder / "secret.txt").write_text("not for anybody")
    (folder / "integrity.json").write_text(json.dumps(hashes))
    return folder

"""What crosses the boundaries of the threat model: which parts of relay have nothing to open a body with."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
WORKERS_OWN: Final = ROOT / "relay/services/processing.py"
"""What opens an original, with the keyring that a media worker brings."""
WEB_TIER: Final = sorted(
    path
    for path in (
        ROOT / "relay/app.py",
        *(ROOT / "relay/services").rglob("*.py"),
        *(ROOT / "relay/handlers").rglob("*.py"),
        *(ROOT / "relay/storage").rglob("*.py"),
    )
    if path != WORKERS_OWN
)
OPENERS: Final = {
    "HybridIdentity",
    "Opener",
    "RangeOpener",
    "ScryptIdentity",
    "X25519Identity",
    "generate_keyring",
    "load_keyring_file",
    "open_body",
    "open_file",
    "open_identities",
    "open_participant_keyring",
    "parse_identity",
    "passphrase_identities",
    "unwrap_header",
    "unwrap_under",
}
"""Whatever in `relay.crypto` opens a body, a header or a keyring, or is a key to do it with."""


def openers_in(source: str) -> set[str]:
    """The names of `OPENERS` that this source imports or reaches through a module."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Name):
            used.add(node.id)
    return used & OPENERS


@pytest.mark.parametrize("path", WEB_TIER, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_web_service_has_nothing_to_open_with(path: Path) -> None:
    """No service, handler or query unwraps a header, opens a body or makes a key."""
    assert openers_in(path.read_text("utf-8")) == set()


@pytest.mark.parametrize("path", WEB_TIER, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_part_of_it_has_a_worker_open_something(path: Path) -> None:
    """What opens for a worker is reached by none of it; it names the worker's type and no more."""
    taken = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if "processing" in (getattr(node, "module", None) or alias.name)
        or alias.name == WORKERS_OWN.stem
    }
    assert taken <= {"MediaWorker"}
    assert openers_in(WORKERS_OWN.read_text("utf-8")) == {"unwrap_header"}


@pytest.mark.parametrize(
    "source",
    [
        "from relay.crypto.stream import open_body",
        "from relay.crypto import age\nage.open_file(sealed, [])",
        "from relay.crypto import header as h\nkey = h.unwrap_header(found, [])",
        "from relay.crypto.recipients import parse_identity as p",
    ],
)
def test_a_service_that_opens_is_found(source: str) -> None:
    """By import, through a module, and under another name."""
    assert openers_in(source)


def test_each_opener_exists() -> None:
    """A function that is called otherwise now is called so here, too."""
    sources = [path.read_text("utf-8") for path in (ROOT / "relay/crypto").glob("*.py")]
    defined = {
        node.name
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    assert defined >= OPENERS

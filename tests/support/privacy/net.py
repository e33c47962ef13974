"""What tests know to be secret, what leaves relay while they run, and what of the one is in the other."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.support.privacy.forms import Search, is_distinct, normal, pieces

OWN_WORDS: Final = ("relay", "workers", "deploy/example-host")
_SUFFIXES: Final = {".py", ".toml", ".sql", ".html", ".txt"}
_JOIN: Final = b"\n\0\n"


class Exit(StrEnum):
    """A way out of relay."""

    LOG = "a line of the log"
    TRACE = "a trace"
    METRIC = "a metric"
    PROBLEM = "the body or a header of a refusal"
    WEBHOOK = "a webhook"
    FEED = "an event of the live feed"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A secret that left; what it is stands nowhere."""

    kind: str
    exit: Exit
    where: str
    """The test, or the process, that it happened in."""

    def __str__(self) -> str:
        return f"{self.kind} is in {self.exit}, of {self.where}"


class Net:
    """Secrets and what left, until the next look at both."""

    def __init__(self) -> None:
        self.where = "the start of the run"
        """The test that runs."""
        self.stays = False
        """Whether what becomes known now is known for the rest of the run."""
        self._secrets: dict[bytes, str] = {}
        self._staying: dict[bytes, str] = {}
        self._left: dict[tuple[Exit, str], list[bytes]] = {}
        self._lock = threading.Lock()

    def know(self, kind: str, secret: bytes | str) -> None:
        """Something that must not leave, as a whole; what is too short or too plain is left out."""
        raw = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else bytes(secret)
        if is_distinct(raw):
            (self._staying if self.stays else self._secrets).setdefault(raw, kind)

    def know_content(self, kind: str, content: bytes | str) -> None:
        """Something of which no part must leave."""
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        for piece in pieces(raw):
            self.know(kind, piece)

    def leaves(self, by: Exit, content: bytes | str, where: str | None = None) -> None:
        """Something leaves."""
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        with self._lock:
            self._left.setdefault((by, where or self.where), []).append(raw)

    @property
    def kinds(self) -> set[str]:
        """What kinds of secrets are known now."""
        return {*self._secrets.values(), *self._staying.values()}

    @property
    def exits(self) -> set[Exit]:
        """By which ways something left since the last look."""
        return {by for by, _where in self._left}

    def look(self) -> list[Finding]:
        """What left since the last look though it should not have; secrets that do not stay are forgotten."""
        with self._lock:
            left, self._left = self._left, {}
        known = {**self._staying, **self._secrets}
        self._secrets = {}
        if not left:
            return []
        search = Search(known)
        found = {
            (known[secret], by, where)
            for (by, where), contents in left.items()
            for secret in search.find(_JOIN.join(contents))
            if normal(secret) not in own_words()
        }
        return [Finding(*one) for one in sorted(found)]


@functools.cache
def own_words() -> bytes:
    """All that relay itself is written in: what is in it says nothing about anybody."""
    root = Path(__file__).parents[3]
    files = [
        path
        for folder in OWN_WORDS
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in _SUFFIXES and "pages" not in path.parts
    ]
    return normal(b"\n".join(path.read_bytes() for path in files))


class _Current:
    net = Net()


def net() -> Net:
    """The net that is out now."""
    return _Current.net


@contextlib.contextmanager
def another_net() -> Iterator[Net]:
    """A net of its own during the block, for a test of the net."""
    before, _Current.net = _Current.net, Net()
    _Current.net.where = before.where
    try:
        yield _Current.net
    finally:
        _Current.net = before

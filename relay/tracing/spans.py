"""The spans that relay makes. Without a recorder each of these functions costs a call, and nothing else.

Names and attributes come from what is written in the code, such as the pattern of a route, the name of a
statement or the code of an error: never from a request, a row or a file. So it is with the access log and the
metrics. What this module does is the same whoever records; relay/tracing/export.py does, where one is wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar, Token
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from relay.errors import RelayError, Unavailable
from relay.tracing.context import TraceContext

Attributes: TypeAlias = Mapping[str, str | int | float]


class Kind(StrEnum):
    """On which side of what a span stands."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span(Protocol):
    """What is known of something that takes time."""

    @property
    def context(self) -> TraceContext | None:
        """Its identifiers; None where nobody records."""

    @property
    def is_kept(self) -> bool:
        """Whether it is sent: what is inside of one that is not need not be looked at."""

    def set(self, name: str, value: str | float) -> None:
        """Say something more of it."""

    def fail(self, error: str) -> None:
        """It ended with an error: a code of relay's, or a type; the first one counts."""

    def end(self, seconds: float | None = None) -> None:
        """It is over now, or was so long after its beginning."""


class Recorder(Protocol):
    """Who keeps spans."""

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: TraceContext | Span | None,
        link: TraceContext | None,
        seconds_ago: float,
    ) -> Span:
        """Begin a span. `parent`: a span of this process, or of another one by its context."""


class _Recording:
    """Who records in this process; nobody by default."""

    recorder: Recorder | None = None


class _Off:
    """In the place of a span where nobody records, or the trace is not kept."""

    context: Final = None
    is_kept: Final = False

    def set(self, name: str, value: str | float) -> None:
        """Forget it."""

    def fail(self, error: str) -> None:
        """Forget it."""

    def end(self, seconds: float | None = None) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


_OFF: Final = _Off()
_CURRENT: Final[ContextVar[Span | None]] = ContextVar("span", default=None)
_NONE: Final[Attributes] = {}


class _Running:
    """A span around a block; it ends with it, and says which error the block ended with."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._token: Token[Span | None] | None = None

    def __enter__(self) -> Span:
        self._token = _CURRENT.set(self._span)
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with contextlib.suppress(ValueError):  # a generator that is closed by another task
                _CURRENT.reset(self._token)
        if error is not None and is_failure(error):
            self._span.fail(name_of(error))
        self._span.end()


Spanning: TypeAlias = _Running | _Off
"""What `span` and `trace` give: `with` it, a span is current."""


def use(recorder: Recorder | None) -> None:
    """Let this one record from now on; nobody where it is None."""
    _Recording.recorder = recorder


def is_kept() -> bool:
    """Whether this task is in a span that is sent."""
    if _Recording.recorder is None:
        return False
    span = _CURRENT.get()
    return span is not None and span.is_kept


def current() -> TraceContext | None:
    """The span that this task is in, also one that is not kept; None where there is none."""
    span = _CURRENT.get()
    return None if span is None else span.context


def trace(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes = _NONE,
    *,
    parent: TraceContext | None = None,
    link: TraceContext | None = None,
) -> Spanning:
    """A span that begins a trace in this process: its first one, or what `parent` led to.

    `link` is a span of another trace that this one has to do with.
    """
    recorder = _Recording.recorder
    if recorder is None:
        return _OFF
    return _Running(recorder.start(name, kind, attributes, parent=parent, link=link, seconds_ago=0))


def span(name: str, kind: Kind = Kind.INTERNAL, attributes: Attributes = _NONE) -> Spanning:
    """A span inside the one that this task is in; nothing where it is in none, or in one that is not kept."""
    made = _inside(name, kind, attributes, 0)
    return _OFF if made is None else _Running(made)


def note(
    name: str, kind: Kind, attributes: Attributes, *, seconds: float, error: str | None = None
) -> None:
    """Something that took so long and is over by now, as `span`."""
    made = _inside(name, kind, attributes, seconds)
    if made is not None:
        if error is not None:
            made.fail(error)
        made.end(seconds)


def _inside(name: str, kind: Kind, attributes: Attributes, seconds_ago: float) -> Span | None:
    recorder = _Recording.recorder
    if recorder is None:
        return None
    parent = _CURRENT.get()
    if parent is None or not parent.is_kept:
        return None
    return recorder.start(name, kind, attributes, parent=parent, link=None, seconds_ago=seconds_ago)


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """Whatever is done in this block is in no trace: what is repeated all the time would fill it."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            _CURRENT.reset(token)


class Steps:
    """Steps of a piece of work that follow one another, each a span inside the one that there is now."""

    def __init__(self) -> None:
        self._name = ""
        self._span: Span | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._span is not None and error is not None and is_failure(error):
            self._span.fail(name_of(error))
        self._next("")

    def at(self, name: str) -> None:
        """The work is at this step now; the one before is over where it is another."""
        if name != self._name:
            self._next(name)

    def _next(self, name: str) -> None:
        if self._span is not None:
            self._span.end()
        self._name = name
        self._span = _inside(name, Kind.INTERNAL, _NONE, 0) if name else None


def name_of(error: BaseException) -> str:
    """What is said of an error: the code of one of relay's, else its type; never its text."""
    return error.code if isinstance(error, RelayError) else type(error).__name__


def is_failure(error: BaseException) -> bool:
    """Whether something went wrong: a refusal of relay's is an answer, and what is broken off is no error."""
    if isinstance(error, RelayError):
        return isinstance(error, Unavailable)
    return not isinstance(error, asyncio.CancelledError | GeneratorExit)

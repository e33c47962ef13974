"""How relay logs: one line an event, as JSON or text; identifiers and codes, never content or secrets."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

import msgspec

from relay.errors import ConfigurationError
from relay.tracing import spans
from relay.tracing.context import TraceContext


class Followed(msgspec.Struct, frozen=True):
    """What the lines that are written while one request is handled have in common."""

    request_id: str
    trace_id: str | None
    """The caller's, of W3C Trace Context: 32 hexadecimal digits; None where they gave none."""


CHATTY: Final = ("aiobotocore", "botocore", "arq", "aiohttp.access")
"""Libraries that say what relay says itself, or quote what they are given: of them warnings alone."""

_FOLLOWED: Final[ContextVar[Followed | None]] = ContextVar("followed", default=None)


@contextlib.contextmanager
def following(followed: Followed) -> Iterator[None]:
    """Every line that is logged in this block, and by tasks that begin in it, says of which request it is."""
    token = _FOLLOWED.set(followed)
    try:
        yield
    finally:
        _FOLLOWED.reset(token)


def members(**values: str | float) -> dict[str, object]:
    """What a line says beside its message, as `extra` of a logging call; members of the line in JSON."""
    return {"members": values}


class _Follow(logging.Filter):
    """Gives each record the request that is being handled, and the span that it is written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it through."""
        record.followed = _FOLLOWED.get()
        record.trace = spans.current()
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        followed: Followed | None = getattr(record, "followed", None)
        if followed is not None:
            line["request_id"] = followed.request_id
            if followed.trace_id is not None:
                line["trace_id"] = followed.trace_id
        trace: TraceContext | None = getattr(record, "trace", None)
        if trace is not None:
            line |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
        line |= getattr(record, "members", {})
        if record.exc_info and record.exc_info[0] is not None:
            # The text of an exception may quote what it failed on; its type does not.
            line["error"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """The line, with the request that it is of at its end."""
        followed: Followed | None = getattr(record, "followed", None)
        line = super().formatMessage(record)
        return line if followed is None else f"{line} [{followed.request_id}]"

    def formatException(self, ei: object) -> str:  # noqa: N802 - the same
        """The type of the error alone: its text may quote what it failed on."""
        kind = ei[0] if isinstance(ei, tuple) else None
        return f"({kind.__name__})" if isinstance(kind, type) else "(error)"


def handler(log_format: str, stream: TextIO | None = None) -> logging.Handler:
    """Writes lines in `text` or `json` to a stream, to standard error where none is given."""
    if log_format not in {"text", "json"}:
        raise ConfigurationError("RELAY_LOG_FORMAT is text or json")
    made = logging.StreamHandler(stream)
    made.setFormatter(_Json() if log_format == "json" else _Text())
    made.addFilter(_Follow())
    return made


def configure(log_format: str) -> None:
    """Send every log line to standard error in `text` or `json`."""
    logging.basicConfig(level=logging.INFO, handlers=[handler(log_format)], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)

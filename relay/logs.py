"""How relay logs: one line an event, as text or JSON; identifiers and codes, never content or secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from relay.errors import ConfigurationError


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # The text of an exception may quote what it failed on; its type does not.
            line["error"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name that logging calls
        """The type of the error alone: its text may quote what it failed on."""
        kind = ei[0] if isinstance(ei, tuple) else None
        return f"({kind.__name__})" if isinstance(kind, type) else "(error)"


def configure(log_format: str) -> None:
    """Send every log line to standard error in `text` or `json`."""
    if log_format not in {"text", "json"}:
        raise ConfigurationError("RELAY_LOG_FORMAT is text or json")
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("aiobotocore", "botocore", "arq", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

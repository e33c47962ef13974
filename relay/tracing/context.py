"""What is taken over of a caller's trace: two identifiers and a flag of W3C Trace Context, and nothing else.

Whatever else a caller sends beside them (`tracestate`, `baggage`) is not read, stored or passed on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

_SAMPLED: Final = 1
_FORM: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)


class TraceContext(msgspec.Struct, frozen=True):
    """A span by its identifiers, and whether it is kept."""

    trace_id: str
    """32 hexadecimal digits in lower case, not all of them zero."""
    span_id: str
    """16 of them."""
    is_sampled: bool

    def __str__(self) -> str:
        """As `traceparent` of version 00: 55 characters, whatever it was read from."""
        return f"00-{self.trace_id}-{self.span_id}-{self.is_sampled:02d}"


def parse(traceparent: str) -> TraceContext | None:
    """A `traceparent`, also of a later version, of which the first 55 characters are read; or None."""
    found = _FORM.fullmatch(traceparent)
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    if not int(found["trace"], 16) or not int(found["span"], 16):
        return None
    return TraceContext(found["trace"], found["span"], bool(int(found["flags"], 16) & _SAMPLED))


def given(headers: Sequence[str]) -> TraceContext | None:
    """The trace of a caller by all `traceparent` headers of a request: none where there are several."""
    return parse(headers[0]) if len(headers) == 1 else None

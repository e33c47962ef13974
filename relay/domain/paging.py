"""Where a page of a list begins, as a text that its reader gives back and need not understand."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from relay.decoding import decode_json
from relay.errors import InvalidRequest

_Place = TypeVar("_Place", bound=msgspec.Struct)


def write_place(place: msgspec.Struct) -> str:
    """A place as text: its members, with times in UTC; OverflowError for a time that has none there."""
    times = {
        name: value.astimezone(UTC)
        for name in place.__struct_fields__
        if isinstance(value := getattr(place, name), datetime)
    }
    content = msgspec.json.encode(msgspec.structs.replace(place, **times))
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def read_place(text: str, kind: type[_Place]) -> _Place:
    """The place that `write_place` made this very text of; InvalidRequest for anything else."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        place = decode_json(content, kind)
        if write_place(place) == text:
            return place
    except (ValueError, OverflowError):
        pass
    raise InvalidRequest("not a place in this list", problem="after")

"""Whether somebody who writes still knows what is there: entity tags, and the conditions that name them."""

from __future__ import annotations

import dataclasses
import hashlib

import msgspec

from relay.errors import RelayError

ANYTHING = "*"


class NotAsExpected(RelayError):
    """What is there is not what the request was made for."""

    code = "not-as-expected"


def entity_tag(value: object) -> str:
    """A strong entity tag (RFC 9110) of a value as it is answered; another value has another one."""
    return f'"{hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:32]}"'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preconditions:
    """`If-Match` and `If-None-Match` of a request, as they came; None where it has none."""

    match: str | None = None
    none_match: str | None = None

    def require(self, current: object | None) -> None:
        """Go on only where they hold of what is there now, None for nothing; NotAsExpected otherwise."""
        tag = None if current is None else entity_tag(current)
        if self.match is not None and not _names(self.match, tag):
            raise NotAsExpected
        if self.none_match is not None and _names(self.none_match, tag):
            raise NotAsExpected


def _names(field: str, tag: str | None) -> bool:
    """Whether a list of entity tags names this one; `*` names whatever there is."""
    if tag is None:
        return False
    return field.strip() == ANYTHING or tag in {part.strip() for part in field.split(",")}


def is_known(none_match: str | None, tag: str) -> bool:
    """Whether a reader who sent this `If-None-Match` has what has this tag."""
    return none_match is not None and _names(none_match.replace("W/", ""), tag)

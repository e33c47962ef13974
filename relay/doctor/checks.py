"""What a check says: a level, what it looked at, and a sentence."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is: `fail` keeps relay from working or from keeping its promises."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the doctor's: no secret, no address with one, nothing of a case."""

    level: Level
    check: str
    says: str


def ok(check: str, says: str) -> Check:
    """It is as it should be."""
    return Check(level=Level.OK, check=check, says=says)


def warn(check: str, says: str) -> Check:
    """It works, and could be better, or could not be seen."""
    return Check(level=Level.WARN, check=check, says=says)


def fail(check: str, says: str) -> Check:
    """It does not work, or does not keep what relay promises; the sentence says what to do."""
    return Check(level=Level.FAIL, check=check, says=says)

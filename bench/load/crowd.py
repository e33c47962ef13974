"""How many people there are, what they are told, and what they found."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import aiohttp
import msgspec

from relay.client.connection import Problem
from relay.settings import KIB


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at work, for how long."""

    seconds: float = 600
    cases: int = 484
    """Two participants in each, who listen to their live feeds."""
    mediators: int = 32
    """Each with so many cases that all are looked after; they listen, too."""
    phones: int = 200
    """Participants who send one video after the other."""
    phone_bytes_per_second: int = 32 * KIB
    """256 kbit/s: a poor connection upwards."""
    letters_per_second: float = 2
    """One of each person within eight minutes; of every letter some ten lists are asked for again."""
    pause_seconds: float = 8
    """Of a mediator, on average, between two items."""
    film_seconds: tuple[int, ...] = (2, 3, 4, 5)
    """Of the videos, of which there is one each."""
    workers: int = 2
    settling_seconds: float = 6
    """For what is still to be told when the last letter was answered."""
    seed: int = 0

    @property
    def feeds(self) -> int:
        """Live feeds that are open."""
        return 2 * self.cases + self.mediators


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the process of all these people is told."""

    crowd: Crowd
    url: str
    root_seed: bytes
    token_key: str
    """File of the case system's key, PEM."""
    signing_key: str
    """File of what it signs registrations with."""
    films: list[str]
    found: list[str]
    """Files for what was found: by those who write and listen, and by those who review."""


class Expected(msgspec.Struct, frozen=True, array_like=True):
    """Somebody has to be told of something by their live feed."""

    who: uuid.UUID
    what: uuid.UUID
    asked_at: float
    """When the request for it began. Times are seconds of the machine's clock that never goes back."""
    answered_at: float


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """A live feed said that something changed."""

    who: uuid.UUID
    at: float
    what: list[uuid.UUID] | None
    """None: everything."""


class Found(msgspec.Struct, kw_only=True):
    """What a process of these people noticed."""

    errors: dict[str, int] = {}
    """By what went wrong."""
    letters: list[float] = []
    """Seconds from each request to its acknowledgement."""
    uploads: int = 0
    """That were acknowledged as a whole, and sent."""
    broken_off: int = 0
    """Connections that a phone lost on its own, and continued."""
    reviewed: dict[str, int] = {}
    read: int = 0
    """Letters that their recipients opened."""
    verified: int = 0
    """Letters and videos that were there at the end, as they had been sent."""
    expected: list[Expected] = []
    heard: list[Heard] = []
    processor: float = 0
    """Of one processor, what this process took."""

    def error(self, what: str) -> None:
        """Note something that went wrong."""
        self.errors[what] = self.errors.get(what, 0) + 1

    @contextlib.contextmanager
    def noting(self, what: str) -> Iterator[None]:
        """Note whatever goes wrong while somebody does this; nothing is meant to."""
        try:
            yield
        except Problem as refused:
            self.error(f"{what}: {refused.status} {refused.code}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.error(f"{what}: {type(error).__name__}")
        except (ValueError, LookupError, RuntimeError) as error:
            self.error(f"{what}: {type(error).__name__}: {error}"[:200])

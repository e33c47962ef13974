"""How often something may be done: the one form in which every limit of relay is kept, refused and told.

A limit is told in the refusal alone. How much of it is left would tell whoever shares it, such as somebody
who found a person's link, what that person did.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from relay.errors import RelayError

_NAME: Final = re.compile(r"[a-z][a-z-]*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests, of the kind that its description names, in so many seconds."""

    name: str
    """Lower case and hyphens; stable, as clients may tell limits apart by it."""
    quota: int
    window_seconds: int | None = None
    """None where the count does not start anew by time alone."""

    def __post_init__(self) -> None:
        window = self.window_seconds
        lets_through = self.quota > 0 and (window is None or window > 0)
        if _NAME.fullmatch(self.name) is None or not lets_through:
            raise RuntimeError(f"{self} is no limit")

    @property
    def policy(self) -> str:
        """The value of `RateLimit-Policy`, a structured field (draft-ietf-httpapi-ratelimit-headers-10)."""
        window = "" if self.window_seconds is None else f";w={self.window_seconds}"
        return f'"{self.name}";q={self.quota}{window}'

    def used_up(self, wait_seconds: int) -> str:
        """The value of `RateLimit` where nothing is left of it for so many seconds."""
        return f'"{self.name}";r=0;t={wait_seconds}'


class LimitReached(RelayError):
    """A limit is used up. A class for each, with a code and sentences."""

    def __init__(self, limit: Limit, *, wait_seconds: int, detail: str | None = None) -> None:
        """`wait_seconds`: after how many seconds it is worth to ask again, one at least."""
        self.limit = limit
        self.wait_seconds = max(1, wait_seconds)
        super().__init__(detail, wait_seconds=self.wait_seconds)


class TooManyAtOnce(LimitReached):
    """The caller has more requests under way than are handled at once, and as many that wait."""

    code = "too-many-at-once"


class TooManyRequests(LimitReached):
    """More requests in a minute than a person, a link, a case or a case system may make."""

    code = "too-many-requests"


class TooManyFeeds(LimitReached):
    """The caller has as many live feeds open as one may."""

    code = "too-many-feeds"


class QuotaReached(LimitReached):
    """Waiting does not help by itself: something has to be finished, removed or allowed first."""


class TooManyDrafts(QuotaReached):
    """The sender has begun as many messages as one may without sending any."""

    code = "too-many-drafts"


class TooManyUploads(QuotaReached):
    """The sender has as many uploads open as one may."""

    code = "too-many-uploads"


class StoredTooMuch(QuotaReached):
    """The videos of the sender, or of the case, would take up more than they may."""

    code = "stored-too-much"

"""What somebody has written and not sent: sealed by its writer, for nobody else, and opaque to relay."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Final

import msgspec

from relay.errors import Conflict

SEALED_MAX_BYTES: Final = 704 * 1024
"""Of one unsent text."""
TEXTS_MAX: Final = 100
"""Of one key."""
TEXTS_MAX_BYTES: Final = 12 * SEALED_MAX_BYTES
"""Of all unsent texts of one key together."""

Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class UnsentChanged(Conflict):
    """An unsent text was changed or removed by another device."""

    code = "unsent-changed"


class UnsentFull(Conflict):
    """The author has reached the limit of unsent texts."""

    code = "unsent-full"


class NewUnsentText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text as it is now, in place of the version before."""

    version: Version
    """1 for a new text, else the number after that of the version it was made from."""
    sealed: bytes


class UnsentText(msgspec.Struct, frozen=True, kw_only=True):
    """One text, as its writer sealed it."""

    text: uuid.UUID
    version: int
    sealed: bytes
    changed_at: datetime


class UnsentTexts(msgspec.Struct, frozen=True, kw_only=True):
    """All unsent texts of a key, the latest first."""

    texts: list[UnsentText]


class UnsentVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The version that somebody saw last."""

    version: Version

"""How much one person and one case may begin and store: more than anybody needs, less than fills a bucket."""

from __future__ import annotations

import uuid
from typing import Final

from relay.domain.actors import Participant
from relay.domain.limits import Limit, StoredTooMuch, TooManyDrafts, TooManyUploads
from relay.settings import DAY_SECONDS, Settings
from relay.storage import submissions as stored_submissions
from relay.storage import uploads as stored_uploads
from relay.storage.database import Connection

HOUR_SECONDS: Final = 60 * 60


async def require_few_drafts(
    connection: Connection, settings: Settings, sender_id: uuid.UUID
) -> None:
    """Go on where this participant may begin one more message; TooManyDrafts. The case is locked."""
    most = settings.limit_drafts
    if await stored_submissions.count_drafts(connection, sender_id, most) >= most:
        raise TooManyDrafts(Limit(name="drafts", quota=most), wait_seconds=HOUR_SECONDS)


async def require_space(
    connection: Connection, settings: Settings, sender: Participant, size_bytes: int
) -> None:
    """Go on where an upload of this size fits beside those that there are; TooManyUploads, StoredTooMuch."""
    taken = await stored_uploads.sum_up(connection, sender)
    most = settings.limit_open_uploads
    if taken.open_uploads >= most:
        raise TooManyUploads(Limit(name="open-uploads", quota=most), wait_seconds=HOUR_SECONDS)
    for name, there, room in (
        ("person-bytes", taken.person_bytes, settings.limit_person_bytes),
        ("case-bytes", taken.case_bytes, settings.limit_case_bytes),
    ):
        if there + size_bytes > room:
            raise StoredTooMuch(Limit(name=name, quota=room), wait_seconds=DAY_SECONDS)

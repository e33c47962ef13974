"""Objects that no row of the database refers to, as a backup leaves them that is older than the bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator

from relay.domain.places import OF_BODIES
from relay.storage import orphans
from relay.storage.database import Database
from relay.storage.objects import Objects


async def list_unreferenced(
    database: Database, objects: Objects, *, note: bool
) -> AsyncIterator[str]:
    """Every prefix that is neither a part's nor an upload's, nor noted; with `note` the sweep removes them.

    Whatever is being written has a row or a note before its first object, so nothing of it is named.
    Certificates of disposal belong to no row, and stay.
    """
    for place in OF_BODIES:
        async for prefixes in objects.prefixes(place):
            async with database.transaction() as connection:
                found = await orphans.list_unreferenced(connection, prefixes)
                if note:
                    await orphans.note_orphans(connection, found)
            for prefix in found:
                yield prefix

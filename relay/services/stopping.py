"""How the web service stops: what lasts is ended at once, and nothing new is begun."""

from __future__ import annotations

import asyncio

from relay.services.feed import Feed
from relay.services.upload_connections import UploadConnections


class Stopping:
    """Whether this process is about to end; once it is, that is not taken back."""

    def __init__(self, feed: Feed, upload_connections: UploadConnections) -> None:
        self._feed = feed
        self._upload_connections = upload_connections
        self._uploads: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether new work is refused: ServiceStopping."""
        return self._uploads is not None

    def begin(self) -> None:
        """End every live feed, and have every upload store what it has; a second time changes nothing."""
        if self._uploads is None:
            self._feed.end_watches()
            self._uploads = asyncio.create_task(self._upload_connections.stop_all())

    async def finish(self) -> None:
        """Wait until every upload has stored what it had, or its time for that is over."""
        self.begin()
        if self._uploads is not None:
            await self._uploads

"""A relay of the benchmark's own: real services on a folder that goes away, the web service as a process."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from relay.testing.people import Organization, organization
from relay.testing.relays import OF_PROGRAMS, RunningRelay, running_relay

_WITHOUT_THE_DISK: Final = {"RELAY_S3_SYNC_FOLDER": ""}
"""What relay is measured against does not wait for the disk either."""


@contextlib.asynccontextmanager
async def service(
    *, worker: bool = False, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[RunningRelay, Organization]]:
    """A running relay and its organization; without `settings`, people ask as fast as programs do."""
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - one call, before anything is measured
        async with (
            running_relay(
                Path(folder) / "data",
                worker=worker,
                settings={**_WITHOUT_THE_DISK, **(settings or OF_PROGRAMS)},
            ) as running,
            organization(running.url, running.root, running.token_key) as people,
        ):
            yield running, people

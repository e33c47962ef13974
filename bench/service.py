"""A relay of the benchmark's own: real services on a folder that goes away, the web service as a process."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from relay.testing.people import Organization, organization
from relay.testing.relays import RunningRelay, running_relay


@contextlib.asynccontextmanager
async def service(
    *, worker: bool = False, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[RunningRelay, Organization]]:
    """A running relay and the organization that it serves."""
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - one call, before anything is measured
        async with (
            running_relay(Path(folder) / "data", worker=worker, settings=settings) as running,
            organization(running.url, running.root, running.token_key) as people,
        ):
            yield running, people

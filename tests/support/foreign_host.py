"""The case system in Node of tests/clients/foreign-host, as a process: alone, or beside a relay."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from relay.demo.beside import relay_beside
from relay.testing.relays import RunningRelay, free_port, stop_processes, until_answers
from tests.support.node import CLIENTS, Node, build_pages

FOLDER: Final = CLIENTS / "foreign-host"
KNOWN: Final = "usable keys: 1"
"""What relay logs once it has read the keys of the case system."""
KNOWN_SECONDS: Final = 20


@dataclasses.dataclass(slots=True, kw_only=True)
class ForeignHost:
    """The running case system."""

    settings: Mapping[str, str]
    """What it is told, as docs/start.md names it."""
    folder: Path
    """What it keeps; no file of relay's is there."""
    node: Node
    processes: dict[str, asyncio.subprocess.Process] = dataclasses.field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its origin."""
        return self.settings["HOST_URL"]

    async def start(self, *, pull: bool) -> None:
        """Start it, or start it again, with nothing but its settings; `pull`: whether it asks for events."""
        await stop_processes(self.processes)
        environment = {
            "PATH": os.environ["PATH"],
            "HOST_FOLDER": str(self.folder),
            "HOST_PULL": "yes" if pull else "no",
            **self.settings,
        }
        with (self.folder.parent / "host.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(self.node.node, FOLDER / "host.mjs"), env=environment, stdout=log, stderr=log
            )
        self.processes["host"] = process
        await until_answers(f"{self.url}/jwks.json", process, "the foreign host")


@contextlib.asynccontextmanager
async def foreign_host(settings: Mapping[str, str], folder: Path) -> AsyncIterator[ForeignHost]:
    """The case system with these settings, started for webhooks alone; what it keeps is in `folder`."""
    node = await asyncio.to_thread(Node.installed, FOLDER)
    host = ForeignHost(settings=settings, folder=folder / "host", node=node)
    try:
        await host.start(pull=False)
        yield host
    finally:
        await stop_processes(host.processes)


@contextlib.asynccontextmanager
async def beside_relay() -> AsyncIterator[tuple[ForeignHost, RunningRelay]]:
    """The case system, and a whole relay as `relay demo --case-system` starts it, which knows its keys."""
    await asyncio.to_thread(build_pages)
    with tempfile.TemporaryDirectory(prefix="relay-foreign-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        origin = f"http://127.0.0.1:{free_port()}"
        async with (
            relay_beside(folder / "data", origin) as beside,
            foreign_host(beside.settings, folder) as host,
        ):
            log = beside.running.folder / "web.log"
            async with asyncio.timeout(KNOWN_SECONDS):
                while KNOWN not in log.read_text("utf-8"):  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.1)
            yield host, beside.running

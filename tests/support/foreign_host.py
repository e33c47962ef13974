"""The case system in Node of tests/clients/foreign-host, as a process beside a relay that knows it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from relay.demo.beside import Beside, relay_beside
from relay.testing.relays import free_port, stop_processes, until_answers
from tests.support.node import CLIENTS, Node, build_pages

FOLDER: Final = CLIENTS / "foreign-host"
KNOWN_SECONDS: Final = 20


@dataclasses.dataclass(slots=True, kw_only=True)
class ForeignHost:
    """The running case system, and the relay beside it."""

    beside: Beside
    folder: Path
    """What it keeps; no file of relay's is there."""
    node: Node
    processes: dict[str, asyncio.subprocess.Process] = dataclasses.field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its origin."""
        return self.beside.settings["HOST_URL"]

    async def start(self, *, pull: bool) -> None:
        """Start it, or start it again, with nothing but its settings; `pull`: whether it asks for events."""
        await stop_processes(self.processes)
        environment = {
            "PATH": os.environ["PATH"],
            "HOST_FOLDER": str(self.folder),
            "HOST_PULL": "yes" if pull else "no",
            **self.beside.settings,
        }
        with (self.folder.parent / "host.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(self.node.node, FOLDER / "host.mjs"), env=environment, stdout=log, stderr=log
            )
        self.processes["host"] = process
        await until_answers(f"{self.url}/jwks.json", process, "the foreign host")

    async def is_known(self) -> None:
        """Wait until relay has read its keys."""
        log = self.beside.running.folder / "web.log"
        async with asyncio.timeout(KNOWN_SECONDS):
            while "usable keys: 1" not in log.read_text("utf-8"):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)

    async def webhooks_end(self) -> None:
        """Have relay send no events any more."""
        deliverer = self.beside.running.processes["deliverer"]
        await stop_processes({"deliverer": deliverer})


@contextlib.asynccontextmanager
async def foreign_host() -> AsyncIterator[ForeignHost]:
    """The case system, started for webhooks alone, and a whole relay that `relay demo` would start for it."""
    await asyncio.to_thread(build_pages)
    node = await asyncio.to_thread(Node.installed, FOLDER)
    with tempfile.TemporaryDirectory(prefix="relay-foreign-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        origin = f"http://127.0.0.1:{free_port()}"
        async with relay_beside(folder / "data", origin) as beside:
            host = ForeignHost(beside=beside, folder=folder / "host", node=node)
            try:
                await host.start(pull=False)
                await host.is_known()
                yield host
            finally:
                await stop_processes(host.processes)

"""`python -m example_host` serves the case system; with `load FILE` it adds staff and cases."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import msgspec

from example_host.app import serve
from example_host.database import connect
from example_host.loading import Entries, load
from example_host.settings import Settings, SettingsWrong


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)


async def _load(settings: Settings, file: Path) -> None:
    entries = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Entries)
    async with await connect(settings.database_url) as pool:
        await load(pool, entries)


def main() -> int:
    """Read the settings, and do what is asked."""
    parser = argparse.ArgumentParser(prog="example_host", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser(
        "serve", help="answer browsers and webhooks; this is done without a command, too"
    )
    commands.add_parser("load", help="add staff and cases from a JSON file").add_argument(
        "file", type=Path
    )
    given = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = Settings.from_environment(os.environ)
        if given.command == "load":
            asyncio.run(_load(settings, given.file))
        else:
            asyncio.run(_serve(settings))
    except (SettingsWrong, msgspec.DecodeError, OSError) as error:
        print(f"example_host: {error}", file=sys.stderr)  # noqa: T201 - to whoever starts it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

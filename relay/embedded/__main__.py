"""Runs the embedded services alone: `python -m relay.embedded FOLDER` prints how each may reach them."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

from relay.embedded import embedded
from relay.errors import RelayError


async def _run(folder: Path) -> int:
    """Run until a signal or the end of a server; 1 if a server ended on its own."""
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    async with embedded(folder, os.environ) as services:
        for access, settings in services.accesses.items():
            print(f"# {access}")  # noqa: T201 - the output of the command
            for name, value in settings.items():
                print(f"export {name}={shlex.quote(value)}")  # noqa: T201 - the same
        sys.stdout.flush()
        stop, end = (
            asyncio.ensure_future(asked_to_stop.wait()),
            asyncio.ensure_future(services.first_ended()),
        )
        await asyncio.wait((stop, end), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not end.done():
            end.cancel()
            return 0
        print(f"{end.result()} has ended", file=sys.stderr)  # noqa: T201 - the same
        return 1


def main() -> int:
    """Run on the folder named by the one argument; the exit code comes back."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):  # noqa: PLR2004 - itself and one argument
        print("usage: python -m relay.embedded FOLDER", file=sys.stderr)  # noqa: T201 - the same
        return 2
    try:
        return asyncio.run(_run(Path(sys.argv[1])))
    except RelayError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the same
        return 1


if __name__ == "__main__":
    sys.exit(main())

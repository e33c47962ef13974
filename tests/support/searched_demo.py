"""`relay demo` with the arguments given, and a search of all that it keeps, again and again beside its story.

What was found is printed as one line of JSON, behind the story.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest import mock

from relay.__main__ import main
from relay.commands import demo
from relay.demo.story import Told, tell
from relay.settings import Settings, database_url
from relay.testing import recordings, searching
from relay.testing.letters import FIRST_LETTER, GUIDANCE, LETTER, NOTE
from relay.testing.people import PASSPHRASE
from relay.testing.relays import RunningRelay

TEXTS: Final = (FIRST_LETTER, LETTER, GUIDANCE, NOTE, recordings.PLACE, PASSPHRASE)
PAUSE_SECONDS: Final = 1.0
"""Between two searches: the story has to get on."""


async def tell_and_search(
    running: RunningRelay, say: Callable[[str], None], workplace: Path
) -> Told:
    """Tell the story; search during it, the transcode included, and once more after it."""
    settings = dataclasses.replace(
        Settings.from_environment(running.environment), database_url=database_url(running.owner)
    )
    needles = [needle for text in TEXTS for needle in searching.needles_of_text(text)]
    found: list[str] = []
    searches = 0
    ended = asyncio.Event()

    async def search(*files: str) -> int:
        present = [workplace / file for file in files if (workplace / file).exists()]
        seen = [needle for file in present for needle in searching.needles_of_file(file)]
        result = await searching.search_everything(settings, [running.folder], [*needles, *seen])
        found.extend(result.found)
        return len(seen)

    async def search_on() -> None:
        nonlocal searches
        while not ended.is_set():
            await search("phone.mov")
            searches += 1
            await asyncio.sleep(PAUSE_SECONDS)

    searching_on = asyncio.create_task(search_on())
    try:
        told = await tell(running, say, workplace)
    finally:
        ended.set()
        await searching_on
    pieces = await search("phone.mov", "received.mp4")
    print(json.dumps({"searches": searches, "pieces": pieces, "found": found}), flush=True)  # noqa: T201
    return told


if __name__ == "__main__":
    with mock.patch.object(demo, "tell", tell_and_search):
        main()

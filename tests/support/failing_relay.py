"""`python -m tests.support.failing_relay serve`: a web service that fails now and then."""

from __future__ import annotations

import itertools
import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from relay.__main__ import main
from relay.app import create_app
from relay.commands import serve
from relay.services.feed import Change, Watch
from relay.settings import Settings

BLOCK_SECONDS: Final = 0.2
FAILS, FORGETS, BLOCKS = 5, 6, 7
"""Every fifth letter is answered 500, every sixth is acknowledged and not stored, every seventh blocks."""
LOSES: Final = 4
"""Every fourth change is told to nobody."""

_letters = itertools.count(1)
_changes = itertools.count(1)
_tell = Watch.tell


def failing_app(settings: Settings) -> web.Application:
    """The application, with what fails around its handlers."""
    app = create_app(settings)
    app.middlewares.append(fail)
    return app


@web.middleware
async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle a request; some letters otherwise than it should be."""
    if request.method != "PUT" or not request.path.endswith("/revisions/1"):
        return await handler(request)
    number = next(_letters)
    if number % FAILS == 0:
        raise RuntimeError("a mistake")
    if number % FORGETS == 0:
        return web.json_response({})
    if number % BLOCKS == 0:
        time.sleep(BLOCK_SECONDS)  # noqa: ASYNC251 - what is to be noticed
    return await handler(request)


def tell(watch: Watch, change: Change) -> None:
    """Tell a watcher, or not."""
    if next(_changes) % LOSES:
        _tell(watch, change)


if __name__ == "__main__":
    setattr(serve, "create_app", failing_app)  # noqa: B010 - it exports no such name
    setattr(Watch, "tell", tell)  # noqa: B010 - mypy refuses to see a method replaced
    main()

"""The program: every address, and what stands behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web

from example_host import case_pages, change_pages, console_pages, events, gate, login_pages, work
from example_host.context import CONTEXT, Context
from example_host.database import connect
from example_host.relay import relay_of
from example_host.settings import Settings

FORM_MAX_BYTES: Final = 64 * 1024
_STATIC: Final = Path(__file__).with_name("static")


async def livez(_request: web.Request) -> web.Response:
    """`GET /livez`: that the program runs."""
    return web.Response(status=204)


async def static(request: web.Request) -> web.FileResponse:
    """`GET /static/{file}`: one of the files that there are."""
    return web.FileResponse(_STATIC / request.match_info["file"])


ROUTES: Final = (
    web.get("/livez", livez),
    web.get("/static/{file:style\\.css|console\\.js|icon\\.svg}", static),
    web.post(gate.WEBHOOK, events.webhook),
    web.get("/login", login_pages.show),
    web.post("/login", login_pages.enter),
    web.post("/logout", login_pages.leave),
    web.get("/", case_pages.show_cases),
    web.get("/cases/new", case_pages.show_new),
    web.post("/cases", case_pages.add),
    web.get("/cases/{case}", case_pages.show_case),
    web.post("/cases/{case}/registration", case_pages.register),
    web.post("/cases/{case}/links", change_pages.make_link),
    web.get("/cases/{case}/links/{link}", change_pages.show_letter),
    web.post("/cases/{case}/links/{link}/given", change_pages.letter_sent),
    web.post("/cases/{case}/mediators", change_pages.change_mediators),
    web.post("/cases/{case}/no-contact", change_pages.set_no_contact),
    web.post("/cases/{case}/closing", change_pages.set_closed),
    web.get("/console", console_pages.show),
    web.get("/cases/{case}/console", console_pages.show),
)


@contextlib.asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[web.Application]:
    """The program with its database and its way to relay; its work goes on behind the pages meanwhile."""
    made = web.Application(
        middlewares=[gate.with_headers, gate.in_language, gate.with_login, gate.with_form_token],
        client_max_size=FORM_MAX_BYTES,
    )
    made.add_routes(ROUTES)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await connect(settings.database_url))
        relay = await stack.enter_async_context(relay_of(settings))
        context = Context(settings=settings, pool=pool, relay=relay, woken=asyncio.Event())
        made[CONTEXT] = context
        working = asyncio.create_task(work.run(context))
        try:
            yield made
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Answer until `stop` is set."""
    async with application(settings) as made:
        runner = web.AppRunner(made, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
            await stop.wait()
        finally:
            await runner.cleanup()

"""What a browser is given: two documents, their assets, the service worker, and what embeds the console."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler as WebHandler
from aiohttp.typedefs import Middleware

from relay.domain.page_rules import ADDRESSES
from relay.handlers.routing import Call, Handler, Load, Role, answer, route
from relay.services.pages import Page, Pages, embed_origins


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """Which origins may embed the console."""

    origins: list[str]


async def embedding(call: Call) -> web.Response:
    """The origins that the console takes a handshake from."""
    return answer(Embedding(origins=list(embed_origins(call.settings.embed_origins))))


def _file(name: str) -> Handler:
    async def handle(call: Call) -> web.Response:
        page = call.relay.pages.find(name or f"assets/{call.request.match_info['asset']}")
        known = call.request.headers.get(hdrs.IF_NONE_MATCH, "")
        if page.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
            return web.Response(status=304, headers={**page.headers, hdrs.ETAG: page.etag})
        return _whole(page, call.request)

    return handle


def _whole(page: Page, request: web.Request, status: int = 200) -> web.Response:
    headers = {**page.headers, hdrs.ETAG: page.etag}
    coding, content = page.encoded(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
    if coding != "identity":
        headers[hdrs.CONTENT_ENCODING] = coding
    return web.Response(body=content, headers=headers, status=status)


def nowhere(pages: Callable[[], Pages]) -> Middleware:
    """Answers anyone who opens an address where nothing is: a person with a page that says what to do.

    Programs, which do not ask for HTML, still get the problem document.
    """

    @web.middleware
    async def answer_people(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            wants_page = "text/html" in request.headers.get(hdrs.ACCEPT, "")
            if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD} or not wants_page:
                raise
            return _whole(pages().find("receipt.html"), request, status=404)

    return answer_people


ROUTES = (route("GET", "/v1/embedding", embedding, Role.PUBLIC, load=Load.STATIC),)

PAGES = tuple(
    route(method, path, _file(name), Role.PUBLIC, load=Load.STATIC)
    for path, name in ADDRESSES
    for method in ("GET", "HEAD")
)
"""Not part of the API: nothing in them depends on who asks."""

"""What a browser is given: two documents, their assets, the service worker, and what embeds the console."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web

from relay.handlers.routing import Call, Handler, Role, answer, route
from relay.services.pages import embed_origins


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """Which origins may embed the console."""

    origins: list[str]


async def embedding(call: Call) -> web.Response:
    """The origins that the console takes a handshake from."""
    return answer(Embedding(origins=list(embed_origins(call.settings.embed_origins))))


def _file(name: str) -> Handler:
    async def handle(call: Call) -> web.Response:
        page = call.relay.pages.find(name or f"assets/{call.request.match_info['asset']}")
        headers = {**page.headers, hdrs.ETAG: page.etag}
        known = call.request.headers.get(hdrs.IF_NONE_MATCH, "")
        if page.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
            return web.Response(status=304, headers=headers)
        coding, content = page.encoded(call.request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if coding != "identity":
            headers[hdrs.CONTENT_ENCODING] = coding
        return web.Response(body=content, headers=headers)

    return handle


ROUTES = (route("GET", "/v1/embedding", embedding, Role.PUBLIC),)

PAGES = tuple(
    route(method, path, _file(name), Role.PUBLIC)
    for path, name in (
        ("/l/{link}", "participant.html"),
        ("/kiosk", "participant.html"),
        ("/receipt", "receipt.html"),
        ("/console", "console.html"),
        ("/sw.js", "sw.js"),
        ("/embed.js", "embed.js"),
        ("/assets/{asset}", ""),
    )
    for method in ("GET", "HEAD")
)
"""Not part of the API: for browsers, and nothing in them depends on who asks."""

"""What a programme says of itself, for whoever asks: the pages, and the case system for its own letters."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import hdrs, web

from relay.domain.page_rules import LOGO_PATH, LOGO_POLICY
from relay.domain.preconditions import entity_tag, is_known
from relay.handlers.routing import Call, Load, Role, route, tagged
from relay.services import profile

_TAKES_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_YEAR: Final = "public, max-age=31536000, immutable"


async def read(call: Call) -> web.Response:
    """The profile; a browser keeps it, and asks each time whether there is another."""
    found = profile.shown(call.relay.programme)
    response = tagged(found, known=call.preconditions.none_match)
    response.headers[hdrs.CACHE_CONTROL] = "no-cache"
    response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    takes_gzip = _TAKES_GZIP.search(call.request.headers.get(hdrs.ACCEPT_ENCODING, ""))
    if takes_gzip and response.body:
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def logo(call: Call) -> web.Response:
    """The picture; what stands under a name never changes."""
    found = call.relay.programme.logo_named(call.request.match_info["logo"])
    tag = entity_tag(found.content)
    headers = {
        hdrs.CACHE_CONTROL: _YEAR,
        hdrs.CONTENT_SECURITY_POLICY: LOGO_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        hdrs.ETAG: tag,
    }
    if is_known(call.preconditions.none_match, tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=found.content, content_type=found.content_type, headers=headers)


ROUTES = (
    route("GET", "/v1/profile", read, Role.PUBLIC, load=Load.STATIC),
    route("GET", LOGO_PATH + "{logo}", logo, Role.PUBLIC, load=Load.STATIC),
)

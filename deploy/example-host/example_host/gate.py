"""What every request passes: language, login, the token of forms, and the headers of every answer."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import asyncpg
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from example_host.context import CONTEXT
from example_host.rendering import COOKIE, LANGUAGE_COOKIE, MEMBER, sorry
from example_host.settings import Settings
from example_host.staff import is_form_token, member_of
from example_host.texts import LANGUAGES

WEBHOOK: Final = "/relay/events"
WITHOUT_LOGIN: Final = frozenset(
    {"/login", "/livez", "/static/style.css", "/static/console.js", "/static/icon.svg"}
)

_log = logging.getLogger(__name__)


def cookie_name(settings: Settings, name: str) -> str:
    """With https, a name that browsers take from this origin alone."""
    return f"__Host-{name}" if settings.is_secure else name


def set_cookie(
    request: web.Request, answer: web.StreamResponse, name: str, value: str, same_site: str = "Lax"
) -> None:
    """A cookie that no script reads and no other site sends along with a form."""
    settings = request.app[CONTEXT].settings
    answer.set_cookie(
        cookie_name(settings, name),
        value,
        path="/",
        httponly=True,
        secure=settings.is_secure,
        samesite=same_site,
    )


def policy(settings: Settings) -> str:
    """The content security policy: nothing but this program's own, and relay's console in a frame."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {settings.relay_url}",
            "style-src 'self'",
            "img-src 'self'",
            f"frame-src {settings.relay_url}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers for whatever is answered, and a page for whatever was not expected."""
    try:
        answer = await handler(request)
    except web.HTTPException as raised:
        if raised.status < HTTPStatus.BAD_REQUEST:
            answer = raised
        else:
            answer = sorry(request, "error.not_found", raised.status)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        _log.exception("the database or a file is away")
        answer = sorry(request, "error.unexpected", HTTPStatus.SERVICE_UNAVAILABLE)
    except Exception:  # noqa: BLE001 - whoever asked gets a page, and the log the rest
        _log.exception("not expected")
        answer = sorry(request, "error.unexpected", HTTPStatus.INTERNAL_SERVER_ERROR)
    settings = request.app[CONTEXT].settings
    answer.headers[hdrs.CONTENT_SECURITY_POLICY] = policy(settings)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers[hdrs.CACHE_CONTROL] = "no-store"
    if settings.is_secure:
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    if isinstance(answer, web.HTTPException):
        raise answer
    return answer


@web.middleware
async def in_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`?language=fr` on any page: it is remembered, and the page is shown again without it."""
    chosen = request.query.get("language", "")
    if request.method != hdrs.METH_GET or chosen not in LANGUAGES:
        return await handler(request)
    answer = web.HTTPSeeOther(request.rel_url.without_query_params("language"))
    answer.set_cookie(LANGUAGE_COOKIE, chosen, path="/", samesite="Lax", max_age=365 * 86400)
    raise answer


@web.middleware
async def with_login(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who asks. Without a session there is the login page, and what shows nothing of anybody."""
    context = request.app[CONTEXT]
    if request.path == WEBHOOK:
        return await handler(request)  # whose signature says whose it is
    token = request.cookies.get(cookie_name(context.settings, "session"), "")
    member = await member_of(context.pool, token) if token else None
    if member is not None:
        request[MEMBER] = member
        request[COOKIE] = token
        return await handler(request)
    if request.path not in WITHOUT_LOGIN:
        wanted = str(request.rel_url) if request.method == hdrs.METH_GET else "/"
        ended = "&ended=1" if token else ""
        raise web.HTTPSeeOther(f"/login?next={quote(wanted, safe='')}{ended}")
    request[COOKIE] = request.cookies.get(cookie_name(context.settings, "form"), "")
    if request.path != "/login" or request[COOKIE]:
        return await handler(request)
    request[COOKIE] = secrets.token_urlsafe(32)
    if request.method == hdrs.METH_POST:
        return await handler(request)  # its token fits nothing
    answer = await handler(request)
    set_cookie(request, answer, "form", request[COOKIE], "Strict")
    return answer


@web.middleware
async def with_form_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form is taken only if it was made for whoever sends it."""
    if request.method in {hdrs.METH_GET, hdrs.METH_HEAD} or request.path == WEBHOOK:
        return await handler(request)
    given = (await request.post()).get("form_token", "")
    own = request.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"}
    if not own or not isinstance(given, str) or not is_form_token(request[COOKIE], given):
        return sorry(request, "error.form", HTTPStatus.FORBIDDEN)
    return await handler(request)

"""Turns every error into a problem document (RFC 9457), in the language of the caller, and leaks nothing."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from relay.domain.limits import LimitReached
from relay.domain.notifications import EventsGone
from relay.domain.preconditions import NotAsExpected
from relay.domain.tokens import ScopeMissing, TokenRefused
from relay.domain.uploads import (
    ChecksumMismatch,
    PreconditionFailed,
    RangeNotSatisfiable,
    UnsupportedMedia,
    UploadExpired,
)
from relay.errors import (
    Conflict,
    CryptoError,
    Forbidden,
    InvalidRequest,
    NotFound,
    RelayError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from relay.handlers.following import FOLLOWED, PROBLEM, pattern
from relay.handlers.routing import RETRY_SECONDS

_log = logging.getLogger(__name__)

CHECKSUM_MISMATCH: Final = 460  # of tus, which HTTPStatus does not know


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class NoSuchRoute(NotFound):
    """No route has this path."""

    code = "no-such-route"


class WrongMethod(RelayError):
    """The route does not take this method."""

    code = "wrong-method"


STATUS: Final[Mapping[type[RelayError], int]] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    WrongMethod: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    CryptoError: HTTPStatus.UNPROCESSABLE_ENTITY,
    LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UploadExpired: HTTPStatus.GONE,
    EventsGone: HTTPStatus.GONE,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    NotAsExpected: HTTPStatus.PRECONDITION_FAILED,
    UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    ChecksumMismatch: CHECKSUM_MISMATCH,
}


def language_of(accept_language: str) -> str:
    """`fr` where the caller prefers French to English, else `en`."""
    best, weight_of_best = "en", 0.0
    for choice in accept_language.split(","):
        tag, _, parameter = choice.strip().partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        language = tag.strip().lower().split("-")[0]
        if language in {"en", "fr"} and weight > weight_of_best:
            best, weight_of_best = language, weight
    return best


def status_of(kind: type[RelayError]) -> int:
    """The status of the nearest branch of the tree that has one."""
    for branch in kind.__mro__:
        status = STATUS.get(branch)
        if status is not None:
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: RelayError, request: web.Request) -> web.Response:
    """The problem document of an error; where it is not the caller's, or of a token, it is logged."""
    of_token = isinstance(error, TokenRefused | ScopeMissing)
    if of_token or status_of(type(error)) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("%s %s: %s", request.method, pattern(request), error)
    return _answer(error, request)


def _answer(error: RelayError, request: web.Request) -> web.Response:
    status = status_of(type(error))
    request[PROBLEM] = error.code
    language = language_of(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
    document = {
        **error.members,
        "type": f"urn:relay:problem:{error.code}",
        "title": error.sentence(language),
        "status": status,
        "code": error.code,
        "instance": instance(request),
    }
    detail = error.occurrence(language)
    if detail is not None:
        document["detail"] = detail
    headers = {
        hdrs.CACHE_CONTROL: "no-store",
        hdrs.CONTENT_LANGUAGE: language,
        hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
        **_waiting(error),
    }
    if challenge := _challenge(error):
        headers[hdrs.WWW_AUTHENTICATE] = challenge
    return web.Response(
        body=msgspec.json.encode(document),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


def _waiting(error: RelayError) -> Mapping[str, str]:
    """When it is worth to ask again, and which limit says so; the one place for every limit."""
    match error:
        case Unavailable():
            return {hdrs.RETRY_AFTER: str(RETRY_SECONDS)}
        case LimitReached(limit=limit, wait_seconds=seconds):
            return {
                hdrs.RETRY_AFTER: str(seconds),
                "RateLimit-Policy": limit.policy,
                "RateLimit": limit.used_up(seconds),
            }
        case _:
            return {}


def _challenge(error: RelayError) -> str | None:
    """`WWW-Authenticate` (RFC 6750), which says of a token of the case system alone what is wrong with it."""
    match error:
        case TokenRefused(refusal=refusal):
            return f'Bearer error="invalid_token", error_description="{refusal}"'
        case ScopeMissing(scope=scope):
            return f'Bearer error="insufficient_scope", scope="{scope}"'
        case Unauthenticated():
            return "Bearer"
        case _:
            return None


def instance(request: web.Request) -> str:
    """Which occurrence a problem document is of: the request, as a URI reference."""
    request_id = request[FOLLOWED].request_id
    return f"urn:uuid:{request_id}" if _UUID.fullmatch(request_id) else request_id


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one place where errors become answers."""
    try:
        return await handler(request)
    except RelayError as error:
        return problem(error, request)
    except web.HTTPNotFound:
        return problem(NoSuchRoute(), request)
    except web.HTTPMethodNotAllowed as refused:
        answer = problem(WrongMethod(), request)
        answer.headers[hdrs.ALLOW] = ", ".join(sorted(refused.allowed_methods))
        return answer
    except web.HTTPRequestEntityTooLarge:
        return problem(TooLarge(), request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - nothing may reach the caller as it is
        # The message of a foreign error may quote a value, so only its type and place are logged.
        where = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s %s: %s\n%s", request.method, pattern(request), type(error).__name__, where)
        return _answer(RelayError(), request)

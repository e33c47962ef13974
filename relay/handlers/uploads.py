"""Resumable uploads over HTTP: tus 1.0 with creation, termination, expiration and checksums."""

from __future__ import annotations

import re
import uuid
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from relay.domain.uploads import (
    CHECKSUM_ALGORITHM,
    TUS_VERSION,
    Patch,
    PreconditionFailed,
    Progress,
    UnsupportedMedia,
    Upload,
    UploadRequest,
    read_checksum,
    read_metadata,
    write_metadata,
)
from relay.errors import InvalidRequest, RelayError
from relay.handlers.problems import problem
from relay.handlers.routing import Call, Handler, Load, Role, Route, route
from relay.services import uploads
from relay.services.upload_receiver import Intake

TUS_RESUMABLE: Final = "Tus-Resumable"
EXTENSIONS: Final = "creation,creation-with-upload,termination,expiration,checksum"
OFFSET_STREAM: Final = "application/offset+octet-stream"
RECEIVE_BYTES: Final = 256 * 1024

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def tus(handler: Handler) -> Handler:
    """Speak tus around a handler: refuse other versions, and say ours in every answer."""

    async def handle(call: Call) -> web.StreamResponse:
        try:
            if call.request.headers.get(TUS_RESUMABLE) != TUS_VERSION:
                raise PreconditionFailed
            answer = await handler(call)
        except RelayError as error:
            answer = problem(error, call.request)
            answer.headers["Tus-Version"] = TUS_VERSION
        answer.headers[TUS_RESUMABLE] = TUS_VERSION
        return answer

    return handle


async def describe(call: Call) -> web.StreamResponse:
    """What of tus is spoken here."""
    return _answer(
        HTTPStatus.NO_CONTENT,
        {
            TUS_RESUMABLE: TUS_VERSION,
            "Tus-Version": TUS_VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(call.settings.upload_max_bytes),
            "Tus-Checksum-Algorithm": CHECKSUM_ALGORITHM,
        },
    )


async def describe_one(call: Call) -> web.StreamResponse:
    """The same for any upload; NotFound at an address that none can have."""
    call.uuid("upload")
    return await describe(call)


@tus
async def create(call: Call) -> web.StreamResponse:
    """Begin an upload, and take the bytes that came along."""
    message_id, revision = read_metadata(call.request.headers.get("Upload-Metadata", ""))
    request = UploadRequest(
        message_id=message_id, revision=revision, size_bytes=_number(call, "Upload-Length")
    )
    carries_bytes = call.request.can_read_body and call.request.content_length != 0
    if carries_bytes:
        _require_offset_stream(call)
        _checksum(call)
    async with call.short():
        upload = await uploads.create(_intake(call), call.participant, request)
    headers = {"Location": f"/v1/uploads/{upload.upload_id}"}
    if not carries_bytes:
        return _answer(HTTPStatus.CREATED, {**headers, **_where(upload)})
    progress = await _append(call, upload.upload_id, 0)
    return _answer(HTTPStatus.CREATED, {**headers, **_where(progress)}, progress)


@tus
async def find(call: Call) -> web.StreamResponse:
    """How far an upload has come."""
    upload = await uploads.find(_intake(call), call.participant, call.uuid("upload"))
    headers = {
        **_where(upload),
        "Upload-Length": str(upload.size_bytes),
        "Upload-Metadata": write_metadata(upload.message_id, upload.revision),
    }
    return _answer(HTTPStatus.OK, headers)


@tus
async def append(call: Call) -> web.StreamResponse:
    """Take bytes for as long as they come."""
    _require_offset_stream(call)
    progress = await _append(call, call.uuid("upload"), _number(call, "Upload-Offset"))
    return _answer(HTTPStatus.NO_CONTENT, _where(progress), progress)


@tus
async def terminate(call: Call) -> web.StreamResponse:
    """End an upload."""
    await uploads.terminate(_intake(call), call.participant, call.uuid("upload"))
    return _answer(HTTPStatus.NO_CONTENT, {})


async def overridden(call: Call) -> web.StreamResponse:
    """Take the method from a header, for callers behind something that lets only POST through."""
    method = call.request.headers.get("X-HTTP-Method-Override")
    if method == hdrs.METH_PATCH:
        return await append(call)
    if method == hdrs.METH_DELETE:
        return await terminate(call)
    raise InvalidRequest("method", problem="X-HTTP-Method-Override must be PATCH or DELETE.")


async def _append(call: Call, upload_id: uuid.UUID, offset: int) -> Progress:
    content = call.request.content

    async def receive() -> bytes:
        await call.relay.precedence.give_way()
        try:
            return await content.read(RECEIVE_BYTES)
        except (aiohttp.ClientError, HttpProcessingError, web.RequestPayloadError) as error:
            raise ConnectionError(type(error).__name__) from error

    patch = Patch(
        upload_id=upload_id,
        offset=offset,
        size_bytes=call.request.content_length,
        checksum=_checksum(call),
    )
    return await uploads.append(_intake(call), call.participant, patch, receive)


def _intake(call: Call) -> Intake:
    return Intake(
        database=call.database,
        objects=call.relay.objects,
        upload_connections=call.relay.upload_connections,
        settings=call.settings,
    )


def _number(call: Call, header: str) -> int:
    text = call.request.headers.get(header, "")
    if not _NUMBER.fullmatch(text):
        raise InvalidRequest(header, problem=f"{header} must be a whole number of bytes.")
    return int(text)


def _checksum(call: Call) -> bytes | None:
    text = call.request.headers.get("Upload-Checksum")
    return None if text is None else read_checksum(text)


def _require_offset_stream(call: Call) -> None:
    if call.request.content_type != OFFSET_STREAM:
        raise UnsupportedMedia(call.request.content_type)


def _where(upload: Upload | Progress) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Expires": format_datetime(upload.expires_at.astimezone(UTC), usegmt=True),
    }


def _answer(
    status: HTTPStatus, headers: dict[str, str], progress: Progress | None = None
) -> web.Response:
    answer = web.Response(status=status, headers={hdrs.CACHE_CONTROL: "no-store", **headers})
    if progress is not None and not progress.is_body_read:
        answer.force_close()
    return answer


_SENDERS: Final = (Role.PARTICIPANT, Role.UPLOADER)

ROUTES: Final[tuple[Route, ...]] = (
    route(hdrs.METH_OPTIONS, "/v1/uploads", describe, Role.PUBLIC, load=Load.STATIC),
    route(hdrs.METH_OPTIONS, "/v1/uploads/{upload}", describe_one, Role.PUBLIC, load=Load.STATIC),
    route(hdrs.METH_POST, "/v1/uploads", create, *_SENDERS, load=Load.UPLOAD),
    route(hdrs.METH_HEAD, "/v1/uploads/{upload}", find, *_SENDERS),
    route(hdrs.METH_PATCH, "/v1/uploads/{upload}", append, *_SENDERS, load=Load.UPLOAD),
    route(hdrs.METH_DELETE, "/v1/uploads/{upload}", terminate, *_SENDERS),
    route(hdrs.METH_POST, "/v1/uploads/{upload}", overridden, *_SENDERS, load=Load.UPLOAD),
)

"""The object store: that what is written can be read and removed, and that nobody else can read it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import aiohttp

from relay.doctor.checks import Check, fail, ok, warn
from relay.errors import ConfigurationError
from relay.settings import Settings
from relay.storage.objects import ObjectMissing, Objects, StoreUnavailable

ANSWER_SECONDS: Final = 30
BODY: Final = b"relay doctor"


async def check_store(settings: Settings) -> AsyncIterator[Check]:
    """Everything of the object store; what is written for it is removed again."""
    try:
        objects = await Objects.connect(settings)
    except ConfigurationError as error:
        yield fail(
            "objects", f"{error.detail}. Mount it, or leave it out where the store is not rclone."
        )
        return
    key = f"doctor/{secrets.token_hex(16)}"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for check in _look(objects, settings, key):
                yield check
    except (StoreUnavailable, TimeoutError) as error:
        detail = error.detail if isinstance(error, StoreUnavailable) else "no answer"
        yield fail(
            "objects",
            f"The store does not do what relay asks ({detail}). See RELAY_S3_ENDPOINT and RELAY_S3_BUCKET, "
            "and that the key may get, put, delete and list in that bucket.",
        )
    except ObjectMissing:
        yield fail(
            "objects",
            "What was just written is not there. relay needs a store that reads its own writes.",
        )
    finally:
        await objects.close()


async def _look(objects: Objects, settings: Settings, key: str) -> AsyncIterator[Check]:
    await objects.put(key, BODY)
    try:
        is_same = await objects.get(key) == BODY and key in await objects.keys("doctor")
        is_public = await _is_public(settings, key)
    finally:
        await objects.delete([key])
    if not is_same:
        yield fail("objects", "What comes back is not what was written: use another store.")
    elif await _is_there(objects, key):
        yield fail(
            "objects", "What was removed is still there: nothing that expires would be gone."
        )
    else:
        yield ok("objects", "An object was written, read, listed and removed.")
    yield (
        fail(
            "objects-public",
            "Anybody can read the bucket without a key: close it. Bodies are sealed, names are not.",
        )
        if is_public
        else ok("objects-public", "Without a key nothing is given.")
    )
    yield await _versions(objects)
    yield await _lifecycle(objects)


async def _is_there(objects: Objects, key: str) -> bool:
    try:
        await objects.get(key)
    except ObjectMissing:
        return False
    return True


async def _is_public(settings: Settings, key: str) -> bool:
    """Whether the object, or the list of objects, is given to somebody without a key."""
    bucket = f"{settings.s3_endpoint.rstrip('/')}/{settings.s3_bucket}"
    try:
        async with aiohttp.ClientSession() as http:
            for address in (f"{bucket}/{key}", f"{bucket}?list-type=2"):
                async with http.get(address, allow_redirects=False) as answer:
                    if answer.status == HTTPStatus.OK:
                        return True
    except aiohttp.ClientError as error:
        raise StoreUnavailable(type(error).__name__) from None
    return False


async def _versions(objects: Objects) -> Check:
    name = "objects-versions"
    status = await objects.versioning()
    if status is None:
        return ok(
            name, "This key may not see, or this store does not know, whether versions are kept."
        )
    if status:
        return warn(
            name,
            f"Versioning is {status.lower()}: what is removed may stay. Let old versions expire.",
        )
    return ok(name, "No versions are kept: what relay removes is gone.")


async def _lifecycle(objects: Objects) -> Check:
    name = "objects-lifecycle"
    expiring = await objects.expiring_rules()
    if expiring is None:
        return ok(
            name, "This key may not see, or this store does not know, rules that remove objects."
        )
    if expiring:
        return fail(
            name,
            f"{expiring} rules of the bucket remove objects by their age, which messages need: drop them.",
        )
    return ok(name, "No rule of the bucket removes objects.")

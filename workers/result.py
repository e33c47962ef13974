"""Seals what was made of a video under a fresh file key, and stores it segment by segment."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from typing import Final, Literal

from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.crypto.fields import Part
from relay.media.memory import MemoryFile
from relay.services.processing import SealedResult
from relay.settings import MIB
from relay.storage.objects import Objects
from workers.threads import in_thread

READ_BYTES: Final = MIB


async def store(
    objects: Objects,
    file: MemoryFile,
    *,
    case_id: uuid.UUID,
    object_prefix: str,
    role: Literal["rendition", "poster"],
    media_type: str,
) -> SealedResult:
    """Seal all of `file` into the bucket under `object_prefix`; StoreUnavailable if it does not take it."""
    file_key = age.new_file_key()
    digests = await objects.put_segments(object_prefix, _sealed(file, file_key))
    part = Part(
        role=role,
        type=media_type,
        size=age.sealed_size(file.size),
        segments=[b64u_encode(digest) for digest in digests],
        commit=b64u_encode(age.commit(file_key, case_id)),
    )
    return SealedResult(part=part, object_prefix=object_prefix, file_key=file_key)


async def _sealed(file: MemoryFile, file_key: age.FileKey) -> AsyncGenerator[bytes]:
    sealer = age.Sealer(file_key)
    for offset in range(0, file.size, READ_BYTES):
        yield await in_thread(_seal_run, file, offset, sealer)
    yield sealer.finish()


def _seal_run(file: MemoryFile, offset: int, sealer: age.Sealer) -> bytes:
    return sealer.update(file.read_at(offset, READ_BYTES))

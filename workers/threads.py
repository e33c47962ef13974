"""Work in a thread that is over before its caller is, even one that is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

_Value = TypeVar("_Value")
_Arguments = TypeVarTuple("_Arguments")


async def in_thread(function: Callable[[*_Arguments], _Value], *arguments: *_Arguments) -> _Value:
    """As asyncio.to_thread; cancelled, it waits for the thread.

    The thread writes into files that the caller closes on its way out, and the number of a closed file
    may be another file's the next moment.
    """
    thread = asyncio.create_task(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise

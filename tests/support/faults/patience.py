"""How people and their programs go on while everything fails: try again, and look before they act again."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp

from relay.client.connection import Problem

ANSWER_SECONDS: Final = 12
"""After which somebody tries again, though an answer may still come."""
PAUSE_SECONDS: Final = 0.4

_Value = TypeVar("_Value")

_BROKEN: Final = (aiohttp.ClientError, TimeoutError, ConnectionError)


@dataclasses.dataclass(slots=True)
class Patience:
    """Somebody who does not give up; what relay refused them without reason is a finding."""

    findings: list[str]
    broken: int = 0
    """How many attempts had no answer, or one of 5xx."""

    async def repeat(self, what: str, step: Callable[[], Awaitable[_Value]]) -> _Value:
        """Do the same again until it is answered well; no refusal is right, however often it was done."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await step()
            except _BROKEN:
                pass
            except Problem as problem:
                self._note(what, problem, may_be_done=False)
            self.broken += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def until(
        self,
        what: str,
        look: Callable[[], Awaitable[_Value]],
        is_done: Callable[[_Value], bool],
        act: Callable[[_Value], Awaitable[object]],
    ) -> _Value:
        """Look, and act unless it is done; a refusal is right only after an attempt without an answer."""
        may_be_done = False
        while True:
            seen = await self.repeat(f"look before {what}", look)
            if is_done(seen):
                return seen
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await act(seen)
            except _BROKEN:
                may_be_done = True
            except Problem as problem:
                self._note(what, problem, may_be_done=may_be_done)
                may_be_done = may_be_done or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            else:
                continue
            self.broken += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def _note(self, what: str, problem: Problem, *, may_be_done: bool) -> None:
        is_conflict = problem.status == HTTPStatus.CONFLICT
        if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR and not (may_be_done and is_conflict):
            self.findings.append(f"{what}: {problem.status} {problem.code}")

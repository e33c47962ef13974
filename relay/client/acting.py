"""Signing what may be done again: no two statements of one person read the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from relay.crypto import statements
from relay.crypto.signing import Signer


class ActSigner:
    """Signs acts, each a statement of its own.

    Relay takes the same statement for the same act, and a statement counts whole seconds: what would read
    like one that was signed in this second waits for the next.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._second = datetime.min.replace(tzinfo=UTC)
        self._signed: set[str] = set()

    async def sign(self, make: Callable[[datetime], statements.Statement]) -> str:
        """The signed statement that `make` makes of the time of signing."""
        while True:
            now = datetime.now(UTC)
            second = now.replace(microsecond=0)
            if second != self._second:
                self._second, self._signed = second, set()
            statement = statements.sign(self._signer, make(second))
            if statement not in self._signed:
                self._signed.add(statement)
                return statement
            await asyncio.sleep((second + timedelta(seconds=1) - now).total_seconds())

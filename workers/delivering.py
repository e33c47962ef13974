"""A process that sends events to the receivers of a programme; any number of them may run at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from relay.domain.webhooks import Delivery, Receiver, read_receivers
from relay.errors import ConfigurationError, CryptoError, Unavailable
from relay.handlers.metrics import monitored
from relay.readiness import tell_ready
from relay.services import webhooks
from relay.settings import Settings
from relay.storage.database import IDLE_SECONDS, Database
from relay.tracing import spans
from relay.tracing.spans import Attributes, Span
from workers.webhook_sender import SendingFailed, WebhookSender

AT_ONCE: Final = 32
"""Attempts of one process at one receiver, each at another case."""
LOOK_SECONDS: Final = 0.5
"""Between two looks for something that is due."""
GATHER_SECONDS: Final = 0.02
"""After an attempt has ended: so that those that end at the same time are followed by one look."""
AWAY_SECONDS: Final = 2
"""Between two looks while the database is away."""
STOP_SECONDS: Final = 10
"""How long attempts may go on after SIGTERM."""

_log = logging.getLogger(__name__)


def load_receivers(settings: Settings) -> tuple[Receiver, ...]:
    """The receivers of the file that the settings name; ConfigurationError where there are none."""
    if not settings.webhooks_file:
        raise ConfigurationError("RELAY_WEBHOOKS_FILE is not set")
    try:
        text = Path(settings.webhooks_file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the file that RELAY_WEBHOOKS_FILE names cannot be read") from None
    receivers = read_receivers(text)
    if not receivers:
        raise ConfigurationError("the file that RELAY_WEBHOOKS_FILE names has no [[receiver]]")
    return receivers


async def run_deliverer(settings: Settings) -> None:
    """Send events until SIGTERM or SIGINT; what is under way then has STOP_SECONDS to arrive."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    receivers = load_receivers(settings)
    database = await Database.connect(
        settings.database_url,
        connections=settings.database_pool_connections,
        idle_seconds=IDLE_SECONDS,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await database.warn_of_power()
        await stack.enter_async_context(monitored(settings, database=database))
        deliverers = await _deliverers(stack, database, receivers)
        for receiver in receivers:
            await webhooks.register(database, receiver)
        _log.info("delivering to %s", ", ".join(receiver.name for receiver in receivers))
        tell_ready()
        await asyncio.gather(*(deliverer.run(stop) for deliverer in deliverers))
    _log.info("deliverer stopped")


async def _deliverers(
    stack: contextlib.AsyncExitStack, database: Database, receivers: Sequence[Receiver]
) -> list[Deliverer]:
    made = []
    for receiver in receivers:
        try:
            sender = WebhookSender(receiver, connections=AT_ONCE)
        except CryptoError as error:
            raise ConfigurationError(
                f"the webhook receiver {receiver.name!r}: {error.detail}"
            ) from None
        await stack.enter_async_context(sender)
        made.append(Deliverer(database, receiver, sender))
    return made


class Deliverer:
    """Sends to one receiver what is due for it."""

    def __init__(self, database: Database, receiver: Receiver, sender: WebhookSender) -> None:
        self._database = database
        self._receiver = receiver
        self._sender = sender
        self._attempts: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then let what is under way end."""
        stopping = asyncio.create_task(stop.wait())
        is_away = False
        try:
            while not stop.is_set():
                try:
                    await self._begin()
                    is_away = False
                except Unavailable as error:
                    if not is_away:
                        _log.warning("the database is away: %s", error.detail)
                    is_away = True
                await self._rest(stopping, AWAY_SECONDS if is_away else LOOK_SECONDS)
        finally:
            stopping.cancel()
            await self._finish()

    async def _begin(self) -> None:
        """Begin an attempt at whatever is due, as far as there is room."""
        self._ended.clear()
        free = AT_ONCE - len(self._attempts)
        if free:
            for delivery in await webhooks.claim(self._database, self._receiver, free):
                attempt = asyncio.create_task(self._attempt(delivery))
                self._attempts.add(attempt)
                attempt.add_done_callback(self._end)

    def _end(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._ended.set()
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            _log.error("an attempt ended with %s", type(error).__name__)

    async def _rest(self, stopping: asyncio.Task[bool], seconds: float) -> None:
        """Wait until an attempt ends, something may be due, or the process is to stop."""
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait({stopping, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not ended.cancel():
            await asyncio.sleep(GATHER_SECONDS)

    async def _attempt(self, delivery: Delivery) -> None:
        """Send it, and write down what came of it; where that fails its claim runs out.

        Each attempt is a trace of its own: nothing is kept of the request that an event came from.
        """
        of_attempt: Attributes = {
            "relay.receiver": self._receiver.name,
            "relay.delivery.attempt": delivery.attempts,
        }
        with spans.trace("deliver", attributes=of_attempt) as span:
            await self._send(delivery, span)

    async def _send(self, delivery: Delivery, span: Span) -> None:
        try:
            await self._send_and_note(delivery, span)
        except Unavailable as error:
            _log.warning("what came of an attempt was not noted: %s", error.detail)
        except asyncio.CancelledError:
            await webhooks.give_back(self._database, self._receiver, delivery)
            raise

    async def _send_and_note(self, delivery: Delivery, span: Span) -> None:
        try:
            if delivery.event is not None:
                await self._sender.send(delivery.event)
            await webhooks.arrived(self._database, self._receiver, delivery)
        except SendingFailed as error:
            span.fail(error.failure)
            await webhooks.failed(
                self._database, self._receiver, delivery, error.failure, error.asked_for
            )

    async def _finish(self) -> None:
        attempts = set(self._attempts)
        if attempts:
            _late, pending = await asyncio.wait(attempts, timeout=STOP_SECONDS)
            for attempt in pending:
                attempt.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

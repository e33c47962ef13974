"""Listens at every way out of relay, in whatever process: log, traces, metrics, refusals, webhooks, feeds."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import prometheus_client
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from relay import logs
from relay.metrics import REGISTRY
from relay.tracing import spans
from relay.tracing.context import TraceContext
from relay.tracing.spans import Attributes, Kind, Recorder, Span
from tests.support.privacy.net import Exit
from tests.support.privacy.rewiring import put

Leaves: TypeAlias = Callable[[Exit, bytes], None]
"""Is told what leaves."""

FEED: Final = "text/event-stream"
PROBLEM: Final = "application/problem+json"
OF_TESTS: Final = frozenset({"mail.log"})
"""Loggers of servers that only tests run: the one that takes the e-mails of a case system."""


class _Lines:
    """Takes what a handler of relay's logging writes."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves

    def write(self, text: str) -> None:
        """A line, or its end."""
        self._leaves(Exit.LOG, text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """There is nothing to flush."""


def line_handler(leaves: Leaves) -> logging.Handler:
    """Writes lines as `relay serve` does, all that it says of one."""
    handler = logs.handler("json", _Lines(leaves))  # type: ignore[arg-type]  # all that it asks of a stream
    handler.addFilter(lambda record: record.name not in OF_TESTS)
    return handler


def hear_lines(handler: logging.Handler) -> None:
    """From now on, as much is logged as `relay serve` logs, and to this handler as well."""
    root = logging.getLogger()
    root.setLevel(min(root.level, logging.INFO))
    if handler not in root.handlers:
        root.addHandler(handler)
    for chatty in logs.CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _HeardSpan:
    """A span of which everything is heard, and which is in no trace: nothing else changes by it."""

    context: Final[TraceContext | None] = None
    is_kept: Final = True

    def __init__(self, recorder: HearingRecorder) -> None:
        self._recorder = recorder

    def set(self, name: str, value: str | float) -> None:
        """Hear it."""
        self._recorder.hear(name, value)

    def fail(self, error: str) -> None:
        """Hear it."""
        self._recorder.hear("error.type", error)

    def end(self, seconds: float | None = None) -> None:
        """There is nothing more to hear."""


class HearingRecorder:
    """Hears each thing that is said of any span, once."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves
        self._heard: set[tuple[str, str | float]] = set()
        self._span: Final = _HeardSpan(self)

    def start(self, name: str, kind: Kind, attributes: Attributes, **_more: object) -> Span:  # noqa: ARG002 - as a recorder
        """Begin a span."""
        self.hear("name", name)
        for of, value in attributes.items():
            self.hear(of, value)
        return self._span

    def hear(self, name: str, value: str | float) -> None:
        """Tell what was not told before."""
        if (name, value) not in self._heard:
            self._heard.add((name, value))
            self._leaves(Exit.TRACE, f"{name}={value}".encode("utf-8", "backslashreplace"))

    def forget(self) -> None:
        """Tell everything once more."""
        self._heard.clear()


def hear_spans(recorder: HearingRecorder) -> None:
    """From now on, where nobody else records."""
    use = spans.use

    def use_or_hear(given: Recorder | None) -> None:
        use(recorder if given is None else given)

    put(spans, "use", use_or_hear)
    spans.use(None)


def metrics() -> bytes:
    """All that this process measures."""
    return prometheus_client.generate_latest(REGISTRY)


def hear_servers(leaves: Leaves) -> None:
    """Of every application that is served from now on: refusals, events of feeds, and webhooks that come."""
    prepare, write = web.AppRunner.__init__, web.StreamResponse.write

    @web.middleware
    async def hear(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "webhook-id" in request.headers:
            with contextlib.suppress(web.HTTPException, web.PayloadAccessError, ConnectionError):
                leaves(Exit.WEBHOOK, _spell(request.headers) + await request.read())
        answer = await handler(request)
        if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            if answer.content_type == PROBLEM:
                leaves(Exit.PROBLEM, _spell(answer.headers) + answer.body)
            elif request.path == "/metrics":
                leaves(Exit.METRIC, answer.body)
        return answer

    @functools.wraps(prepare)
    def prepared(runner: web.AppRunner, app: web.Application, **options: Any) -> None:
        if not app.frozen:
            app.middlewares.insert(0, hear)
        prepare(runner, app, **options)

    @functools.wraps(write)
    async def written(response: web.StreamResponse, data: bytes) -> None:
        if response.headers.get(hdrs.CONTENT_TYPE) == FEED:
            leaves(Exit.FEED, bytes(data))
        await write(response, data)

    put(web.AppRunner, "__init__", prepared)
    put(web.StreamResponse, "write", written)


def _spell(headers: Any) -> bytes:
    return "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()

"""A collector of traces on loopback: takes OTLP over HTTP, and may be slow, out of order or away."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from relay.tracing.process import recording
from relay.tracing.variables import read
from tests.support.relays import LoopThread

SOON_SECONDS: Final = 15
ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A span as it came."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty where it has none."""
    links: tuple[tuple[str, str], ...]
    """The trace and the span of each."""
    attributes: Mapping[str, str | int | float | bool]
    is_error: bool
    began: int
    ended: int
    """Both in nanoseconds."""
    resource: Mapping[str, str | int | float | bool]
    everything: str
    """All of it as text, also what has no place above."""


class Collector:
    """What was sent, and how it is answered."""

    def __init__(self) -> None:
        self.spans: list[Collected] = []
        self.headers: list[Mapping[str, str]] = []
        self.status = 200
        self.hangs = False
        self.url = ""
        self._loop = LoopThread()
        self._runner: web.AppRunner | None = None
        self._gone = asyncio.Event()

    def named(self, name: str) -> list[Collected]:
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]

    def children(self, parent: Collected) -> list[Collected]:
        """The spans right inside another, in their order."""
        found = [span for span in self.spans if span.parent_id == parent.span_id]
        return sorted(found, key=lambda span: span.began)

    def until(self, done: Callable[[], object]) -> None:
        """Wait for something; TimeoutError."""
        end = time.monotonic() + SOON_SECONDS
        while not done():
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.02)

    def come(self) -> None:
        """Listen."""
        self._loop.run(self._come())

    def go(self) -> None:
        """Answer who waits, and listen no more."""
        self._loop.run(self._go())
        self._loop.close()

    async def _go(self) -> None:
        self._gone.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _come(self) -> None:
        application = web.Application(client_max_size=2**26)
        application.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _take(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.read()
        if self.hangs:
            await self._gone.wait()
            return web.Response(status=503)
        if self.status != 200:
            return web.Response(status=self.status, reason="words-of-the-collector")
        sent = ExportTraceServiceRequest.FromString(body)
        self.spans += [
            _collected(span, batch.resource)
            for batch in sent.resource_spans
            for scope in batch.scope_spans
            for span in scope.spans
        ]
        return web.Response(content_type="application/x-protobuf")


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector during the block."""
    found = Collector()
    found.come()
    try:
        yield found
    finally:
        found.go()


@contextlib.contextmanager
def traced(collecting: Collector, **variables: str) -> Iterator[None]:
    """Record what this process does, and have it sent; all of it has arrived at the end of the block."""
    exporting = read({ENDPOINT: collecting.url, **variables}, "relay-test")
    assert exporting is not None
    with recording(exporting):
        yield


def _collected(span: Span, resource: Resource) -> Collected:
    return Collected(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        attributes=_attributes(span.attributes),
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        resource=_attributes(resource.attributes),
        everything=str(span),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str | int | float | bool]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> str | int | float | bool:
    kind = value.WhichOneof("value")
    assert kind in {"string_value", "int_value", "double_value", "bool_value"}
    found: str | int | float | bool = getattr(value, kind)
    return found

"""The only file that imports OpenTelemetry: records spans, and sends them to a collector from a thread.

Nothing waits for the collector. Spans that it does not take in time are dropped, oldest first, and what its
library has to say of that becomes one line a minute of the log, without any text of the collector's.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from importlib import metadata
from typing import Final

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from relay.tracing.context import TraceContext
from relay.tracing.spans import Attributes, Kind, Span
from relay.tracing.variables import Exporting

SEND_SECONDS: Final = 5
"""How long one attempt to send a batch may take, with what is tried again."""
BATCH_SPANS: Final = 512
QUEUE_SPANS: Final = 4096
"""So many spans wait at most, about 8 MiB; of more the oldest are dropped."""
EVERY_SECONDS: Final = 2
EXIT_SECONDS: Final = 2
"""How long the end of a process waits for what is not sent yet."""
TOLD_SECONDS: Final = 60
"""Between two lines of the log that say that traces are lost."""
_SECOND: Final = 1_000_000_000

_log = logging.getLogger(__name__)
_KINDS: Final = {kind: SpanKind[kind.value] for kind in Kind}


class ExportedSpan:
    """A span of OpenTelemetry's, by what relay says of one."""

    __slots__ = ("_began", "_has_failed", "is_kept", "span")

    def __init__(self, span: SdkSpan, began: int) -> None:
        self.span = span
        self._began = began
        self._has_failed = False
        self.is_kept = span.is_recording()

    @property
    def context(self) -> TraceContext:
        """Its identifiers."""
        found = self.span.get_span_context()
        return TraceContext(
            f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled
        )

    def set(self, name: str, value: str | float) -> None:
        """Say something more of it."""
        self.span.set_attribute(name, value)

    def fail(self, error: str) -> None:
        """It ended with an error, of which nothing is said but this; the first one counts."""
        if self._has_failed:
            return
        self._has_failed = True
        self.span.set_attribute("error.type", error)
        self.span.set_status(Status(StatusCode.ERROR))

    def end(self, seconds: float | None = None) -> None:
        """It is over now, or was so long after its beginning."""
        self.span.end(None if seconds is None else self._began + int(seconds * _SECOND))


class Exporter:
    """Records spans and sends them, in batches and from a thread, until it is closed."""

    def __init__(self, exporting: Exporting) -> None:
        _NOTICES.listen()
        # None of the library's own variables is left to it, but for proxies on the way to the collector.
        sender = OTLPSpanExporter(
            endpoint=exporting.endpoint,
            headers=exporting.headers,
            certificate_file=exporting.certificate_file,
            client_key_file=exporting.client_key_file,
            client_certificate_file=exporting.client_certificate_file,
            timeout=SEND_SECONDS,
            compression=Compression(exporting.compression),
            session=requests.Session(),
        )
        self._provider = TracerProvider(
            sampler=_sampler(exporting),
            resource=_resource(exporting),
            span_limits=SpanLimits(
                max_attributes=32,
                max_span_attributes=32,
                max_event_attributes=0,
                max_link_attributes=0,
                max_events=0,
                max_links=1,
                max_attribute_length=256,
                max_span_attribute_length=256,
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                sender,
                max_queue_size=QUEUE_SPANS,
                schedule_delay_millis=EVERY_SECONDS * 1000,
                max_export_batch_size=BATCH_SPANS,
            )
        )
        self._tracer = self._provider.get_tracer("relay")

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: TraceContext | Span | None,
        link: TraceContext | None,
        seconds_ago: float,
    ) -> Span:
        """Begin a span."""
        began = time.time_ns() - int(seconds_ago * _SECOND)
        context = Context()
        if isinstance(parent, ExportedSpan):
            context = set_span_in_context(parent.span, context)
        elif isinstance(parent, TraceContext):
            context = set_span_in_context(NonRecordingSpan(_context_of(parent)), context)
        made = self._tracer.start_span(
            name,
            context=context,
            kind=_KINDS[kind],
            attributes=attributes,
            links=() if link is None else (Link(_context_of(link)),),
            start_time=began,
        )
        return ExportedSpan(made, began)

    def close(self) -> None:
        """Send what is left, for EXIT_SECONDS at most; what the collector did not take then is lost."""
        # The library would wait for half a minute. Its own thread, as this one, keeps no process alive.
        closing = threading.Thread(
            target=self._provider.shutdown, name="end of traces", daemon=True
        )
        closing.start()
        closing.join(EXIT_SECONDS)


def _context_of(trace: TraceContext) -> SpanContext:
    return SpanContext(
        trace_id=int(trace.trace_id, 16),
        span_id=int(trace.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if trace.is_sampled else TraceFlags.DEFAULT),
    )


def _sampler(exporting: Exporting) -> Sampler:
    is_by_parent = exporting.sampler.startswith("parentbased_")
    match exporting.sampler.removeprefix("parentbased_"):
        case "always_on":
            root: Sampler = ALWAYS_ON
        case "always_off":
            root = ALWAYS_OFF
        case _:
            root = TraceIdRatioBased(exporting.ratio)
    return ParentBased(root) if is_by_parent else root


def _resource(exporting: Exporting) -> Resource:
    """What every span is of. No detector is asked: they name hosts, users, files and command lines."""
    return Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": metadata.version("opentelemetry-sdk"),
            "service.version": metadata.version("relay"),
            "service.instance.id": str(uuid.uuid4()),
            **exporting.resource,
        }
    )


class _Notices(logging.Handler):
    """Takes the lines of the library, whose texts quote the collector, and says once a minute how it is."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told = 0.0

    def listen(self) -> None:
        """Be the only one who hears the library, as long as the process lives: its thread may outlive us."""
        library = logging.getLogger("opentelemetry")
        library.propagate = False
        library.addHandler(self)
        self._told = -float(TOLD_SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Say that traces are lost, unless that was said a moment ago."""
        now = time.monotonic()
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            _log.warning(
                "the collector does not take all traces (%s): what does not fit is dropped",
                _reason(record),
            )


_NOTICES: Final = _Notices()


def _reason(record: logging.LogRecord) -> str:
    """A status or the type of an error out of what the library says; none of its words."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    for argument in arguments:
        if isinstance(argument, BaseException):
            return type(argument).__name__
        if isinstance(argument, int):
            return f"status {argument}"
    return "the queue is full" if record.msg.startswith("Queue full") else "no answer"

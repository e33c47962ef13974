"""What relay measures of itself, for Prometheus: every instrument of every process, in one place.

Labels come from what is written in the code, such as the pattern of a route or the code of an error: never
from a request, a row or a file. docs/operations.md has the table of all of them; a test holds it to this.
"""

from __future__ import annotations

from typing import Final

import msgspec
import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each series

REGISTRY: Final = CollectorRegistry(auto_describe=False)
"""What this process counts from its start on; several applications in one process count together."""

_ANSWER_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WAIT_SECONDS: Final = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
_JOB_SECONDS: Final = (5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800)
_RATIOS: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)

HTTP_REQUESTS: Final = Counter(
    "relay_http_requests_total",
    "Requests that were answered, by the pattern of their route and the class of the status.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
HTTP_SECONDS: Final = Histogram(
    "relay_http_request_duration_seconds",
    "From the head of a request to the end of its answer; of a live feed, for as long as it lasts.",
    ("route", "method"),
    buckets=_ANSWER_SECONDS,
    registry=REGISTRY,
)

UPLOAD_CONNECTIONS: Final = Gauge(
    "relay_upload_connections",
    "Connections that are writing to an upload now.",
    registry=REGISTRY,
)
UPLOAD_CONNECTIONS_ENDED: Final = Counter(
    "relay_upload_connections_ended_total",
    "Connections that wrote to an upload: `read` to the end of the request, `broken`, `idle`, or the code of "
    "the error that ended it.",
    ("reason",),
    registry=REGISTRY,
)
UPLOAD_BYTES: Final = Counter(
    "relay_upload_received_bytes_total",
    "Bytes of uploads that arrived.",
    registry=REGISTRY,
)
UPLOADS_ENDED: Final = Counter(
    "relay_uploads_ended_total",
    "Uploads that ended: `submitted` with a message, `terminated` by the sender, `replaced` by newer ones, "
    "`dropped` with their draft or for another upload, or `expired`.",
    ("reason",),
    registry=REGISTRY,
)

JOB_SECONDS: Final = Histogram(
    "relay_job_duration_seconds",
    "One attempt at a video, by how it ended: `done`, `failed` for good, `retry`, `lost` to another "
    "worker or `given-back`.",
    ("outcome",),
    buckets=_JOB_SECONDS,
    registry=REGISTRY,
)
JOB_FAILURES: Final = Counter(
    "relay_job_failures_total",
    "Videos that could not be prepared, by the code that their sender is told.",
    ("code",),
    registry=REGISTRY,
)
JOB_RETRIES: Final = Counter(
    "relay_job_retries_total",
    "Attempts that failed and are made again, by the code or the type of the error.",
    ("code",),
    registry=REGISTRY,
)
TRANSCODE_RATIO: Final = Histogram(
    "relay_transcode_ratio",
    "Seconds of a recording that were transcoded in one second.",
    buckets=_RATIOS,
    registry=REGISTRY,
)
SWEEP_FAILURES: Final = Counter(
    "relay_sweep_failures_total",
    "Steps of a worker's sweep that failed, by their name; each is tried again with the next sweep.",
    ("step",),
    registry=REGISTRY,
)

POOL_WAIT: Final = Histogram(
    "relay_database_pool_wait_seconds",
    "How long who needs a connection to the database waits for one of the pool.",
    buckets=_WAIT_SECONDS,
    registry=REGISTRY,
)
POOL_WAITING: Final = Gauge(
    "relay_database_pool_waiting",
    "Who waits for a connection of the pool now.",
    registry=REGISTRY,
)
LOOP_LAG: Final = Histogram(
    "relay_event_loop_lag_seconds",
    "How much later than due the event loop comes back to what it has to do, twice a second.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=REGISTRY,
)


class Seen(msgspec.Struct, frozen=True):
    """A gauge whose values are looked up rather than counted; absent while nobody could look."""

    name: str
    help: str
    label: str | None = None

    def family(self) -> GaugeMetricFamily:
        """Its name and help, to which values are added."""
        return GaugeMetricFamily(self.name, self.help, labels=[self.label] if self.label else None)


DATABASE_UP: Final = Seen("relay_database_up", "Whether the database answers this process.")
OBJECTS_UP: Final = Seen(
    "relay_objects_up", "Whether the object store answers this process; without it, videos wait."
)
REDIS_UP: Final = Seen(
    "relay_redis_up", "Whether Redis answers this process; without it, a worker is woken later."
)
POOL_SIZE: Final = Seen("relay_database_pool_size", "Connections of the pool that are open.")
POOL_IDLE: Final = Seen("relay_database_pool_idle", "Connections of the pool that nobody uses now.")
POOL_MAX: Final = Seen(
    "relay_database_pool_max",
    "Connections that the pool may open: RELAY_DATABASE_POOL_CONNECTIONS.",
)
LOOP_BLOCKED: Final = Seen(
    "relay_event_loop_blocked_seconds",
    "For how long, at most, relay itself kept its event loop from everything else in the last minute; to "
    "10 ms, and without what the machine gave to other processes.",
)
OF_PROCESS: Final = (
    DATABASE_UP,
    OBJECTS_UP,
    REDIS_UP,
    POOL_SIZE,
    POOL_IDLE,
    POOL_MAX,
    LOOP_BLOCKED,
)
"""Looked up in every process."""

FIGURES: Final = (
    Seen(
        "relay_queue_items",
        "What waits for somebody: `review`, a `second-approval`, an `offer` after the approvals, `claims` to "
        "be verified, rows of the log that the case system has not asked for (`outbox`), or the next event "
        "of a case for a receiver (`webhooks`).",
        "queue",
    ),
    Seen(
        "relay_queue_oldest_seconds",
        "How long the oldest item of each queue has waited; 0 where the queue is empty.",
        "queue",
    ),
    Seen(
        "relay_leases",
        "Leases that hold: of mediators on what they `review`, of workers on a `job`.",
        "kind",
    ),
    Seen("relay_jobs", "Videos to be prepared: `waiting` or `running`.", "state"),
    Seen(
        "relay_job_oldest_seconds",
        "How long ago the oldest job in each state began to wait; 0 where there is none.",
        "state",
    ),
    Seen("relay_uploads_open", "Uploads that were begun and can be continued."),
    Seen(
        "relay_orphans",
        "Objects of the store, counted by what they belonged to, that are still to be removed or just being "
        "written.",
    ),
    Seen(
        "relay_orphan_oldest_seconds",
        "How long the oldest of them has been noted; 0 where there is none.",
    ),
    Seen("relay_dead_letters", "Events that a receiver of webhooks did not take in three days."),
    Seen("relay_log_head", "The number of the newest row of the log of all cases."),
    Seen("relay_events_head", "The number of the newest event that the case system was told."),
    Seen(
        "relay_credential_ends_timestamp_seconds",
        "When the next credential of this role ends that has no successor; absent where there is none.",
        "role",
    ),
    Seen("relay_database_bytes", "What the database takes up on its disk."),
)
"""What is read from the database, by the workers alone; relay/storage/sql/monitoring.sql gives the values."""


AUDIT_FINDINGS: Final = Seen(
    "relay_audit_findings",
    "What the last `relay audit verify --metrics` found, by its code.",
    "code",
)
AUDIT_FINISHED: Final = Seen(
    "relay_audit_finished_timestamp_seconds", "When that audit ended, in seconds since 1970."
)
OF_AUDIT: Final = (AUDIT_FINDINGS, AUDIT_FINISHED)
"""Written to a file by the audit, for the textfile collector of Prometheus' node exporter."""


def names() -> list[str]:
    """The name of every metric that relay defines, as its samples or their family are called."""
    counted = [
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in REGISTRY.collect()
    ]
    return counted + [seen.name for seen in (*OF_PROCESS, *FIGURES, *OF_AUDIT)]

"""Sends the traces of a process while it runs, where its environment names a collector."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping

from relay.errors import ExtraMissing
from relay.tracing import spans
from relay.tracing.variables import Exporting, not_read, read

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def traced(environment: Mapping[str, str], service: str) -> Iterator[None]:
    """Record and send the spans of this process during the block; nothing where no collector is named.

    `service` is the name of the process unless the environment has another. ConfigurationError where a
    variable is wrong; ExtraMissing where the packages are not there. At the end what was not sent yet has
    EXIT_SECONDS, whether the collector answers or not.
    """
    exporting = read(environment, service)
    if exporting is None:
        yield
        return
    if names := not_read(environment):
        _log.warning("variables of OpenTelemetry that relay does not read: %s", ", ".join(names))
    with recording(exporting):
        _log.info("traces are sent to a collector")
        yield


@contextlib.contextmanager
def recording(exporting: Exporting) -> Iterator[None]:
    """Record and send what is done in this block, in whatever task or thread."""
    try:
        from relay.tracing.export import Exporter  # noqa: PLC0415 - of an extra, and not imported for nothing
    except ModuleNotFoundError:
        raise ExtraMissing("pip install 'relay[traces]'") from None
    exporter = Exporter(exporting)
    spans.use(exporter)
    try:
        yield
    finally:
        spans.use(None)
        exporter.close()

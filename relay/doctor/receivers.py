"""Whom events are sent to: whether the file can be read, and says enough."""

from __future__ import annotations

from relay.doctor.checks import Check, fail, ok
from relay.errors import ConfigurationError
from relay.settings import Settings
from workers.delivering import load_receivers


def check_receivers(settings: Settings) -> Check:
    """The file of receivers. Whether they answer, `relay webhooks test` shows: it sends them an event."""
    name = "receivers"
    try:
        receivers = load_receivers(settings)
    except ConfigurationError as error:
        return fail(name, f"{error.sentence('en')} ({error.detail})")
    listed = ", ".join(one.name for one in receivers)
    return ok(name, f"{listed}. `relay webhooks test` sends them an event.")

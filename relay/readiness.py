"""Tells whoever started this process that it is ready, as systemd asks for it (`Type=notify`)."""

from __future__ import annotations

import logging
import os
import socket
from typing import Final

_PLACE: Final = "NOTIFY_SOCKET"

_log = logging.getLogger(__name__)


def tell_ready() -> None:
    """Say that this process does its work from now on; nothing where nobody asks.

    A socket that takes nothing is logged: it is no reason to end.
    """
    place = os.environ.get(_PLACE, "")
    if not place:
        return
    if place.startswith("@"):  # an abstract one
        place = f"\0{place[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(b"READY=1", place)
    except OSError as error:
        _log.warning("%s takes no message: %s", _PLACE, error.strerror)

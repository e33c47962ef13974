"""What a process tells whoever started it, once it does its work."""

from __future__ import annotations

import logging
import socket
import tempfile
from pathlib import Path

import pytest

from relay.readiness import tell_ready


@pytest.mark.parametrize("is_abstract", [False, True])
def test_whoever_asks_is_told_once(is_abstract: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """At a socket in a folder, or at one that only the kernel knows."""
    with (
        tempfile.TemporaryDirectory(prefix="relay-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        place = f"{folder}/notify"
        told.bind(f"\0{place}" if is_abstract else place)
        told.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{place}" if is_abstract else place)
        tell_ready()
        assert told.recv(100) == b"READY=1"
        with pytest.raises(BlockingIOError):
            told.recv(100)


def test_nobody_is_told_where_nobody_asks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In a terminal or a container there is nobody, and nothing is said of it."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_ready()
    assert caplog.records == []


def test_a_socket_that_is_gone_ends_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the work goes on."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with caplog.at_level(logging.WARNING):
        tell_ready()
    assert "NOTIFY_SOCKET takes no message: No such file or directory" in caplog.text

"""Has every run of the tests searched: nothing that a test knows to be secret leaves relay while it runs.

Each process of a run looks once a file of tests is done. What is found fails the last test of that file, with
the test that it happened in, the kind of secret and the way out; the secret itself is shown nowhere.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from tests.support.privacy import leaving
from tests.support.privacy.net import Exit, net
from tests.support.privacy.processes import Processes

NAME: Final = "privacy"
"""What pytest knows it by."""


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run."""
    config.pluginmanager.register(Searching(), NAME)


class Searching:
    """Listens from the moment that all tests are known."""

    def __init__(self) -> None:
        self._end = contextlib.ExitStack()
        self._processes: Processes | None = None
        self._lines: logging.Handler | None = None
        self._spans = leaving.HearingRecorder(_leaves)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Every module of relay and of the tests is there by now, and can be listened to."""
        if session.config.option.collectonly or self._lines is not None or not session.items:
            return
        from tests.support.privacy import origins  # noqa: PLC0415 - it imports all that it listens to

        self._lines = leaving.line_handler(_leaves)
        # More is logged than without this; what is shown beside a failure stays what it was.
        reports = session.config.pluginmanager.get_plugin("logging-plugin")
        if reports is not None:
            reports.report_handler.setLevel(logging.WARNING)
        leaving.hear_spans(self._spans)
        leaving.hear_servers(_leaves)
        origins.listen()
        folder = tempfile.TemporaryDirectory(prefix="relay-exits-")
        self._processes = Processes(Path(self._end.enter_context(folder)))
        self._end.callback(self._processes.close)
        self._processes.listen()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Say which test runs; a test before it may have changed what is logged."""
        net().where = item.nodeid
        if self._lines is not None:
            leaving.hear_lines(self._lines)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """What is made for the whole run is known for the whole run."""
        before = net().stays
        net().stays = before or fixturedef.scope == "session"
        try:
            return (yield)
        finally:
            net().stays = before

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None]:
        """Look, once the last test of a file is done."""
        yield
        if nextitem is not None and nextitem.path == item.path:
            return
        self.hand_over()
        found = net().look()
        if found:
            lines = "\n".join(map(str, found))
            pytest.fail(f"secrets have left relay:\n{lines}", pytrace=False)

    def hand_over(self) -> None:
        """Give the net what is not told as it happens: what processes wrote, and what is measured."""
        if self._processes is not None:
            self._processes.hand_over(net())
        net().leaves(Exit.METRIC, leaving.metrics())
        self._spans.forget()

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        self._end.close()


def _leaves(by: Exit, content: bytes) -> None:
    net().leaves(by, content)

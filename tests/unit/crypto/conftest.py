"""Node with other people's age packages in it, for the tests that compare relay with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node import INTEROP, Node


@pytest.fixture(scope="session")
def node() -> Node:
    """A Node with the packages of tests/interop."""
    return Node.installed(INTEROP)


@pytest.fixture(scope="session")
def testkit(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every vector of the age test kit."""
    folder = tmp_path_factory.mktemp("testkit")
    node.run("testkit.mjs", folder)
    return folder

"""What other people's tools make of docs/openapi.yaml: linters, and clients that speak to a running relay."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from relay.domain.notifications import NotificationType
from relay.domain.tokens import Scope
from relay.errors import InvalidRequest, NotFound, Unauthenticated
from relay.testing.people import Case, Organization
from tests.support.generated_clients import in_python, in_typescript
from tests.support.node import CLIENTS, Node
from tests.support.openapi import DOCUMENT

pytestmark = pytest.mark.builds

Generator: TypeAlias = Callable[[Path], list[str | Path]]

LINTERS: Final = {
    "redocly": [
        "node_modules/@redocly/cli/bin/cli.js",
        "lint",
        f"--config={CLIENTS / 'redocly.yaml'}",
    ],
    "spectral": [
        "node_modules/@stoplight/spectral-cli/dist/index.js",
        "lint",
        f"--ruleset={CLIENTS / '.spectral.yaml'}",
        "--fail-severity=hint",
    ],
}


@pytest.fixture(scope="module")
def node() -> Node:
    """A Node with the packages of tests/clients."""
    return Node.installed(CLIENTS)


def _lint(node: Node, linter: str, document: Path) -> subprocess.CompletedProcess[str]:
    script, *arguments = LINTERS[linter]
    return subprocess.run(
        [node.node, node.folder / script, *arguments, document],
        cwd=node.folder,
        env={**os.environ, "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_TELEMETRY": "off"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("linter", LINTERS)
def test_linters_find_nothing(node: Node, linter: str) -> None:
    """Every rule holds but those that the rulesets name with a reason; a warning fails as well."""
    linted = _lint(node, linter, DOCUMENT)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "warning" not in linted.stdout


@pytest.mark.parametrize("linter", LINTERS)
def test_linters_find_what_is_wrong(node: Node, linter: str, tmp_path: Path) -> None:
    """An operation with neither summary nor description does not pass: each tool warns of one of the two."""
    text = DOCUMENT.read_text("utf-8")
    false = re.sub(r"( +summary: One case\n)( +description: .+\n)", "", text)
    assert false != text
    document = tmp_path / "openapi.yaml"
    document.write_text(false)
    assert _lint(node, linter, document).returncode == 1


@pytest.mark.parametrize("generate", [in_python, in_typescript])
async def test_a_generated_client_is_of_use(
    people: Organization, case: Case, relay_url: str, tmp_path: Path, generate: Generator
) -> None:
    """It registers a case, reads it and the events, and is refused in types, from the description alone."""
    command = await asyncio.to_thread(generate, tmp_path)
    told = {
        "url": relay_url,
        "token": people.case_system.token(*Scope),
        "case": str(uuid.uuid4()),
        "reference": "RO-2030-0117",
        "harmed": str(uuid.uuid4()),
        "responsible": str(uuid.uuid4()),
        "mediator": str(case.mediator.credential_id),
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate(json.dumps(told).encode())
    assert process.returncode == 0, complaints.decode()
    said = json.loads(printed)
    events = said.pop("events")
    assert said == {
        "registered": told["case"],
        "roles": ["harmed", "responsible"],
        "page_of_one": 1,
        "problems": [[404, "not-found"], [401, "unauthenticated"], [400, "invalid-request"]],
        "titles": [
            NotFound.sentence("en"),
            Unauthenticated.sentence("en"),
            InvalidRequest.sentence("fr"),
        ],
    }
    assert set(events) <= set(NotificationType)
    assert NotificationType.CASE_OPENED in events

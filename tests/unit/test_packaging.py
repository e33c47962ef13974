"""What `pip install relay` gives, and what each extra adds: nothing asks for more than it brings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

PROJECT: Final = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))[
    "project"
]

HIDE: Final = """
import json, sys

hidden = frozenset(json.loads(sys.argv.pop(1)))
finders = list(sys.meta_path)

class Visible:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in hidden:
            specs = (finder.find_spec(name, path, target) for finder in finders)
            return next((spec for spec in specs if spec is not None), None)

sys.meta_path[:] = [Visible()]
"""
"""What is named is found no more, as if it were not installed."""

IMPORT: Final = "from importlib import import_module\nfor name in sys.argv[1:]: import_module(name)"

LETTER: Final = """
import uuid
import relay.client.administrator, relay.client.case_system, relay.client.mediator
import relay.client.participant, relay.testing.people
from relay.client.sealing import open_text, seal_text
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.domain.messages import Audience, PartRole, PartView

case, reader = uuid.uuid4(), HybridIdentity.generate()
sealed = seal_text(case, "body", "Où étiez-vous?")
header = sealed.grant(Audience.CASE, case, str(reader.recipient)).header
view = PartView(
    commitment=sealed.part.commit, role=PartRole.BODY, media_type=sealed.part.type,
    size_bytes=sealed.part.size, body=sealed.body, header=header,
)
print(open_text(case, sealed.part, view, [reader]))
"""

MAILBOX: Final = frozenset({"aiosmtpd", "atpublic", "attrs"})
"""What takes the e-mails of the demo."""
COMMAND: Final = "from relay.__main__ import main\nmain()"


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


@cache
def _owners() -> dict[str, set[str]]:
    """The distributions that each importable name comes from."""
    return {
        module: {_name(owner) for owner in owners}
        for module, owners in metadata.packages_distributions().items()
    }


@cache
def _brought(extra: str | None) -> set[str]:
    """The distributions that an installation of relay with this extra has, as the metadata says."""
    waiting = [(Requirement(line), "") for line in PROJECT["dependencies"]]
    if extra:
        waiting.append((Requirement(f"relay[{extra}]"), ""))
    found = {"relay"}
    while waiting:
        requirement, of_extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": of_extra}):
            continue
        name = _name(requirement.name)
        if name == "relay":
            for asked in requirement.extras:
                lines = PROJECT["optional-dependencies"][asked]
                waiting += [(Requirement(line), asked) for line in lines]
        elif name not in found or requirement.extras:
            found.add(name)
            lines = metadata.requires(name) or []
            waiting += [
                (Requirement(line), asked) for line in lines for asked in {"", *requirement.extras}
            ]
    return found


def _run(
    extra: str | None, program: str, *arguments: str, also: frozenset[str] = frozenset()
) -> subprocess.CompletedProcess[str]:
    there = _brought(extra) | also
    hidden = [module for module, owners in _owners().items() if not owners & there]
    return subprocess.run(
        [sys.executable, "-c", HIDE + program, json.dumps(hidden), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_client_alone_seals_and_opens_a_letter() -> None:
    """A case system, a mediator's or a participant's program needs no extra."""
    done = _run(None, LETTER)
    assert done.stdout == "Où étiez-vous?\n", done.stderr


@pytest.mark.parametrize(
    ("extra", "modules"),
    [
        ("server", ["relay.app", "relay.commands.audit", "relay.commands.migrate"]),
        ("worker", ["workers.process", "relay.media.transcode", "av"]),
        ("traces", ["relay.tracing.export"]),
        ("verify", ["relay.commands.verify_pages"]),
        ("embedded", ["relay.testing.relays", "relay.demo.story", "relay.demo.mailbox"]),
    ],
)
def test_an_extra_brings_what_its_part_imports(extra: str, modules: list[str]) -> None:
    """Each of these parts can be imported with its extra alone."""
    done = _run(extra, IMPORT, *modules)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", ["server", "worker"])
def test_what_serves_opens_no_brotli_of_strangers(extra: str) -> None:
    """Where such a package is installed, aiohttp opens request bodies with it; only `verify` brings one."""
    openers = {"brotli", "brotlicffi", "backports-zstd", "zstandard"}
    assert not openers & _brought(extra)
    assert openers & _brought("verify")


@pytest.mark.parametrize("command", ["root", "keys", "crypt", "pages"])
def test_commands_of_keys_and_files_need_no_extra(command: str) -> None:
    """An organization's root is kept on a machine that runs nothing else."""
    done = _run(None, COMMAND, command, "--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("have", "command", "extra"),
    [
        (None, "serve", "server"),
        (None, "migrate", "server"),
        (None, "audit", "server"),
        (None, "doctor", "server"),
        (None, "recovery", "server"),
        ("server", "worker", "worker"),
        ("server", "check-jail", "worker"),
        (None, "demo", "embedded"),
        ("worker", "verify-pages", "verify"),
    ],
)
def test_a_command_without_its_extra_names_it(have: str | None, command: str, extra: str) -> None:
    """One sentence and what to type, whatever else was asked for with the command; no traceback."""
    done = _run(have, COMMAND, command, "--once", "verify")
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert f"pip install 'relay[{extra}]'" in said
    assert "Traceback" not in said


def test_traces_without_their_extra_name_it() -> None:
    """Only where a collector is named: without one, nothing of it is missed."""
    started = """
from relay.errors import ExtraMissing
from relay.tracing.process import traced
with traced({}, "relay"): print("as ever")
try:
    with traced({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, "relay"): pass
except ExtraMissing as error: print(error.detail)
"""
    done = _run("server", started)
    assert done.stdout == "as ever\npip install 'relay[traces]'\n", done.stderr


def test_the_demo_without_its_servers_names_their_extra(tmp_path: Path) -> None:
    """Where only the servers are missing the demo begins, and ends with the same advice, brackets and all."""
    data = str(tmp_path / "data")
    done = _run("worker", COMMAND, "demo", "--data", data, also=MAILBOX)
    assert done.returncode == 1
    assert "Install `relay[embedded]`" in " ".join(done.stderr.split())


def test_all_commands_are_listed_without_any_extra() -> None:
    """`relay --help` works with what is there, and says what the others need."""
    done = _run(None, COMMAND, "--help")
    assert done.returncode == 0, done.stderr
    for extra in ("server", "worker", "embedded"):
        assert f"needs the extra '{extra}'" in done.stdout


def test_the_package_says_that_it_is_typed() -> None:
    """Type checkers of projects that import relay.client read its hints."""
    assert (Path(__file__).parents[2] / "relay/py.typed").is_file()

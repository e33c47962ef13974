"""What `make check-security` looks for is found in samples: each rule, a secret, and nothing beside them."""

from __future__ import annotations

import json
import random
import re
import shutil
import string
import subprocess
from pathlib import Path
from typing import Final

import pytest

from dev.security import (
    KNOWN_ELSEWHERE,
    ROOT,
    SECRETS,
    bandit,
    detect_secrets,
    environment,
    semgrep,
    tracked,
)

SAMPLES: Final = Path(__file__).parent / "samples"
MARK: Final = re.compile(r"(?:#|//) ruleid: (?P<rule>[\w-]+)")
RULE: Final = re.compile(r"^  - id: (?P<rule>[\w-]+)$", re.MULTILINE)
PLACES: Final = {
    "python.sample": "relay/services/bad.py",
    "typescript.sample": "web/src/client/bad.ts",
}

pytestmark = pytest.mark.builds


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The samples, where code like them would be."""
    for sample, place in PLACES.items():
        (tmp_path / place).parent.mkdir(parents=True)
        shutil.copy(SAMPLES / sample, tmp_path / place)
    return tmp_path


def marked() -> set[tuple[str, int, str]]:
    """The lines of the samples that a rule has to find."""
    return {
        (place, number, match["rule"])
        for sample, place in PLACES.items()
        for number, line in enumerate((SAMPLES / sample).read_text("utf-8").splitlines(), 1)
        for match in MARK.finditer(line)
    }


def found(command: list[str], tree: Path) -> dict[str, object]:
    """What a scanner says in JSON."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tree, env=environment()
    )
    said = json.loads(done.stdout)
    assert isinstance(said, dict), done.stderr
    return said


def test_each_rule_finds_its_sample_and_nothing_else(tree: Path) -> None:
    """Line by line; a rule without a sample is noticed, and so is one that cannot be read."""
    said = found(semgrep("--json", "--no-git-ignore", "."), tree)
    assert said["errors"] == []
    results = said["results"]
    assert isinstance(results, list)
    assert {
        (result["path"], result["start"]["line"], result["check_id"].rpartition(".")[2])
        for result in results
    } == marked()
    rules = set(RULE.findall((ROOT / "security/semgrep.yaml").read_text("utf-8")))
    assert rules == {rule for _place, _line, rule in marked()}


def test_bandit_finds_what_it_is_for(tree: Path) -> None:
    """A shell, a loader of objects, eval, a certificate that nobody verifies, SQL of pieces."""
    said = found(bandit("-f", "json", "-r", "relay"), tree)
    results = said["results"]
    assert isinstance(results, list)
    assert {"B605", "B506", "B307", "B323", "B608"} <= {result["test_id"] for result in results}


def detected(file: Path) -> subprocess.CompletedProcess[str]:
    """What detect-secrets says of a file."""
    with detect_secrets(file) as command:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def _random_text(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=length))


@pytest.mark.parametrize("kind", ["private key", "access key", "password in an address", "token"])
def test_a_secret_in_a_file_is_found(tmp_path: Path, chance: random.Random, kind: str) -> None:
    """Of each kind that relay and its services have; the same file without one is none."""
    upper = "".join(chance.choices(string.ascii_uppercase + string.digits, k=16))
    secrets = {
        "private key": f"-----BEGIN {'PRIVATE'} KEY-----\n{_random_text(chance, 64)}\n",
        "access key": f"key = 'AKIA{upper}'\n",
        "password in an address": f"url = postgresql://relay:{_random_text(chance, 20)}@db/relay\n",
        "token": f"service_token = '{_random_text(chance, 40)}'\n",
    }
    file = tmp_path / "settings.py"
    for content, code in ((secrets[kind], 1), ("host = 'db.example'\n", 0)):
        file.write_text(content)
        done = detected(file)
        assert done.returncode == code, done.stdout


def test_what_is_known_may_move_within_its_file() -> None:
    """A line above it is no new secret, and the list stays as it is."""
    before = SECRETS.read_bytes()
    listed = json.loads(before)["results"]
    where = next(file for file in listed if file.endswith(".py"))
    done = detected(Path(where))
    assert done.returncode in {0, KNOWN_ELSEWHERE}, done.stdout
    assert SECRETS.read_bytes() == before


def test_every_file_is_looked_at_but_lists_of_hashes() -> None:
    """Of what git knows, locks, pictures, samples, vectors, corpora and the list itself are left out."""
    known = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.splitlines()
    left_out = [file for file in set(known) - set(tracked()) if "tests/vectors/" not in file]
    assert {Path(file).suffix for file in left_out} <= {
        ".json",
        ".jsonl",
        ".png",
        ".sample",
        ".txt",
    }
    assert "relay/settings.py" in tracked()
    assert ".ci/run" in tracked()

"""What relay runs with, and what its pages ship, is under a licence of security/licences.toml."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from email import message_from_string
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
RULES: Final = tomllib.loads((ROOT / "security/licences.toml").read_text("utf-8"))
LOCKED: Final = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", re.MULTILINE)
CLASSIFIER: Final = re.compile(r"License :: OSI Approved :: (?P<name>.+)")


def python_packages() -> list[str]:
    """Every package that relay is locked to run with, on a server and on a laptop."""
    texts = [
        (ROOT / f"requirements/{name}.txt").read_text("utf-8") for name in ("relay", "embedded")
    ]
    return sorted({match["name"] for text in texts for match in LOCKED.finditer(text)})


def npm_packages() -> dict[str, str]:
    """What the pages are built of, with the licence that the lock file has of it; tools are left out."""
    lock: dict[str, Any] = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))
    return {
        path.rpartition("node_modules/")[2]: str(package.get("license", ""))
        for path, package in lock["packages"].items()
        if path and not package.get("dev")
    }


def licence_of(name: str) -> str:
    """As the table has it, or the package itself: an expression, or what its classifiers come to."""
    if name in RULES["python"]:
        return str(RULES["python"][name]["licence"])
    about = message_from_string(metadata.distribution(name).read_text("METADATA") or "")
    for said in (about["License-Expression"], about["License"]):
        if said is not None and is_permitted(said):
            return said
    found = [CLASSIFIER.fullmatch(text) for text in about.get_all("Classifier") or ()]
    names = [RULES["classifiers"].get(match["name"], match["name"]) for match in found if match]
    return " OR ".join(names)


def is_permitted(expression: str, permitted: Iterable[str] = RULES["permitted"]) -> bool:
    """Whether all that is asked for together is permitted, or one of what may be chosen."""
    allowed = set(permitted)
    choices = [choice.split(" AND ") for choice in expression.strip("()").split(" OR ")]
    return any(all(one.strip("() ") in allowed for one in choice) for choice in choices)


@pytest.mark.parametrize("name", python_packages())
def test_what_relay_runs_with_is_permitted(name: str) -> None:
    """Of each package in the lock files of Python."""
    assert is_permitted(licence_of(name)), licence_of(name)


@pytest.mark.parametrize(("name", "licence"), sorted(npm_packages().items()))
def test_what_the_pages_ship_is_permitted(name: str, licence: str) -> None:
    """Of each package in the lock file of npm that is no tool."""
    licence = str(RULES["npm"].get(name, {}).get("licence", licence))
    assert is_permitted(licence), licence


@pytest.mark.parametrize(
    "expression",
    ["", "GPL-3.0-only", "MIT AND AGPL-3.0-only", "UNLICENSED", "SEE LICENSE IN x", "MITT"],
)
def test_another_licence_is_not(expression: str) -> None:
    """None, one that asks for more, one of two that both hold, and one that only looks like it."""
    assert not is_permitted(expression)


@pytest.mark.parametrize("expression", ["MIT", "(MIT OR GPL-3.0-only)", "Apache-2.0 AND MIT"])
def test_a_choice_with_one_that_is_permitted_is(expression: str) -> None:
    """The one that is permitted is taken."""
    assert is_permitted(expression)


def test_each_exception_is_of_a_package_and_says_why() -> None:
    """What is no longer used is not excused any more."""
    tables: Mapping[str, Iterable[str]] = {"python": python_packages(), "npm": npm_packages()}
    for language, names in tables.items():
        assert set(RULES[language]) <= set(names)
        assert all(entry["why"] for entry in RULES[language].values())

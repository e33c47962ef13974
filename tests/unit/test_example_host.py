"""What deploy/example-host promises to whoever copies it: its imports, its words, and when it writes."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_host.mail import is_due
from example_host.rendering import shown
from example_host.settings import Settings, SettingsWrong
from example_host.texts import LANGUAGES, TEXTS, preferred

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "deploy" / "example-host"
PLACES: Final = re.compile(r"\{(\w+)\}")
USED: Final = re.compile(r"""t(?:ext(?:_in)?)?\(\s*["']([a-z_]+\.[a-z_-]+)["']""")
HOUR: Final = timedelta(hours=1)
BEGINNING: Final = datetime(2030, 1, 1, tzinfo=UTC)


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, file
            found.add(str(node.module))
    return found


def test_it_imports_nothing_of_relay_but_the_client() -> None:
    """Neither by name nor by a module found at run time; and relay imports nothing of it."""
    files = list(FOLDER.rglob("*.py"))
    assert len(files) > 10
    for file in files:
        of_relay = {one for one in _imported(file) if one.split(".")[0] in {"relay", "workers"}}
        assert all(one.startswith("relay.client.") for one in of_relay), (file, of_relay)
        assert not re.search(r"import_module|__import__|runpy", file.read_text("utf-8")), file
    for folder in ("relay", "workers"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not any(one.split(".")[0] == "example_host" for one in _imported(file)), file


def test_every_sentence_is_there_in_both_languages() -> None:
    """With the same places; French has its no-break spaces; and each one that a page asks for exists."""
    for key, words in TEXTS.items():
        assert set(words) == set(LANGUAGES), key
        assert set(PLACES.findall(words["en"])) == set(PLACES.findall(words["fr"])), key
        assert re.search(r"[^\u00a0] *[:;?!»](\s|$)|«(?!\u00a0)", words["fr"]) is None, key
    asked = {
        key
        for file in (*FOLDER.rglob("*.py"), *FOLDER.rglob("*.html"))
        for key in USED.findall(file.read_text("utf-8"))
    }
    assert len(asked) > 60
    begun = {key for key in asked if key.endswith("_")}
    assert all(any(key.startswith(one) for key in TEXTS) for one in begun)
    assert asked - begun <= TEXTS.keys()


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        *(("", "en"), ("fr-CA,fr;q=0.9,en;q=0.5", "fr"), ("en;q=0.2, fr;q=0.8", "fr")),
        *(("de, fr;q=0.1", "fr"), ("de", "en"), ("fr;q=x", "fr"), (",;q=,", "en"), ("EN-gb", "en")),
    ],
)
def test_the_language_is_the_one_that_a_browser_asks_for(asked: str, language: str) -> None:
    """Of those that there are; nonsense is English."""
    assert preferred(asked) == language


def test_times_are_those_of_the_office() -> None:
    """With the name of the zone, in both languages, and on the day that it is there."""
    when, zone = datetime(2030, 1, 1, 3, 5, tzinfo=UTC), ZoneInfo("America/Toronto")
    assert "31\u00a0December\u00a02029, 22:05\u00a0EST" in shown(when, "en", zone)
    assert "31\u00a0décembre\u00a02029, 22\u00a0h\u00a005\u00a0EST" in shown(when, "fr", zone)


def test_settings_name_what_is_wrong() -> None:
    """Missing, unknown, and no number."""
    given_all = {
        f"CASES_{name}": "x"
        for name in (
            *("DATABASE_URL", "PUBLIC_URL", "RELAY_URL", "RELAY_FINGERPRINT", "TOKEN_KEY_FILE"),
            *("TOKEN_KEY_ID", "TOKEN_ISSUER", "SIGNING_KEY_FILE", "SEEN_FILE", "WEBHOOK_SECRET"),
            "MAIL_FROM",
        )
    }
    assert (
        Settings.from_environment({**given_all, "CASES_SMTP_PORT": "26", "X": "y"}).smtp_port == 26
    )
    for name in given_all:
        with pytest.raises(SettingsWrong, match=f"{name} is not set"):
            Settings.from_environment({key: "x" for key in given_all if key != name})
    for more, says in (
        (("CASES_SMTP_PORT", "x"), "number"),
        (("CASES_TIME_ZONE", "../x"), "time zone"),
        (("CASES_SMPT_PORT", "1"), "SMPT"),
    ):
        with pytest.raises(SettingsWrong, match=says):
            Settings.from_environment({**given_all, more[0]: more[1]})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["happens", "visit", "look"]), st.integers(min_value=1, max_value=4000)
        )
    )
)
def test_nobody_gets_two_emails_in_an_hour_unless_they_came(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order; once an hour has passed, whoever something waits for is told."""
    now, waiting, mailed, visited = BEGINNING, None, None, None
    sent: list[datetime] = []
    came_since = False
    for what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what == "happens":
            waiting = waiting or now
        elif what == "visit":
            visited, waiting, came_since = now, None, True
        due = is_due(waiting, mailed, visited, now, HOUR)
        if due:
            assert waiting is not None
            assert not sent or came_since or now - sent[-1] >= HOUR
            sent.append(now)
            mailed, waiting, came_since = now, None, False
        elif waiting is not None:
            assert mailed is not None
            assert now - mailed < HOUR
    if waiting is not None:
        assert is_due(waiting, mailed, visited, now + HOUR, HOUR)


def test_its_extra_brings_what_it_imports() -> None:
    """What it imports beside the standard library and the client comes with the client or with its extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["example-host"]]
    brought = {re.split(r"[>=\[;]", line)[0].lower() for line in lines}
    known = {"nacl": "pynacl", "markupsafe": "jinja2"}
    of_others = {
        one.split(".")[0]
        for file in FOLDER.rglob("*.py")
        for one in _imported(file)
        if one.split(".")[0] in {"aiohttp", "aiosmtplib", "asyncpg", "cryptography", "jinja2"}
        or one.split(".")[0] in {"markupsafe", "msgspec", "nacl", "standardwebhooks"}
    }
    assert {known.get(one, one) for one in of_others} <= brought

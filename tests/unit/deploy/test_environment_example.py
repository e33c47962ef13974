"""deploy/env.example explains every setting, and only settings."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from relay.settings import OF_DELIVERER, OF_WEB, OF_WORKER, Settings
from relay.tracing.variables import READ, read

EXAMPLE = Path(__file__).parents[3] / "deploy" / "env.example"
FOR_COMPOSE = {"PUBLIC_HOST", "WORKER_MEMORY", "TRACES_ENDPOINT"}
ASSIGNMENT = re.compile(r"(?P<default>#)?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
HEADING = re.compile(r"# -{4} (?P<title>.*?) -+")
SENTENCE = re.compile(r"# (?!-)\S")


def assignments() -> dict[str, tuple[str, bool, str]]:
    """Each name with its value, whether it only shows a default, and the line above it."""
    found: dict[str, tuple[str, bool, str]] = {}
    above = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if match := ASSIGNMENT.fullmatch(line):
            assert match["name"] not in found, f"{match['name']} is there twice"
            found[match["name"]] = (match["value"], bool(match["default"]), above)
        above = line
    return found


def test_every_setting_is_there_and_nothing_else() -> None:
    """A new setting must be explained here before the tests pass; a removed one must go."""
    settings = {f"RELAY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    standard = {name for name in assignments() if name.startswith("OTEL_")}
    assert assignments().keys() - standard == settings | FOR_COMPOSE
    assert standard <= READ


def sections() -> dict[str, str]:
    """The heading under which each name is listed."""
    found: dict[str, str] = {}
    heading = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if match := HEADING.fullmatch(line):
            heading = match["title"]
        elif match := ASSIGNMENT.fullmatch(line):
            found[match["name"]] = heading
    return found


def test_every_setting_stands_with_those_of_its_process() -> None:
    """What one process alone reads is under a heading that says so; the rest under one for both."""
    for name, heading in sections().items():
        field = name.removeprefix("RELAY_").lower()
        if name in FOR_COMPOSE:
            assert heading == "compose.yaml alone"
        elif field in OF_WEB:
            assert heading == "Web service alone: `relay worker` does not read these"
        elif field in OF_WORKER:
            assert heading == "Worker alone: `relay serve` does not read these"
        elif field in OF_DELIVERER:
            assert heading == "Deliverer alone: `relay serve` and `relay worker` do not read these"
        else:
            assert "for both" in heading, name


def test_every_setting_is_explained() -> None:
    """A sentence is right above each name."""
    unexplained = [
        name for name, (_, _, above) in assignments().items() if not SENTENCE.match(above)
    ]
    assert unexplained == []


def test_the_defaults_shown_are_the_defaults() -> None:
    """What a commented line shows is what relay does without it."""
    shown = {name: value for name, (value, default, _) in assignments().items() if default}
    for field in dataclasses.fields(Settings):
        name = f"RELAY_{field.name.upper()}"
        if name in shown and field.default is not dataclasses.MISSING:
            assert shown[name] == str(field.default), name


def test_the_example_itself_is_accepted() -> None:
    """With the addresses of the services added, the file is a working configuration."""
    given = {
        name: value
        for name, (value, default, _) in assignments().items()
        if not default and name not in FOR_COMPOSE
    }
    required = {
        f"RELAY_{field.name.upper()}": "x"
        for field in dataclasses.fields(Settings)
        if field.default is dataclasses.MISSING
    }
    assert Settings.from_environment({**given, **required}).log_format == "json"
    assert read(given, "relay") is None
    shown = {name: value for name, (value, _, _) in assignments().items()}
    traced = read({**shown, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "relay")
    assert traced is not None
    assert (traced.sampler, traced.ratio) == ("parentbased_always_on", 1)

"""What is in deploy/monitoring and in docs/operations.md speaks of metrics that exist, and of all of them."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from relay import metrics
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.audits import command
from tests.support.promql import NotUnderstood, Selector, selectors
from tests.support.scrapes import Scrape, scrape
from tests.support.workers_metrics import seen

ROOT: Final = Path(__file__).parents[2]
ALERTS: Final = ROOT / "deploy/monitoring/alerts.yaml"
CASES: Final = ROOT / "deploy/monitoring/alerts.test.yaml"
TYPE: Final = re.compile(r"^# TYPE (?P<name>\S+) (?P<type>\S+)$", re.MULTILINE)
ROW: Final = re.compile(
    r"^\| `(?P<name>relay_\w+)` \| (?P<labels>[^|]*) \| (?P<process>[^|]*) \| (?P<says>[^|]+) \|$",
    re.MULTILINE,
)
DURATION: Final = re.compile(r"\d+[smhd]")


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    [group] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    """Every panel that draws something."""
    dashboard = json.loads((ROOT / "deploy/monitoring/dashboard.json").read_text("utf-8"))
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def series(text: str) -> set[str]:
    """Every name that a value of this exposition may have, also where there is none yet."""
    found: set[str] = set()
    for line in TYPE.finditer(text):
        endings = ("_bucket", "_sum", "_count") if line["type"] == "histogram" else ("",)
        found |= {line["name"] + ending for ending in endings}
    return found


@pytest.fixture
def relay_settings(
    relay_settings: Settings, unused_tcp_port_factory: Callable[[], int]
) -> Settings:
    """The web service tells what it does."""
    return dataclasses.replace(
        relay_settings, metrics_listen=f"127.0.0.1:{unused_tcp_port_factory()}"
    )


@pytest.fixture
async def told(
    people: Organization,
    case: Case,
    relay_settings: Settings,
    worker_settings: Settings,
    tmp_path: Path,
    unused_tcp_port_factory: Callable[[], int],
) -> Scrape:
    """All that a web service, a worker and an audit tell."""
    await people.case_system.events()
    of_worker = dataclasses.replace(
        worker_settings, metrics_listen=f"127.0.0.1:{unused_tcp_port_factory()}"
    )
    audit = tmp_path / "relay.prom"
    assert command(relay_settings, "verify", "--metrics", audit).returncode == 0
    web = await scrape(relay_settings.metrics_listen)
    return Scrape("".join([web.text, (await seen(of_worker)).text, audit.read_text("utf-8")]))


def require_known(selector: Selector, told: Scrape) -> None:
    """Its labels are those of the metric, and the queues, states and kinds in it are there."""
    labels = [dict(labels) for name, labels in told.samples if name == selector.metric]
    for name, operator, value in selector.matchers:
        assert all(name in of_one for of_one in labels), (selector.metric, name)
        if name in {"queue", "state", "kind"}:
            assert operator in {"=", "=~"}
            there = {of_one[name] for of_one in labels}
            assert set(value.split("|")) <= there, (selector.metric, value)


@pytest.mark.own_relay
async def test_every_metric_that_is_named_exists(told: Scrape) -> None:
    """Alerts and dashboard ask for what is told, with the labels that it has."""
    there = series(told.text)
    for where, expression in expressions():
        found = selectors(expression)
        assert found, where
        for selector in found:
            assert selector.metric in there, (where, selector.metric)
            require_known(selector, told)


@pytest.mark.own_relay
async def test_the_list_of_metrics_is_what_is_told(told: Scrape) -> None:
    """The registry lists exactly what a web service, a worker and an audit tell of relay's own."""
    found = {line["name"] for line in TYPE.finditer(told.text) if line["name"].startswith("relay_")}
    assert found == set(metrics.names())


def test_the_table_of_metrics_is_the_list() -> None:
    """docs/operations.md has a row for each metric, in the same order, with its labels and what it says."""
    rows = list(ROW.finditer((ROOT / "docs/operations.md").read_text("utf-8")))
    assert [row["name"] for row in rows] == metrics.names()
    looked_up = (*metrics.OF_PROCESS, *metrics.FIGURES, *metrics.OF_AUDIT)
    labels = {seen.name: f"`{seen.label}`" if seen.label else "" for seen in looked_up}
    says = {seen.name: seen.help for seen in looked_up}
    for family in metrics.REGISTRY.collect():
        says[f"{family.name}_total" if family.type == "counter" else family.name] = (
            family.documentation
        )
    for row in rows:
        assert row["says"] == says[row["name"]]
        assert row["labels"].strip() == labels.get(row["name"], row["labels"].strip())
    of = {row["name"]: row["process"].strip() for row in rows}
    assert {of[seen.name] for seen in metrics.FIGURES} == {"worker"}
    assert {of[seen.name] for seen in metrics.OF_AUDIT} == {"audit"}
    assert {of[seen.name] for seen in metrics.OF_PROCESS} == {"all"}


def test_every_metric_is_drawn_or_watched() -> None:
    """Nothing is measured that neither the dashboard nor an alert shows."""
    used = {
        re.sub(r"_(bucket|sum|count)$", "", selector.metric)
        for _where, expression in expressions()
        for selector in selectors(expression)
    }
    assert set(metrics.names()) - used == set()


def test_every_alert_says_what_it_is_and_how_bad() -> None:
    """A name of its own, a severity, two sentences, and a duration that Prometheus can read."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert DURATION.fullmatch(rule.get("for", "0s"))


def test_every_alert_has_what_makes_it_fire() -> None:
    """Each has a case of its own, made of the metrics that it asks for, beside one in which none fires.

    Prometheus' own program tries them where it is installed.
    """
    cases = yaml.safe_load(CASES.read_text("utf-8"))["tests"]
    given = {
        case["name"]: {
            series["series"].partition("{")[0] for series in case.get("input_series", [])
        }
        for case in cases
    }
    assert list(given) == [*(rule["alert"] for rule in rules()), "a quiet hour"]
    for rule in rules():
        asked = {selector.metric for selector in selectors(rule["expr"])}
        if not rule["expr"].startswith("absent("):
            assert given[rule["alert"]] >= asked
            assert given["a quiet hour"] >= asked
    if promtool := shutil.which("promtool"):
        for command_ in (["check", "rules", ALERTS.name], ["test", "rules", CASES.name]):
            done = subprocess.run(
                [promtool, *command_],
                cwd=ALERTS.parent,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        "sum(relay_jobs",
        "sum)relay_jobs(",
        "summe(relay_jobs)",
        "relay_jobs{state}",
        "relay_jobs ? 1",
        "relay_jobs[5]",
        "rate",
    ],
)
def test_an_expression_that_is_none_is_refused(wrong: str) -> None:
    """What the other tests read expressions with takes no nonsense."""
    with pytest.raises(NotUnderstood):
        selectors(wrong)


def test_an_expression_is_read() -> None:
    """Metrics are told from functions, words, labels, ranges and numbers."""
    found = selectors(
        'max by (queue) (relay_a{queue=~"x|y", z="1"}[5m]) > 3 * 86400 and on (job) relay_b'
    )
    assert found == [
        Selector("relay_a", (("queue", "=~", "x|y"), ("z", "=", "1"))),
        Selector("relay_b", ()),
    ]

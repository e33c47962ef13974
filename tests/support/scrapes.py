"""Scrapes a process of relay as Prometheus does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

SECONDS: Final = 10
"""As long as Prometheus waits by default; a scrape itself waits for no service."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape gave."""

    text: str

    @property
    def samples(self) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every value, by name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        }

    @property
    def names(self) -> set[str]:
        """The names of all families, and of all of their samples."""
        families = list(text_string_to_metric_families(self.text))
        return {family.name for family in families} | {name for name, _labels in self.samples}

    @property
    def labels(self) -> set[tuple[str, str]]:
        """Every label with every value that it has."""
        return {pair for _name, labels in self.samples for pair in labels}

    def value(self, name: str, **labels: str) -> float | None:
        """One value; None where it is absent."""
        return self.samples.get((name, frozenset(labels.items())))


async def scrape(address: str) -> Scrape:
    """Ask `host:port`, which answers at once."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http,
        http.get(f"http://{address}/metrics") as answer,
    ):
        return Scrape(await answer.text())

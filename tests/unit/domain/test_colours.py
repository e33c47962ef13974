"""A programme's colours: every pair that pages use can be read, or relay does not start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.colours import CHOSEN, PAGES, PAIRS, SCHEMES, contrast, is_colour, unreadable
from relay.domain.profile_file import read_profile
from relay.errors import ConfigurationError
from tests.support.profiles import HARBOUR, changed, written

STYLE: Final = Path(__file__).parents[3] / "web/src/style/relay.css"
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
schemes = st.sampled_from(SCHEMES)


def test_the_pages_own_colours_are_those_of_the_style_sheet() -> None:
    """By name and scheme; what a programme may choose is asked for under the name of its scheme."""
    light, dark = STYLE.read_text("utf-8").split("@media (prefers-color-scheme: dark)", 1)
    for scheme, part in (("light", light), ("dark", dark.split("}", 1)[0])):
        found = dict(re.findall(r"--([a-z-]+): (?:var\(--\w+-[a-z-]+, )?(#[0-9a-f]{6})\)?;", part))
        assert {
            name.replace("-", "_"): colour
            for name, colour in found.items()
            if name not in {"line", "faint"}
        } == PAGES[scheme]
        asked = set(re.findall(rf"--([a-z-]+): var\(--{scheme}-\1, ", part))
        assert asked == {name.replace("_", "-") for name in CHOSEN}


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#777777", "#ffffff", 4.478),
        ("#767676", "#ffffff", 4.542),
        ("#0000ff", "#ffffff", 8.592),
        ("#ff0000", "#00ff00", 2.913),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Against values that others publish."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.001)


@given(colours, colours)
def test_contrast_has_no_order(one: str, other: str) -> None:
    """From 1 to 21, the same both ways."""
    assert 1 <= contrast(one, other) == contrast(other, one) <= 21


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_own_colours_can_be_read(scheme: str) -> None:
    """Every pair has what it needs."""
    assert unreadable(scheme, {}) == []


@given(schemes, st.fixed_dictionaries(dict.fromkeys(CHOSEN, colours)))
def test_colours_are_taken_exactly_where_every_pair_can_be_read(
    scheme: str, chosen: dict[str, str]
) -> None:
    """What is refused names a pair that is too low, with its contrast and what it needs."""
    all_of_them = {**PAGES[scheme], **chosen}
    low = [
        pair
        for pair in PAIRS
        if contrast(all_of_them[pair.over], all_of_them[pair.under]) < pair.least
    ]
    text = written(changed(f"colours.{scheme}", chosen))
    if not low:
        assert read_profile(text).profile.colours is not None
        return
    with pytest.raises(ConfigurationError) as refused:
        read_profile(text)
    sentence = refused.value.detail or ""
    assert f"the {scheme} colours: {low[0].over} on {low[0].under} ({low[0].where})" in sentence
    assert f"needs {low[0].least}" in sentence


@given(schemes, st.sampled_from(PAIRS))
def test_each_pair_alone_is_enough_to_refuse(scheme: str, pair: object) -> None:
    """One colour like the other of its pair, and relay does not start."""
    for over, under, _least, _where in PAIRS:
        for mine, other in ((over, under), (under, over)):
            if mine in CHOSEN:
                assert unreadable(scheme, {mine: PAGES[scheme][other]}) != []


@given(schemes, st.sampled_from(CHOSEN), st.text(max_size=9))
def test_what_is_no_colour_is_refused(scheme: str, name: str, text: str) -> None:
    """No names of colours, no functions, and nothing that a style sheet would fetch."""
    for wrong in (f"{text}(", "red", "#fff", "url(https://x.example)", "#12345g", "var(--ink)"):
        assert not is_colour(wrong)
        with pytest.raises(ConfigurationError):
            read_profile(written(changed(f"colours.{scheme}.{name}", wrong.replace("\x7f", ""))))


def test_what_a_programme_does_not_choose_stays_relays_and_may_not_be_chosen() -> None:
    """One colour alone is enough; ink, paper and what warns are no programme's."""
    only = changed("colours", {"light": {"accent": "#003355"}})
    found = read_profile(written(only)).profile.colours
    assert found is not None
    assert (found.light.accent, found.light.focus) == ("#003355", PAGES["light"]["focus"])
    assert found.dark.accent == PAGES["dark"]["accent"]
    assert read_profile(written(HARBOUR)).profile.colours is not None
    with pytest.raises(ConfigurationError, match="'warn' is nothing that relay knows"):
        read_profile(written(changed("colours.light.warn", "#000000")))

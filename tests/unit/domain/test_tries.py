"""How long a link is closed after wrong passphrases."""

from __future__ import annotations

from relay.domain.links import FREE_TRIES, LONGEST_WAIT_SECONDS, wait_after


def test_the_first_few_wrong_tries_cost_nothing() -> None:
    """Anyone who mistypes is not made to wait."""
    assert [wait_after(wrong) for wrong in range(FREE_TRIES)] == [0] * FREE_TRIES


def test_waits_double_up_to_an_hour_and_stay_there() -> None:
    """However many there were, an hour is the longest: nobody is locked out for good."""
    waits = [wait_after(wrong) for wrong in range(5, 14)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert wait_after(2**31 - 1) == LONGEST_WAIT_SECONDS


def test_a_year_of_guesses_is_few() -> None:
    """Who tries whenever they may tries fewer than 9 000 passphrases a year, of 2^40 suggested ones."""
    seconds, tries = 0, 0
    while seconds < 365 * 24 * 60 * 60:
        tries += 1
        seconds += wait_after(tries)
    assert tries < 9_000
    assert tries / 2**40 < 1e-8

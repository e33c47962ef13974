"""Counting within a minute, in bounded memory."""

from __future__ import annotations

from relay.services.addresses import counted_as
from relay.services.minutes import WINDOW_SECONDS, Minutes


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` gives them."""
        return self.now


def test_a_minute_is_over_for_all_keys_at_once() -> None:
    """It begins with the first that came, and nothing of it counts later."""
    clock = Clock()
    minutes = Minutes(clock=clock)
    assert [minutes.add("a"), minutes.add("a"), minutes.add("b")] == [1, 2, 1]
    assert minutes.left_seconds == WINDOW_SECONDS
    clock.now += WINDOW_SECONDS - 0.5
    assert (minutes.add("a"), minutes.count("a"), minutes.left_seconds) == (3, 3, 1)
    clock.now += 0.5
    assert (minutes.count("a"), minutes.count("b")) == (0, 0)
    assert minutes.add("b") == 1


def test_whoever_invents_keys_takes_no_more_memory() -> None:
    """Those beyond the number that is kept share one count, and those before keep their own."""
    minutes = Minutes(most=3, clock=Clock())
    for key in "abc":
        minutes.add(key)
    assert [minutes.add(key) for key in "dddef"] == [1, 2, 3, 4, 5]
    assert minutes.add("a") == 2
    assert minutes.count("d") == 0


def test_an_address_is_counted_as_what_one_household_has() -> None:
    """IPv4 by itself, also where it is written as IPv6; IPv6 by its network; anything else not at all."""
    assert counted_as("192.0.2.7") == counted_as(" ::ffff:192.0.2.7") == "192.0.2.7"
    assert counted_as("2001:db8:1:2::3") == counted_as("2001:db8:1:2:ffff::1")
    assert counted_as("2001:db8:1:2::3") != counted_as("2001:db8:1:3::3")
    assert counted_as("fe80::1%eth0") == counted_as("fe80::2")
    for not_one in ("", "unknown", "192.0.2.7, 192.0.2.8", "192.0.2", "[::1]", "1" * 5000, "é"):
        assert counted_as(not_one) is None, not_one

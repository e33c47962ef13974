"""Who may be a receiver, which addresses are reached, and how long to wait before the next attempt."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

import pytest

from relay.domain.notifications import NotificationType
from relay.domain.webhooks import (
    RETRY_MAX_SECONDS,
    Receiver,
    is_allowed,
    read_receivers,
    retry_seconds,
)
from relay.errors import ConfigurationError

GOOD: Final = """
[[receiver]]
name = "case-system"
url = "https://cases.example.org/events"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
"""

PRIVATE: Final = (
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),  # noqa: S104 - it is refused
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "240.0.0.1"),
    *("255.255.255.255", "224.0.0.1", "239.255.255.250", "192.0.2.1"),
    *("::", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1"),
)
PUBLIC: Final = ("8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "2606:4700:4700::1111")


def spellings(address: str) -> Iterator[str]:
    """An address, and the IPv6 addresses that lead to it where it is of IPv4."""
    yield address
    if "." not in address:
        return
    packed = int(ipaddress.IPv4Address(address))
    yield f"::ffff:{address}"
    yield str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | packed))
    yield str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2002::")) | packed << 80))


def test_a_receiver_needs_a_name_an_address_and_a_secret() -> None:
    """The rest has defaults: all types, public addresses alone."""
    [receiver] = read_receivers(GOOD)
    assert receiver.types == tuple(NotificationType)
    assert receiver.allowed == ()
    assert read_receivers("") == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "Case System"', "a-z 0-9 -"),
        ('name = ""', "a-z 0-9 -"),
        ('url = "http://cases.example.org/events"', "http is for its own networks"),
        ('url = "ftp://cases.example.org/events"', "https://"),
        ('url = "https:///events"', "https://"),
        ('url = "https://[::1/events"', "cannot be read"),
        ('url = "https://cases.example.org:99999/"', "cannot be read"),
        ('url = "https://me:secret@cases.example.org/"', "neither a user nor a fragment"),
        ('url = "https://cases.example.org/#events"', "neither a user nor a fragment"),
        ("secrets = []", "no secret"),
        ('events = ["participant.message"]', "no type of event"),
        ('events = ["message*"]', "no type of event"),
        ('networks = ["10.0.0.1/8"]', "host bits"),
        ('networks = ["localhost"]', "localhost"),
        ("timeout_seconds = 0", "timeout_seconds"),
        ("timeout_seconds = 61", "timeout_seconds"),
        ("first_retry_seconds = -1", "first_retry_seconds"),
        ('adress = "x"', "adress"),
        ("name = 5", "name"),
        ("name =", "Invalid"),
    ],
)
def test_what_is_wrong_with_a_receiver_is_named(line: str, said: str) -> None:
    """With the receiver, before anything is sent."""
    key = line.partition(" ")[0]
    kept = [one for one in GOOD.splitlines() if not one.startswith(f"{key} ")]
    with pytest.raises(ConfigurationError, match=r"(?i)webhook") as refused:
        read_receivers("\n".join([*kept, line]))
    assert said in str(refused.value)


def test_two_receivers_of_one_name_are_refused() -> None:
    """What was delivered is remembered by the name."""
    with pytest.raises(ConfigurationError, match="twice"):
        read_receivers(GOOD + GOOD)


@pytest.mark.parametrize("pattern", ["participant.*", "*", "relay.test"])
def test_a_receiver_may_want_some_types_alone(pattern: str) -> None:
    """By their beginning, or by their name."""
    [receiver] = read_receivers(GOOD + f'events = ["{pattern}"]')
    beginning = pattern.removesuffix("*")
    assert receiver.types == tuple(one for one in NotificationType if one.startswith(beginning))


@pytest.mark.parametrize("address", [one for found in PRIVATE for one in spellings(found)])
def test_what_is_not_public_is_not_reached(address: str) -> None:
    """In no spelling; and where a network allows it, only in that network."""
    assert not is_allowed(address, (), secure=True)
    elsewhere = (ipaddress.ip_network("10.99.0.0/16"), ipaddress.ip_network("fd99::/16"))
    assert not is_allowed(address, elsewhere, secure=True)


@pytest.mark.parametrize("address", [one for found in PUBLIC for one in spellings(found)])
def test_what_is_public_is_reached_over_https_alone(address: str) -> None:
    """Over http only where a network names it."""
    assert is_allowed(address, (), secure=True)
    assert not is_allowed(address, (), secure=False)


@pytest.mark.parametrize("secure", [True, False])
def test_a_network_that_is_named_is_reached(*, secure: bool) -> None:
    """Over http too."""
    networks = (ipaddress.ip_network("10.20.0.0/24"), ipaddress.ip_network("fd00::/8"))
    for address in ("10.20.0.7", "::ffff:10.20.0.7", "fd00::7"):
        assert is_allowed(address, networks, secure=secure)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f.1", "2130706433", "1.2.3.4.5"])
def test_what_is_no_address_is_not_reached(address: str) -> None:
    """Whatever the system would make of it."""
    assert not is_allowed(address, (), secure=True)


def test_the_wait_doubles_up_to_an_hour() -> None:
    """With chance in it: half of it at least. No receiver keeps relay from it for longer than that."""
    receiver = Receiver(name="a", url="https://a.example", secrets=("x",))
    for draw in (0.0, 0.5, 1.0):
        waits = [retry_seconds(receiver, attempts, None, draw) for attempts in range(1, 200)]
        assert waits == sorted(waits)
        assert waits[0] == 5 * (0.5 + draw / 2)
        assert waits[-1] == RETRY_MAX_SECONDS * (0.5 + draw / 2)
    assert retry_seconds(receiver, 1, 120, 0.0) == 120
    assert retry_seconds(receiver, 1, 1, 1.0) == 5
    assert retry_seconds(receiver, 1, 10**9, 0.0) == RETRY_MAX_SECONDS

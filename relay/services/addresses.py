"""How often one address may ask without showing who it is, counted in this process alone.

The address is what the proxy in front of relay says in the header that its operator named; without that
nobody is counted by address. It stays in memory, for a minute, and is neither stored nor logged nor sent on.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from relay.domain.limits import Limit, TooManyRequests
from relay.services.minutes import WINDOW_SECONDS, Minutes
from relay.settings import Settings

IPV6_PREFIX: Final = 64
"""One connection to the internet has so many leading bits of its addresses in common."""


class Addresses:
    """Counts what comes from an address in a minute: public requests, and tries that open nothing."""

    def __init__(self, settings: Settings) -> None:
        self._limit = Limit(
            name="address-requests",
            quota=settings.limit_address_requests,
            window_seconds=WINDOW_SECONDS,
        )
        self._minutes = Minutes()

    def require(self, address: str | None) -> None:
        """Count once more what came from there; TooManyRequests where it is one too many."""
        if address is not None and self._minutes.add(address) > self._limit.quota:
            raise TooManyRequests(self._limit, wait_seconds=self._minutes.left_seconds)


def counted_as(header: str) -> str | None:
    """What an address as a proxy gives it is counted as; None where it is none.

    An IPv6 address counts for its network, which one household or one company has to itself.
    """
    try:
        address = ipaddress.ip_address(header.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))

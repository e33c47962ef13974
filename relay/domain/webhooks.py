"""Whom events are sent to, which addresses may be reached for that, and when an attempt is repeated."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from relay.decoding import NotDecodable, decode_toml
from relay.domain.notifications import Notification, NotificationType
from relay.errors import ConfigurationError, NotFound

GIVE_UP_SECONDS: Final = 3 * 24 * 60 * 60
"""So long after the first attempt an event becomes a dead letter."""
RETRY_MAX_SECONDS: Final = 60 * 60
"""The longest wait between two attempts."""
AWAY: Final = frozenset(
    {
        *("connection", "timeout", "unresolved", "certificate"),
        *("status-502", "status-503", "status-504"),
    }
)
"""Failures of a receiver that cannot be reached, whatever the event is."""
REDELIVERED_MAX: Final = 1000
COUNTED_MAX: Final = 1000
"""What there is more of is not counted any further."""
DEAD_LETTERS_MAX: Final = 500

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a translator turns into the IPv4 address in their last 32 bits, RFC 6052."""


class Receiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the `[[receiver]]` tables of the file."""

    name: str
    url: str
    secrets: tuple[str, ...]
    """`whsec_…` for HMAC, `whsk_…` for Ed25519. Each of them signs: two of a kind while one takes over."""
    events: tuple[str, ...] = ("*",)
    """Types, or the beginnings of types before a `*`."""
    networks: tuple[str, ...] = ()
    """Networks that may be reached although they are not public; over http as well as https."""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15
    first_retry_seconds: Annotated[float, msgspec.Meta(gt=0, le=RETRY_MAX_SECONDS)] = 5
    """The wait after the first attempt that failed; doubled after each further one."""

    @property
    def types(self) -> tuple[NotificationType, ...]:
        """The types of events that are sent to it."""
        return tuple(one for one in NotificationType if any(_fits(one, p) for p in self.events))

    @property
    def allowed(self) -> tuple[Network, ...]:
        """Its networks, read."""
        return tuple(ipaddress.ip_network(network) for network in self.networks)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    receiver: tuple[Receiver, ...] = ()


class ReceiverUnknown(NotFound):
    """No receiver of this name was ever served."""

    code = "receiver-unknown"


class ReceiverStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far a receiver is; numbers go up to COUNTED_MAX."""

    name: str
    cases_waiting: int
    """Cases, and credentials, of which an event is not delivered yet."""
    cases_failing: int
    """Those of them whose next event was tried before."""
    oldest_waiting_at: datetime | None
    """Since when the one waits that waits for longest."""
    dead_letters: int
    delivered_at: datetime | None
    """The last event that arrived."""
    failed_at: datetime | None
    """The last attempt that failed, and why."""
    failure: str | None


class Receivers(msgspec.Struct, frozen=True, kw_only=True):
    """Every receiver that was ever served, by name."""

    receivers: list[ReceiverStatus]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a receiver did not take in three days."""

    event: Notification
    attempts: int
    failure: str
    died_at: datetime


class DeadLetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters, in the order of their events."""

    dead_letters: list[DeadLetter]
    next: int | None
    """What to ask for next with `after`; null on the last page."""


class DeadLettersQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of dead letters."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=DEAD_LETTERS_MAX)] = 100


class RedeliveryRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead letters that are to be sent again; without `events` all of them."""

    events: Annotated[list[int], msgspec.Meta(min_length=1, max_length=REDELIVERED_MAX)] | None = (
        None
    )


class Redelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent again: dead letters that were on their way again already are not in it."""

    events: list[int]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was claimed; `event` is None where it was removed after its time."""

    line_id: uuid.UUID
    next_id: int
    attempts: int
    """This one is counted."""
    age_seconds: float
    """Since the first attempt."""
    event: Notification | None


def read_receivers(text: str) -> tuple[Receiver, ...]:
    """The receivers of a file; a ConfigurationError names the receiver and what is wrong with it."""
    try:
        found = decode_toml(text, _File).receiver
    except NotDecodable as error:
        raise ConfigurationError(f"the file of the webhooks: {error}") from None
    names = [receiver.name for receiver in found]
    for receiver in found:
        if problem := _problem_of(receiver):
            raise ConfigurationError(f"the webhook receiver {receiver.name!r}: {problem}")
        if names.count(receiver.name) > 1:
            raise ConfigurationError(f"the webhook receiver {receiver.name!r} is there twice")
    return found


def _problem_of(receiver: Receiver) -> str | None:
    if not _NAME.fullmatch(receiver.name):
        return "a name has 1 to 40 of a-z 0-9 -"
    if not receiver.secrets:
        return "it has no secret to sign with"
    for pattern in receiver.events:
        if not any(_fits(one, pattern) for one in NotificationType):
            return f"no type of event is {pattern!r}"
    for network in receiver.networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            return str(error)
    return _problem_of_url(receiver)


def _problem_of_url(receiver: Receiver) -> str | None:
    try:
        parts = urlsplit(receiver.url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "the url cannot be read"
    if parts.scheme not in {"https", "http"} or not host:
        return "the url must be https://…"
    if parts.scheme == "http" and not receiver.networks:
        return "the url must be https://…; http is for its own networks alone"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "the url may have neither a user nor a fragment"
    return None


def _fits(type_: NotificationType, pattern: str) -> bool:
    if pattern.endswith("*"):
        return type_.startswith(pattern.removesuffix("*"))
    return type_ == pattern


def is_allowed(address: str, networks: Sequence[Network], *, secure: bool) -> bool:
    """Whether a receiver with these networks may be reached there: a public address only over https.

    An IPv6 address that stands for an IPv4 address is judged as that one.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    stood_for = _ipv4_of(found)
    judged = stood_for or found
    if any(one.version == judged.version and judged in one for one in networks):
        return True
    return secure and judged.is_global and not judged.is_multicast


def _ipv4_of(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def retry_seconds(receiver: Receiver, attempts: int, asked_for: float | None, draw: float) -> float:
    """How long to wait after so many attempts; `draw` is random, from 0 to 1.

    `asked_for` are the seconds that the receiver asked for (Retry-After), which are kept to a limit.
    """
    doubled = receiver.first_retry_seconds * 2.0 ** min(attempts - 1, 32)
    wait = min(doubled, RETRY_MAX_SECONDS) * (0.5 + draw / 2)
    return max(wait, min(asked_for or 0, RETRY_MAX_SECONDS))

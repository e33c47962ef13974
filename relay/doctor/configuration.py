"""The settings of a process by themselves: whether they can be read, and which of them are weak."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from relay.crypto.encoding import b64u_decode
from relay.crypto.signing import PUBLIC_KEY_BYTES, check_public_key
from relay.doctor.checks import Check, fail, ok, warn
from relay.errors import ConfigurationError, CryptoError
from relay.services.pages import embed_origins
from relay.settings import OF_DELIVERER, OF_WEB, OF_WORKER, Settings, not_read

Process: TypeAlias = Literal["web", "worker", "deliverer"]

OTHERS: Final[Mapping[Process, frozenset[str]]] = {
    "web": OF_WORKER | OF_DELIVERER,
    "worker": OF_WEB | OF_DELIVERER,
    "deliverer": OF_WEB | OF_WORKER,
}
"""What only the other processes read."""

PASSWORD_LEAST: Final = 16
"""Characters of a password that nobody has to remember."""


def process_of(environment: Mapping[str, str]) -> Process:
    """Whose settings these are: only a worker has its keys, and only a deliverer its receivers."""
    if environment.get("RELAY_MEDIA_KEY_FILE"):
        return "worker"
    return "deliverer" if environment.get("RELAY_WEBHOOKS_FILE") else "web"


def read(environment: Mapping[str, str], process: Process) -> tuple[Settings | None, Check]:
    """The settings, None where relay would not start with them, and what there is to say of that."""
    try:
        settings = Settings.from_environment(environment, database_alone=process == "deliverer")
    except ConfigurationError as error:
        return None, fail("settings", f"{error.detail}. Correct it; the other checks need it.")
    return settings, ok("settings", "All are known, and none is missing.")


def check_settings(
    settings: Settings, environment: Mapping[str, str], process: Process
) -> Iterator[Check]:
    """What is weak or wrong about settings that can be read."""
    others = OTHERS[process]
    if names := not_read(environment, others):
        listed = ", ".join(names)
        yield ok("settings", f"Not read by this process, which does no harm: {listed}.")
    if settings.log_format not in {"text", "json"}:
        yield fail("settings", "RELAY_LOG_FORMAT is text or json.")
    yield from _passwords(settings, process)
    if process != "deliverer":
        yield roots(settings)
    if process == "web":
        yield _public_url(settings)
        yield from _embedding(settings)
        yield from _addresses(settings)


def _public_url(settings: Settings) -> Check:
    name = "public-url"
    url = urlsplit(settings.public_url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.password:
        return fail(name, "RELAY_PUBLIC_URL is no address such as https://relay.example.org.")
    if url.path or url.query or url.fragment:
        return fail(
            name,
            "RELAY_PUBLIC_URL is the origin alone: nothing may follow the host, not even a slash.",
        )
    if is_loopback(url):
        return ok(name, "Reached from this machine alone.")
    if url.scheme != "https":
        return fail(
            name,
            "RELAY_PUBLIC_URL is http: keys and cameras need https. Put a proxy with TLS in front.",
        )
    return ok(name, "Reached by https.")


def _embedding(settings: Settings) -> Iterator[Check]:
    try:
        origins = embed_origins(settings.embed_origins)
    except ConfigurationError as error:
        yield fail("embedding", f"{error.detail}.")
        return
    if plain := [one for one in origins if not is_secure(one)]:
        yield fail("embedding", f"RELAY_EMBED_ORIGINS has {', '.join(plain)}: use https.")


def _addresses(settings: Settings) -> Iterator[Check]:
    if settings.address_header:
        yield ok(
            "addresses",
            f"Strangers are counted by {settings.address_header}, which the proxy has to set itself.",
        )
    elif not is_loopback(urlsplit(settings.public_url)):
        yield warn(
            "addresses",
            "RELAY_ADDRESS_HEADER is empty: nobody is counted by address. Name the header in which the proxy "
            "gives it.",
        )


def _passwords(settings: Settings, process: Process) -> Iterator[Check]:
    """Of every service: that there is a password, and that nobody guesses it. Sockets need none."""
    given: dict[str, str | None] = {"RELAY_DATABASE_URL": _password(settings.database_url)}
    if process != "deliverer":
        given |= {
            "RELAY_REDIS_URL": _password(settings.redis_url),
            "RELAY_S3_SECRET_KEY": settings.s3_secret_key,
        }
    short = [
        name
        for name, password in given.items()
        if password is not None and len(password) < PASSWORD_LEAST
    ]
    if short:
        yield warn(
            "passwords",
            f"{', '.join(short)}: no password, or fewer than {PASSWORD_LEAST} characters. Make a random one.",
        )
    else:
        yield ok(
            "passwords", f"Each service has a password of {PASSWORD_LEAST} characters or more."
        )


def _password(url: str) -> str | None:
    """The password of an address, empty where there is none; None where it is a socket without a user."""
    parts = urlsplit(url)
    is_socket = parts.scheme == "unix" or not parts.hostname
    return None if is_socket and parts.password is None else parts.password or ""


def roots(settings: Settings) -> Check:
    """Whether there are organization roots, and each is a public key."""
    name = "roots"
    keys = [key.strip() for key in settings.root_public_keys.split(",") if key.strip()]
    if not keys:
        return fail(
            name,
            "RELAY_ROOT_PUBLIC_KEYS is empty: nobody can be a mediator. `relay root` shows the key.",
        )
    for number, key in enumerate(keys, 1):
        if not _is_public_key(key):
            return fail(
                name,
                f"Key {number} of RELAY_ROOT_PUBLIC_KEYS is no Ed25519 public key in base64url.",
            )
    return ok(name, f"{len(keys)} configured.")


def _is_public_key(text: str) -> bool:
    try:
        public = b64u_decode(text)
        if len(public) == PUBLIC_KEY_BYTES:
            check_public_key(public)
    except CryptoError:
        return False
    return len(public) == PUBLIC_KEY_BYTES


def is_loopback(url: SplitResult) -> bool:
    """Whether an address leads to this machine."""
    try:
        return ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return url.hostname == "localhost"


def is_secure(address: str) -> bool:
    """Whether nobody on the way can change what comes from there."""
    url = urlsplit(address)
    return url.scheme == "https" or is_loopback(url)

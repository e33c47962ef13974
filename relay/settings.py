"""Reads the RELAY_* environment into one frozen object; every size, time and retry is named with its unit."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, get_type_hints

from relay.errors import ConfigurationError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
DAY_SECONDS = 24 * 60 * 60
SKEW_MAX_SECONDS = 5 * 60
STOP_NOTICE_MAX_SECONDS = 5
PORT_MAX = 65535

_ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_ADDRESS: Final = re.compile(
    r"(\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:/\[\]@]+)):(?P<port>[0-9]{1,5})"
)

_HEADER: Final = re.compile(r"[A-Za-z0-9-]*")
_LIMIT: Final = "limit_"
NO_LIMITS: Final = frozenset({"limit_requests_waiting", "limit_refusal_seconds"})
"""These may be 0."""

SECRETS = ("database_url", "redis_url", "s3_access_key", "s3_secret_key")
"""Each may be in a file that `RELAY_X_FILE` names, as containers hand over secrets."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What relay is told by its operator. `RELAY_X_Y` in the environment sets `x_y` here."""

    # Both processes read these.
    database_url: str
    """PostgreSQL 15 or later, `postgresql://user:password@host:port/name`; each comes as its own role."""
    redis_url: str
    """Redis or Valkey, `redis://…` or `unix://…`; each comes as its own user. May be emptied at any time."""
    s3_endpoint: str
    """Address of an S3 service, `http://host:port`."""
    s3_access_key: str
    s3_secret_key: str
    s3_bucket: str = "relay"
    s3_region: str = "us-east-1"

    s3_sync_folder: str = ""
    """Any folder on the file system of an S3 server that does not call fsync, as rclone; relay does it then.

    Empty where the service sees to it itself, as those do that are no program on this machine.
    """

    root_public_keys: str = ""
    """Ed25519 public keys of the organization roots, base64url, separated by commas."""
    log_format: str = "json"
    """`json` for a log collector, `text` for a terminal."""
    database_pool_connections: int = 12
    metrics_listen: str = ""
    """`host:port` at which this process serves /metrics for Prometheus; empty: nowhere.

    No public address: whoever reaches it learns how much happens, though not to whom.
    """

    # The web service alone.
    service_jwks: str = ""
    """File or URL of the JSON Web Key Set that verifies the case system's tokens; empty refuses them all.

    It is read again every minute.
    """
    service_issuer: str = ""
    service_audience: str = "relay"
    public_url: str = "http://127.0.0.1:8080"
    """Where people reach relay; part of every session signature and link."""
    embed_origins: str = ""
    """Exact origins whose pages may embed the mediators' console, separated by commas; empty allows none."""
    profile_file: str = ""
    """TOML with what the programme says of itself, see docs/profile.md; empty takes relay's own."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    session_seconds: int = 15 * 60
    challenge_seconds: int = 60
    lease_seconds: int = 15 * 60
    """How long a reviewer keeps a queue item without renewing it."""
    letter_max_bytes: int = 256 * KIB
    """Largest sealed text part."""
    upload_max_bytes: int = 4 * GIB
    """Largest sealed video."""
    upload_expires_seconds: int = 7 * DAY_SECONDS
    upload_idle_seconds: int = 30
    """A connection that sends nothing for this long is closed; what it sent is stored."""
    upload_memory_bytes: int = 256 * MIB
    """Held by all uploads of a process; beyond it each stores what it has of a segment, and goes on."""
    download_idle_seconds: int = 60
    """A connection that takes nothing for this long is closed."""
    statement_skew_seconds: int = 5 * 60
    """How far the time in a statement may lie from the server's; at most 300: readers allow twice that."""
    events_keepalive_seconds: int = 15
    address_header: str = ""
    """The header in which the proxy gives the address of who asks, `X-Real-IP`; empty: nobody is counted so.

    The proxy must set it itself, whatever came with the request.
    """
    database_wait_seconds: int = 5
    """A request that has waited for a connection to the database for so long is answered 503."""
    limit_requests_at_once: int = 8
    """Of one person or link in one process; further ones wait."""
    limit_requests_waiting: int = 64
    """Of one person or link and each kind; further ones are refused."""
    limit_wait_seconds: int = 10
    """One that has waited for so long is refused."""
    limit_refusal_seconds: int = 5
    """For so long the refusal of a caller who asks for too much is held back; asking again is no faster."""
    limit_uploads_at_once: int = 4
    """Requests of one person that bring bytes of videos."""
    limit_downloads_at_once: int = 8
    """Requests of one person that fetch bytes of messages."""
    limit_person_requests: int = 1200
    """Of one person or link in a minute."""
    limit_case_requests: int = 6000
    """Of all participants of a case in a minute."""
    limit_service_requests: int = 12_000
    """Of the case system in a minute."""
    limit_address_requests: int = 600
    """From one address in a minute, of people who have not shown yet who they are, in one process."""
    limit_address_requests_at_once: int = 32
    """Of these in one process; further ones wait."""
    limit_drafts: int = 50
    """Messages that one person has begun and not sent."""
    limit_open_uploads: int = 10
    """Of one person, in all of their drafts."""
    limit_person_bytes: int = 64 * GIB
    """What the videos that one person sent or began to send may take up."""
    limit_case_bytes: int = 256 * GIB
    """What the videos of all people of a case may."""
    limit_feeds: int = 12
    """Live feeds of one person in one process."""
    stop_notice_seconds: int = 3
    """After SIGTERM: how long the process still listens, and says that it stops; at most 5."""

    # The worker alone.
    media_key_file: str = ""
    """The media worker's key files, made by `relay keys new media`; never on the web tier.

    Two, separated by a comma, while new keys take the place of old ones.
    """
    ffmpeg: str = ""
    """Path of another ffmpeg, 8.1 or later; empty takes the bundled one."""
    bubblewrap: str = "bwrap"
    video_max_seconds: int = 60 * 60
    video_max_pixels: int = 8192 * 4320
    video_max_streams: int = 8
    jail_memory_bytes: int = 4 * GIB
    jail_processes: int = 128
    transcode_seconds: int = 2 * 60 * 60
    """Wall clock for one transcode."""
    job_lease_seconds: int = 30
    """A worker that does not renew for this long has lost its job to the next."""
    job_attempts: int = 5
    job_retry_seconds: int = 30
    """Wait after the first attempt that failed; doubled after each further one."""
    job_seconds: int = 3 * 60 * 60
    """Wall clock for one attempt: fetch, transcode and store."""
    worker_jobs: int = 1
    """Videos that one worker process transcodes at once."""
    sweep_seconds: int = 15
    draft_expires_seconds: int = 30 * DAY_SECONDS
    """A draft that nobody touched for this long ends."""
    events_expire_seconds: int = 90 * DAY_SECONDS
    """How long the case system can ask for an event."""
    unsent_expires_seconds: int = 365 * DAY_SECONDS
    """An unsent text that nobody changed for this long is removed."""

    # `relay deliver` alone.
    webhooks_file: str = ""
    """TOML with whom events are sent to and what they are signed with; a secret, see docs/webhooks.md."""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, database_alone: bool = False
    ) -> Self:
        """Read `RELAY_*`; a missing, unknown or ill-typed one is a ConfigurationError that names it.

        `database_alone`: for anyone who reaches no other service, where the others' addresses may be missing.
        """
        _require_known(environment)
        hints = get_type_hints(cls)
        given: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = f"RELAY_{field.name.upper()}"
            text = _secret(name, environment) if field.name in SECRETS else environment.get(name)
            if text is None:
                if field.default is not dataclasses.MISSING:
                    continue
                if not database_alone or field.name == "database_url":
                    raise ConfigurationError(f"{name} is not set")
                text = ""
            given[field.name] = _number(name, text) if hints[field.name] is int else text
            if field.name.startswith(_LIMIT) and field.name not in NO_LIMITS and not int(text):
                raise ConfigurationError(f"{name} must be 1 at least")
        if given.get("statement_skew_seconds", 0) > SKEW_MAX_SECONDS:
            raise ConfigurationError(
                f"RELAY_STATEMENT_SKEW_SECONDS must be at most {SKEW_MAX_SECONDS}"
            )
        if given.get("stop_notice_seconds", 0) > STOP_NOTICE_MAX_SECONDS:
            raise ConfigurationError(
                f"RELAY_STOP_NOTICE_SECONDS must be at most {STOP_NOTICE_MAX_SECONDS}"
            )
        if not _HEADER.fullmatch(given.get("address_header", "")):
            raise ConfigurationError("RELAY_ADDRESS_HEADER must be the name of a header")
        metrics_address(given.get("metrics_listen", ""))
        return cls(**given)


OF_WEB: Final = frozenset(
    {
        *("service_jwks", "service_issuer", "service_audience", "public_url", "embed_origins"),
        *("listen_host", "listen_port", "session_seconds", "challenge_seconds", "lease_seconds"),
        *("letter_max_bytes", "upload_max_bytes", "upload_expires_seconds", "upload_idle_seconds"),
        "upload_memory_bytes",
        *("download_idle_seconds", "statement_skew_seconds", "events_keepalive_seconds"),
        *("stop_notice_seconds", "profile_file"),
        *(
            "database_wait_seconds",
            "limit_requests_at_once",
            "limit_requests_waiting",
            "limit_wait_seconds",
            "limit_refusal_seconds",
        ),
        *("limit_uploads_at_once", "limit_downloads_at_once", "limit_feeds"),
        *("limit_person_requests", "limit_case_requests", "limit_service_requests"),
        *("address_header", "limit_address_requests", "limit_address_requests_at_once"),
        *("limit_drafts", "limit_open_uploads", "limit_person_bytes", "limit_case_bytes"),
    }
)
"""Settings that `relay serve` alone reads."""
OF_WORKER: Final = frozenset(
    {
        *("media_key_file", "ffmpeg", "bubblewrap", "video_max_seconds", "video_max_pixels"),
        *("video_max_streams", "jail_memory_bytes", "jail_processes", "transcode_seconds"),
        *("job_lease_seconds", "job_attempts", "job_retry_seconds", "job_seconds", "worker_jobs"),
        *("sweep_seconds", "draft_expires_seconds"),
        *("events_expire_seconds", "unsent_expires_seconds"),
    }
)
"""Settings that `relay worker` alone reads."""
OF_DELIVERER: Final = frozenset({"webhooks_file"})
"""Settings that `relay deliver` alone reads."""


def not_read(environment: Mapping[str, str], names: frozenset[str]) -> list[str]:
    """Those of the settings `names` that the environment has, as it has them: the other process's."""
    return sorted(
        f"RELAY_{name.upper()}" for name in names if f"RELAY_{name.upper()}" in environment
    )


def metrics_address(metrics_listen: str) -> tuple[str, int] | None:
    """Host and port of that setting; None where it is empty, ConfigurationError where it is no address."""
    if not metrics_listen:
        return None
    found = _ADDRESS.fullmatch(metrics_listen)
    if found is None or not 0 < int(found["port"]) <= PORT_MAX:
        raise ConfigurationError("RELAY_METRICS_LISTEN must be host:port, such as 127.0.0.1:9464")
    return found["ipv6"] or found["host"], int(found["port"])


def read_file(path: Path) -> dict[str, str]:
    """Names and values of a file of `NAME=value` lines; ConfigurationError where it is anything else.

    Blank lines and lines that begin with `#` are ignored, and a value is taken as it stands. Quotes around
    one are refused: systemd takes them away, and not every other program does.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} cannot be read") from None
    given = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        found = _ASSIGNMENT.fullmatch(line)
        if found is None or found["value"][:1] in {'"', "'"} or line.endswith("\\"):
            raise ConfigurationError(f"{path}, line {number}, must be NAME=value without quotes")
        given[found["name"]] = found["value"]
    return given


def database_url(environment: Mapping[str, str]) -> str:
    """The one setting of a command that asks the database alone; ConfigurationError as of all settings."""
    _require_known(environment)
    url = _secret("RELAY_DATABASE_URL", environment)
    if url is None:
        raise ConfigurationError("RELAY_DATABASE_URL is not set")
    return url


def _require_known(environment: Mapping[str, str]) -> None:
    """Refuse a name that no setting has: it is a mistake, and what it was meant for would not happen."""
    known = {f"RELAY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    known |= {f"RELAY_{name.upper()}_FILE" for name in SECRETS}
    unknown = sorted(n for n in environment if n.startswith("RELAY_") and n not in known)
    if unknown:
        raise ConfigurationError(f"{', '.join(unknown)} is not a setting of relay")


def _secret(name: str, environment: Mapping[str, str]) -> str | None:
    """A setting from the environment or from the file that the environment names."""
    path = environment.get(f"{name}_FILE")
    if path is None:
        return environment.get(name)
    if name in environment:
        raise ConfigurationError(f"{name} and {name}_FILE are both set")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"the file that {name}_FILE names cannot be read") from None


def _number(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ConfigurationError(f"{name} must be a whole number") from None
    if number < 0:
        raise ConfigurationError(f"{name} must not be negative")
    return number

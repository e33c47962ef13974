"""What the case system is told by its environment: `CASES_…`, one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UTC: Final = ZoneInfo("UTC")


class SettingsWrong(Exception):
    """A setting is missing, or is not what it must be; the text names it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; `CASES_RELAY_URL` is `relay_url`."""

    database_url: str
    """Postgres, as a role of its own that owns a database of its own. Nothing in it is relay's."""
    public_url: str
    """Where its staff reach it, such as `https://cases.example`; RELAY_EMBED_ORIGINS of relay names it."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 8090
    time_zone: ZoneInfo = _UTC
    """In which pages show times, such as `America/Toronto`."""

    relay_url: str
    """Where relay is, for this program and for browsers."""
    relay_fingerprint: str
    """Of the organization's root, as `relay root` printed it."""
    token_key_file: Path
    """PEM with the Ed25519 key that signs tokens; RELAY_SERVICE_JWKS of relay has its public half."""
    token_key_id: str
    token_issuer: str
    token_audience: str = "relay"  # noqa: S105 - a name
    signing_key_file: Path
    """Made by `relay keys new service`, and vouched for by the root: it signs registrations and links."""
    seen_file: Path
    """Where the charters that were seen are remembered, so that relay cannot take one back."""
    webhook_secret: str
    """`whsec_…`, the same as in RELAY_WEBHOOKS_FILE."""
    embed_integrity: str = ""
    """`sha384-…` of embed.js, from integrity.json of relay's build."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_tls: str = "no"
    """`no`, `starttls` or `tls`."""
    mail_from: str
    """An address that says nothing either."""
    mail_pause_seconds: int = 60 * 60
    """Between two e-mails to somebody who has not come since."""
    poll_seconds: int = 60
    """Between two looks for events that no webhook brought."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read `CASES_*`; SettingsWrong names what is missing, unknown or no number."""
        hints = get_type_hints(cls)
        fields = {f"CASES_{field.name.upper()}": field for field in dataclasses.fields(cls)}
        unknown = {name for name in environment if name.startswith("CASES_")} - fields.keys()
        if unknown:
            raise SettingsWrong(f"{', '.join(sorted(unknown))} is not a setting")
        given: dict[str, object] = {}
        for name, field in fields.items():
            text = environment.get(name)
            if text is not None:
                given[field.name] = _read(name, text, hints[field.name])
            elif field.default is dataclasses.MISSING:
                raise SettingsWrong(f"{name} is not set")
        return cls(**given)  # type: ignore[arg-type]

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")


def _read(name: str, text: str, kind: type) -> object:
    if kind is Path:
        return Path(text)
    if kind is ZoneInfo:
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError):
            raise SettingsWrong(f"{name} is no time zone that this machine knows") from None
    if kind is not int:
        return text
    if not text.isascii() or not text.isdigit():
        raise SettingsWrong(f"{name} must be a whole number")
    return int(text)

"""What a programme says of itself on the pages, in English and French, as pages are given it."""

from __future__ import annotations

import msgspec

from relay.domain.colours import Colours


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The same in both languages; text, and never markup."""

    en: str
    fr: str


class Telephone(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone number."""

    shown: str
    """As people read it."""
    dial: str
    """As a telephone takes it: digits, with a `+` before them where the country is named."""


class CrisisLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be called when it is urgent."""

    name: Wording
    """Who answers, or when to call."""
    telephone: Telephone
    note: Wording | None
    hours: Wording | None


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """How the programme is reached."""

    telephone: Telephone | None
    email: str | None
    address: Wording | None
    """Its lines are separated by line feeds."""
    hours: Wording | None


class LogoImage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the logo is, and its shape in pixels."""

    path: str
    """Below this relay's own address; another picture has another path."""
    width: int
    height: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a programme says of itself; pages take all of it or none."""

    name: Wording
    review_time: Wording
    """A sentence: how long review usually takes."""
    contact: Contact
    crisis_lines: list[CrisisLine]
    logo: LogoImage | None
    colours: Colours | None
    """Null where the pages keep their own."""

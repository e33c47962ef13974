"""Who is calling: what each credential on a request makes of its bearer."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TypeAlias

import msgspec

from relay.domain.tokens import Scope


class Role(StrEnum):
    """What a route may be opened to; a route without a role does not start."""

    PUBLIC = "public"
    LINK = "link"
    """Anyone who holds the link named in the path."""
    PARTICIPANT = "participant"
    UPLOADER = "uploader"
    """A participant who came through an upload link: one message, nothing else."""
    MEDIATOR = "mediator"
    SERVICE = "service"
    """The case system."""


class Nobody(msgspec.Struct, frozen=True, kw_only=True):
    """A caller who showed nothing."""

    @property
    def role(self) -> Role:
        """The role of such a caller."""
        return Role.PUBLIC


class LinkHolder(msgspec.Struct, frozen=True, kw_only=True):
    """Anyone who showed the bearer of a link."""

    link_id: uuid.UUID
    case_id: uuid.UUID
    participant_id: uuid.UUID

    @property
    def role(self) -> Role:
        """The role of such a caller."""
        return Role.LINK


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A participant of one case, with the key they claimed or that of their upload link."""

    participant_id: uuid.UUID
    case_id: uuid.UUID
    kid: str
    signer: bytes
    link_id: uuid.UUID | None
    """The upload link they came through, or None for a participant who claimed theirs."""
    is_verified: bool
    """Whether a mediator has verified the claim; an upload link needs none."""

    @property
    def only_kid(self) -> str | None:
        """The key whose messages alone are theirs to see and change; None for a verified participant."""
        return None if self.is_verified else self.kid

    @property
    def role(self) -> Role:
        """The role of such a caller."""
        return Role.PARTICIPANT if self.link_id is None else Role.UPLOADER

    def __str__(self) -> str:
        """As the log names them."""
        return f"participant:{self.participant_id}"


class Mediator(msgspec.Struct, frozen=True, kw_only=True):
    """A mediator of the organization; which cases are theirs is asked case by case."""

    credential_id: uuid.UUID
    kid: str
    signer: bytes

    @property
    def role(self) -> Role:
        """The role of such a caller."""
        return Role.MEDIATOR

    def __str__(self) -> str:
        """As the log names them."""
        return f"mediator:{self.credential_id}"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The case system, as its token names it."""

    subject: str
    scopes: frozenset[Scope]
    """What its token is for."""

    @property
    def role(self) -> Role:
        """The role of such a caller."""
        return Role.SERVICE

    def __str__(self) -> str:
        """As the log names it."""
        return f"service:{self.subject}"


Actor: TypeAlias = Nobody | LinkHolder | Participant | Mediator | Service

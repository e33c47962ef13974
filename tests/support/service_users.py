"""The users of Postgres and Redis: the same database, the same Redis, as another of them."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit, urlunsplit

from relay.embedded import Access, Services
from relay.settings import Settings


def come_as(access: Access, settings: Settings, services: Services) -> Settings:
    """Settings with the addresses of another user."""
    return dataclasses.replace(
        settings,
        database_url=database_as(access, settings.database_url, services),
        redis_url=redis_as(access, settings.redis_url, services),
    )


def database_as(access: Access, url: str, services: Services) -> str:
    """The address of a database as another user comes to it."""
    return _with_user_of(url, services.accesses[access]["RELAY_DATABASE_URL"])


def redis_as(access: Access, url: str, services: Services) -> str:
    """The address of a Redis as another user comes to it."""
    return _with_user_of(url, services.accesses[access]["RELAY_REDIS_URL"])


def _with_user_of(url: str, other: str) -> str:
    """An address with the name and the password of another."""
    *_, place = urlsplit(url).netloc.rpartition("@")
    user, at, _ = urlsplit(other).netloc.rpartition("@")
    return urlunsplit(urlsplit(url)._replace(netloc=f"{user}{at}{place}"))

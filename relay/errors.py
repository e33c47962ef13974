"""Every error that relay raises on purpose: one tree, and a stable code for each.

What a person is told about it is in `problems.toml`, by that code, in English and French.
There is no HTTP in here: the status of each branch is chosen in one middleware.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import ClassVar


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """By code and then by language, `en` or `fr`: what people are told."""
    return tomllib.loads(resources.files("relay").joinpath("problems.toml").read_text("utf-8"))


class RelayError(Exception):
    """An error that relay raises on purpose; by itself, one that nobody foresaw."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str | None = None, **members: object) -> None:
        """`detail` is for the log and for developers; `members` go out with the problem document.

        Neither may carry content, keys, tokens, names or file names.
        """
        self.detail = detail
        self.members = members
        super().__init__(f"{self.code}: {detail or self.sentence('en')}")

    @classmethod
    def sentence(cls, language: str) -> str:
        """What a person is told, in `en` or `fr`."""
        return sentences()[cls.code][language]

    def occurrence(self, language: str) -> str | None:
        """What it is this time, beyond the sentence, in `en` or `fr`; None where there is nothing to add."""
        template = sentences()[self.code].get(f"occurrence-{language}")
        if template is None:
            return None
        shown = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in self.members.items()
        }
        try:
            return template.format_map(shown)
        except KeyError:  # it was raised without what there would be to say
            return None


class InvalidRequest(RelayError):
    """The request could not be decoded, or breaks a rule that needs no state."""

    code = "invalid-request"


class Unauthenticated(RelayError):
    """No credentials, or ones that have ended."""

    code = "unauthenticated"


class Forbidden(RelayError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(RelayError):
    """There is nothing here that the caller may see."""

    code = "not-found"


class Conflict(RelayError):
    """The request does not match the present state."""

    code = "conflict"


class TooLarge(RelayError):
    """The request is larger than is accepted."""

    code = "too-large"


class Unavailable(RelayError):
    """Something that relay depends on does not answer now."""

    code = "unavailable"


class ServiceStopping(Unavailable):
    """This process is about to end, and takes no new work; another one does."""

    code = "service-stopping"


class CryptoError(RelayError):
    """Something could not be opened or verified."""

    code = "crypto"


class ConfigurationError(RelayError):
    """A setting is missing or wrong."""

    code = "configuration"


class ExtraMissing(ConfigurationError):
    """A command needs an extra of the package that is not installed."""

    code = "extra-missing"

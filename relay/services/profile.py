"""The profile of the programme, read once when relay starts, with its logo."""

from __future__ import annotations

import dataclasses
import hashlib
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from relay.domain.logos import LOGO_MAX_BYTES, Logo, LogoRefused, read_logo
from relay.domain.page_rules import LOGO_PATH
from relay.domain.profile import LogoImage, Profile
from relay.domain.profile_file import PROFILE_MAX_BYTES, ProfileFile, read_profile
from relay.errors import ConfigurationError, NotFound

_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogoFile:
    """The logo as it is served."""

    name: str
    """Made of its hash: another picture has another name."""
    content: bytes
    content_type: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """All that is served of a profile; it does not change while the process runs."""

    profile: Profile
    logo: LogoFile | None

    @classmethod
    def read(cls, file: str) -> Programme:
        """The profile in this file, and the logo beside it; where `file` is empty, the one that relay brings.

        ConfigurationError says what is wrong with it and what to do.
        """
        if not file:
            text = resources.files("relay").joinpath("profile.toml").read_text("utf-8")
            return cls(profile=read_profile(text).profile, logo=None)
        found = read_profile(_text_of(Path(file)))
        return cls._with_logo(found, Path(file).parent)

    @classmethod
    def _with_logo(cls, found: ProfileFile, folder: Path) -> Programme:
        if found.logo is None:
            return cls(profile=found.profile, logo=None)
        logo = _logo_of(folder / found.logo)
        name = f"{hashlib.sha256(logo.content).hexdigest()[:32]}.{logo.kind}"
        image = LogoImage(path=LOGO_PATH + name, width=logo.width, height=logo.height)
        return cls(
            profile=msgspec.structs.replace(found.profile, logo=image),
            logo=LogoFile(name=name, content=logo.content, content_type=_TYPES[logo.kind]),
        )

    @property
    def served(self) -> bytes:
        """The profile as pages are given it: the same file gives the same bytes."""
        return msgspec.json.encode(self.profile)

    def logo_named(self, name: str) -> LogoFile:
        """The logo, if that is its name; NotFound."""
        if self.logo is None or self.logo.name != name:
            raise NotFound("no such logo")
        return self.logo


def shown(programme: Programme) -> Profile:
    """What pages are given."""
    return programme.profile


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(PROFILE_MAX_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise _unread(
            f"the file cannot be read ({error.strerror}): correct its name or its rights"
        ) from None
    except UnicodeDecodeError:
        raise _unread("the file is not in UTF-8: save it as UTF-8") from None


def _logo_of(path: Path) -> Logo:
    try:
        with path.open("rb") as file:
            return read_logo(file.read(LOGO_MAX_BYTES + 1))
    except OSError as error:
        raise _unread(
            f"the logo {path.name} cannot be read ({error.strerror}): put it beside the profile, readable"
        ) from None
    except LogoRefused as error:
        raise _unread(f"the logo {path.name}: {error}") from None


def _unread(problem: str) -> ConfigurationError:
    return ConfigurationError(f"the profile (RELAY_PROFILE_FILE), {problem}")

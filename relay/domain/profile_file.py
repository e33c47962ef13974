"""Reads the file of a profile: what is wrong in it is a sentence that says where, what, and what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from relay.decoding import NotDecodable, decode_toml
from relay.domain.colours import CHOSEN, PAGES, SCHEMES, Colours, Scheme, is_colour, unreadable
from relay.domain.profile import Contact, CrisisLine, Profile, Telephone, Wording
from relay.errors import ConfigurationError

PROFILE_MAX_BYTES: Final = 32 * 1024
CRISIS_LINES_MAX: Final = 8
NAME_MAX: Final = 60
TEXT_MAX: Final = 200
DIGITS_MAX: Final = 15
"""Of a telephone number, as ITU-T E.164 has it."""
DIGITS_MIN: Final = 3
EMAIL_MAX: Final = 100

_LANGUAGES: Final = {"en": "English", "fr": "French"}
_NUMBER: Final = re.compile(r"\+?[0-9()](?:[0-9(). \u00a0\u202f\-]*[0-9])?")
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9_+\-]+(?:\.[A-Za-z0-9_+\-]+)*@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_LOGO: Final = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]*\.(?:svg|png)")
_UNSEEN: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of characters that are not seen, or that change how what follows is read."""


class ProfileFile(NamedTuple):
    """What a file says; of the logo only its name, in the folder of the file."""

    profile: Profile
    logo: str | None


def read_profile(text: str) -> ProfileFile:
    """The profile of this file; ConfigurationError."""
    if len(text.encode()) > PROFILE_MAX_BYTES:
        raise _wrong("the file", f"it has more than {PROFILE_MAX_BYTES:,} bytes: make it shorter")
    try:
        found = decode_toml(text, dict[str, Any])
    except NotDecodable as error:
        raise _wrong("the file", f"it is not TOML: {error}; correct that place") from None
    file = _Table("the profile", found)
    lines = file.tables("crisis_line", "the crisis lines", CRISIS_LINES_MAX)
    contact = file.table("contact", "the contact of the programme")
    colours = file.table("colours", "the colours")
    profile = Profile(
        name=file.needed("name", "the programme's name", NAME_MAX),
        review_time=file.needed("review_time", "how long review takes", TEXT_MAX),
        contact=_contact(contact or _Table("the contact of the programme", {})),
        crisis_lines=[_crisis_line(line) for line in lines],
        logo=None,
        colours=None if colours is None else _colours(colours),
    )
    logo = file.string("logo", "the logo", EMAIL_MAX)
    if logo is not None and _LOGO.fullmatch(logo) is None:
        raise _wrong(
            "the logo", "name an .svg or .png file that is in the same folder, as logo.svg"
        )
    file.finish()
    return ProfileFile(profile, logo)


class _Table:
    """One table of the file: what is asked for is taken out, and nothing may be left."""

    def __init__(self, meaning: str, values: Mapping[str, Any]) -> None:
        self.meaning = meaning
        self._values = dict(values)
        self._known: list[str] = []

    def _take(self, name: str) -> Any:
        self._known.append(name)
        return self._values.pop(name, None)

    def string(self, name: str, meaning: str, most: int, *, lines: bool = False) -> str | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise _wrong(meaning, f'{name} has to be text, as {name} = "…"')
        return _text(value, meaning, most, lines=lines)

    def table(self, name: str, meaning: str) -> _Table | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _wrong(meaning, f"{name} has to be a table: begin it with [{name}]")
        return _Table(meaning, value)

    def tables(self, name: str, meaning: str, most: int) -> list[_Table]:
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise _wrong(
                meaning,
                f"people have to find somebody to call: write at least one, each begun with [[{name}]]",
            )
        if not 0 < len(value) <= most:
            raise _wrong(meaning, f"there are {len(value)}: write from 1 to {most}")
        return [_Table(f"crisis line {number}", one) for number, one in enumerate(value, 1)]

    def wording(self, name: str, meaning: str, most: int, *, lines: bool = False) -> Wording | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _wrong(
                meaning, f'write it in both languages: {name}.en = "…" and {name}.fr = "…"'
            )
        both = _Table(meaning, value)
        said: dict[str, str] = {}
        for language, called in _LANGUAGES.items():
            text = both.string(language, f"{meaning}, in {called}", most, lines=lines)
            if text is None:
                raise _wrong(meaning, f'it is not there in {called}: write {name}.{language} = "…"')
            said[language] = text
        both.finish()
        return Wording(**said)

    def needed(self, name: str, meaning: str, most: int) -> Wording:
        found = self.wording(name, meaning, most)
        if found is None:
            raise _wrong(meaning, f'it is missing: write {name}.en = "…" and {name}.fr = "…"')
        return found

    def finish(self) -> None:
        for name in self._values:
            raise _wrong(
                self.meaning,
                f"{name!r} is nothing that relay knows there: take it out, or write it as one of "
                f"{', '.join(self._known)}",
            )


def _crisis_line(line: _Table) -> CrisisLine:
    meaning = line.meaning
    telephone = _telephone(line, "number", f"the number of {meaning}")
    if telephone is None:
        raise _wrong(f"the number of {meaning}", 'it is missing: write number = "…"')
    found = CrisisLine(
        name=line.needed("name", f"the name of {meaning}", TEXT_MAX),
        telephone=telephone,
        note=line.wording("note", f"the note of {meaning}", TEXT_MAX),
        hours=line.wording("hours", f"the hours of {meaning}", TEXT_MAX),
    )
    line.finish()
    return found


def _contact(contact: _Table) -> Contact:
    meaning = "the programme's e-mail address"
    email = contact.string("email", meaning, EMAIL_MAX)
    if email is not None and _EMAIL.fullmatch(email) is None:
        raise _wrong(meaning, f"{email!r} is none: write one alone, as office@programme.example")
    found = Contact(
        telephone=_telephone(contact, "phone", "the programme's telephone number"),
        email=email,
        address=contact.wording("address", "the programme's address", TEXT_MAX, lines=True),
        hours=contact.wording("hours", "the programme's hours", TEXT_MAX),
    )
    contact.finish()
    return found


def _telephone(table: _Table, name: str, meaning: str) -> Telephone | None:
    shown = table.string(name, meaning, TEXT_MAX)
    if shown is None:
        return None
    digits = "".join(re.findall(r"[0-9]", shown))
    if _NUMBER.fullmatch(shown) is None or not DIGITS_MIN <= len(digits) <= DIGITS_MAX:
        raise _wrong(
            meaning,
            f"{shown!r} cannot be dialled: write {DIGITS_MIN} to {DIGITS_MAX} digits with spaces, dots, "
            "dashes and brackets between them, a + first where the country is named, and anything else "
            "in a note",
        )
    return Telephone(shown=shown, dial=f"+{digits}" if shown.startswith("+") else digits)


def _colours(colours: _Table) -> Colours:
    schemes = {scheme: _scheme(colours, scheme) for scheme in SCHEMES}
    colours.finish()
    return Colours(**schemes)


def _scheme(colours: _Table, scheme: str) -> Scheme:
    meaning = f"the {scheme} colours"
    table = colours.table(scheme, meaning) or _Table(meaning, {})
    chosen: dict[str, str] = {}
    for name in CHOSEN:
        text = table.string(name, f"the colour {name} in {scheme}", EMAIL_MAX)
        chosen[name] = PAGES[scheme][name] if text is None else text.lower()
        if not is_colour(chosen[name]):
            raise _wrong(
                f"the colour {name} in {scheme}", "write it as # and six of 0-9 a-f: #0b5a6e"
            )
    table.finish()
    for pair, ratio in unreadable(scheme, chosen):
        raise _wrong(
            meaning,
            f"{pair.over} on {pair.under} ({pair.where}) has a contrast of {_down(ratio)} to 1, and needs "
            f"{pair.least}: make one of them {'darker' if scheme == 'light' else 'lighter'}, or the other "
            f"{'lighter' if scheme == 'light' else 'darker'}",
        )
    return Scheme(**chosen)


def _down(ratio: float) -> str:
    """Rounded down, so that what is too low never reads as enough."""
    return f"{int(ratio * 100) / 100:.2f}"


def _text(value: str, meaning: str, most: int, *, lines: bool) -> str:
    """The text, composed (NFC) and without room around it."""
    text = unicodedata.normalize("NFC", value).strip()
    if not text:
        raise _wrong(meaning, "it is empty: write it, or take the line out")
    if len(text) > most:
        raise _wrong(meaning, f"it has {len(text)} characters: write {most} at most")
    for character in text:
        if character == "\n" and lines:
            continue
        if character == "\n":
            raise _wrong(meaning, "it has several lines: write it in one")
        if unicodedata.category(character) in _UNSEEN:
            raise _wrong(
                meaning,
                f"it has a character that cannot be seen (U+{ord(character):04X}): write it anew by hand",
            )
    return text


def _wrong(meaning: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"the profile (RELAY_PROFILE_FILE), {meaning}: {problem}")

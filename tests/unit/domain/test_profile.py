"""The file of a profile: what is right arrives as it was written; what is wrong is named with what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relay.domain.profile import Profile, Wording
from relay.domain.profile_file import PROFILE_MAX_BYTES, read_profile
from relay.errors import ConfigurationError
from tests.support.profiles import HARBOUR, changed, written

ROOT: Final = Path(__file__).parents[3]
WORDINGS: Final = {
    "name": (60, "the programme's name"),
    "review_time": (200, "how long review takes"),
    "contact.address": (200, "the programme's address"),
    "contact.hours": (200, "the programme's hours"),
    "crisis_line.0.name": (200, "the name of crisis line 1"),
    "crisis_line.0.note": (200, "the note of crisis line 1"),
    "crisis_line.0.hours": (200, "the hours of crisis line 1"),
}
"""Everything that is said in both languages: how long it may be, and what a refusal calls it."""
NEEDED: Final = {"name", "review_time", "crisis_line.0.name"}
CALLED: Final = {"en": "English", "fr": "French"}

said = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60).filter(
    lambda text: text.strip() and len(unicodedata.normalize("NFC", text)) <= 60
)
wordings = st.sampled_from(sorted(WORDINGS))
languages = st.sampled_from(sorted(CALLED))


def refusal(profile: dict[str, Any] | str) -> str:
    """The sentence with which a profile is refused."""
    text = profile if isinstance(profile, str) else written(profile)
    with pytest.raises(ConfigurationError) as refused:
        read_profile(text)
    sentence = refused.value.detail or ""
    assert sentence.startswith("the profile (RELAY_PROFILE_FILE), ")
    return sentence


def found(profile: Profile, path: str) -> Wording:
    """What is said there."""
    place: object = profile
    for name in path.split("."):
        if isinstance(place, Sequence):
            place = place[int(name)]
        else:
            place = getattr(place, name.replace("_line", "_lines"))
    assert isinstance(place, Wording)
    return place


@given(wordings, said, said)
def test_what_is_said_arrives_as_it_was_written(path: str, english: str, french: str) -> None:
    """In both languages, whatever letters it has: only room around it goes, and letters are composed."""
    profile, logo = read_profile(written(changed(path, {"en": english, "fr": french})))
    kept = [unicodedata.normalize("NFC", text).strip() for text in (english, french)]
    assert [found(profile, path).en, found(profile, path).fr] == kept
    assert logo is None


@given(wordings, languages)
def test_a_language_that_is_missing_is_named(path: str, language: str) -> None:
    """With what it is of, and the line to write."""
    sentence = refusal(changed(f"{path}.{language}", None))
    assert f"{WORDINGS[path][1]}: it is not there in {CALLED[language]}" in sentence
    assert f"write {path.rpartition('.')[2]}.{language} = " in sentence


@given(wordings, languages, st.integers(1, 100), st.sampled_from("aé漢"))
def test_what_is_too_long_is_named(path: str, language: str, more: int, letter: str) -> None:
    """The longest that is taken, and one letter more."""
    most, meaning = WORDINGS[path]
    read_profile(written(changed(f"{path}.{language}", letter * most)))
    sentence = refusal(changed(f"{path}.{language}", letter * (most + more)))
    assert f"{meaning}, in {CALLED[language]}: it has {most + more} characters" in sentence


@given(wordings, languages, st.sampled_from(["", " ", "\u00a0 "]))
def test_what_is_empty_is_named(path: str, language: str, nothing: str) -> None:
    """Nothing to read is no text."""
    assert "it is empty" in refusal(changed(f"{path}.{language}", nothing))


UNSEEN = st.characters(categories=("Cf", "Co", "Zl", "Zp"))


@given(wordings, languages, UNSEEN | st.sampled_from("\x07\x1b\u202e\u2066\u200b\t"))
def test_what_cannot_be_seen_is_refused(path: str, language: str, hidden: str) -> None:
    """Nothing that turns the direction of the text around it, and nothing that hides in it."""
    text = changed(f"{path}.{language}", f"a{hidden}b")
    assume(len(hidden.encode()) > 0)
    escaped = written(text).replace(hidden, f"\\U{ord(hidden):08x}")
    assert f"U+{ord(hidden):04X}" in refusal(escaped)


@given(wordings, languages)
def test_lines_are_for_an_address_alone(path: str, language: str) -> None:
    """Everything else is one line."""
    text = written(changed(f"{path}.{language}", "a\nb"))
    if path == "contact.address":
        assert getattr(read_profile(text).profile.contact.address, language) == "a\nb"
    else:
        assert "it has several lines" in refusal(text)


@given(wordings, st.one_of(st.integers(), st.booleans(), st.just("both"), st.just(["a"])))
def test_one_text_for_both_languages_is_refused(path: str, value: object) -> None:
    """And so is anything that is no text."""
    assert f"{WORDINGS[path][1]}: write it in both languages" in refusal(changed(path, value))
    assert "has to be text" in refusal(changed(f"{path}.en", 5))


@pytest.mark.parametrize("path", sorted(WORDINGS))
def test_what_is_needed_is_missed_and_the_rest_may_be_left_out(path: str) -> None:
    """A programme has a name, a time and somebody to call."""
    without = changed(path, None)
    if path in NEEDED:
        assert f"{WORDINGS[path][1]}: it is missing" in refusal(without)
    else:
        read_profile(written(without))


PLACES = [
    "",
    "contact.",
    "crisis_line.0.",
    "colours.",
    "colours.dark.",
    "name.",
    "crisis_line.0.note.",
]


@given(st.sampled_from(PLACES), st.from_regex(r"[a-z]{1,8}x", fullmatch=True))
def test_what_is_not_known_is_named(place: str, name: str) -> None:
    """A mistyped name is never passed over: what it was meant for would not be shown."""
    sentence = refusal(changed(f"{place}{name}", "x"))
    assert f"{name!r} is nothing that relay knows there" in sentence
    assert "write it as one of" in sentence


NUMBERS = st.lists(st.sampled_from("0123456789"), min_size=3, max_size=15).map("".join)
SEPARATED = st.sampled_from(["", " ", "-", ".", "\u00a0", ") ", " ("])


@given(NUMBERS, SEPARATED, st.booleans())
def test_a_number_is_dialled_as_it_is_shown(digits: str, between: str, abroad: bool) -> None:  # noqa: FBT001
    """Its digits and no others, with the + where it has one."""
    shown = ("+" if abroad else "") + between.join(digits)
    for path in ("contact.phone", "crisis_line.0.number"):
        profile = read_profile(written(changed(path, shown))).profile
        telephone = (
            profile.contact.telephone
            if path == "contact.phone"
            else profile.crisis_lines[0].telephone
        )
        assert telephone is not None
        assert telephone.shown == shown
        assert telephone.dial == ("+" if abroad else "") + digits


@given(
    st.one_of(
        st.from_regex(r"[0-9]{1,2}|[0-9]{16,30}", fullmatch=True),
        st.from_regex(r"[0-9]{3,8}[a-zA-Z#*;,=?&%/:+<\"]{1,3}[0-9]{0,4}", fullmatch=True),
        st.sampled_from(
            ["555-0100 ext. 4", "1-800-HELP", "--5550", "5550-", "٣٣٣٣٣", "\uff15\uff15\uff15", "+"]
        ),
    ),
    st.sampled_from(["contact.phone", "crisis_line.0.number"]),
)
def test_what_cannot_be_dialled_is_refused(number: str, path: str) -> None:
    """Letters, extensions, further addresses in the link, digits of other scripts, too few and too many."""
    sentence = refusal(changed(path, number))
    assert "cannot be dialled" in sentence
    assert "number" in sentence


@given(
    st.one_of(
        st.emails().filter(lambda text: re.search(r"[^\w@.+-]|\.\.", text) is not None),
        st.sampled_from(
            [
                "office",
                "a@b",
                "a@b.c?cc=d@e.ff",
                "a@b.cc,d@e.ff",
                "A <a@b.cc>",
                "mailto:a@b.cc",
                "é@b.cc",
            ]
        ),
    )
)
def test_an_address_that_says_more_is_refused(email: str) -> None:
    """One plain address: nothing that adds a subject, a text or another reader to a letter."""
    sentence = refusal(changed("contact.email", email))
    assert "the programme's e-mail address" in sentence


def test_somebody_can_always_be_called() -> None:
    """At least one crisis line, each with a number; eight at most."""
    line = HARBOUR["crisis_line"][0]
    for none in (None, [], "9-1-1", [1]):
        assert "crisis lines" in refusal(changed("crisis_line", none))
    assert "there are 9" in refusal(changed("crisis_line", [line] * 9))
    assert len(read_profile(written(changed("crisis_line", [line] * 8))).profile.crisis_lines) == 8
    assert "the number of crisis line 1: it is missing" in refusal(
        changed("crisis_line.0.number", None)
    )


@given(
    st.one_of(st.text(max_size=20), st.sampled_from(["../x.svg", "/etc/x.png", "a/b.svg", ".svg"]))
)
def test_a_logo_is_a_file_beside_the_profile(name: str) -> None:
    """No other folder, and no other kind."""
    assume(re.fullmatch(r"\s*[\w\-][\w.\-]*\.(svg|png)\s*", name, re.ASCII) is None)
    assume(all(unicodedata.category(letter) not in {"Cs", "Cc"} for letter in name))
    assert "the logo" in refusal(changed("logo", name))
    assert read_profile(written(changed("logo", "logo.v2.svg"))).logo == "logo.v2.svg"


@given(st.text(max_size=60))
def test_any_other_file_is_refused_with_a_sentence(text: str) -> None:
    """Never with an error that nobody foresaw."""
    refusal(text)


def test_a_mistake_of_form_names_its_place_and_a_huge_file_is_refused() -> None:
    """The line and the column, as the parser found them."""
    assert "at line 2" in refusal('name.en = "a"\nname.fr = \n')
    assert "make it shorter" in refusal("#" * (PROFILE_MAX_BYTES + 1))
    assert "contact of the programme" in refusal(changed("contact", "x"))


def test_the_defaults_are_a_profile() -> None:
    """Two lines that can be called, in both languages, and no colours."""
    profile, logo = read_profile((ROOT / "relay/profile.toml").read_text("utf-8"))
    assert [line.telephone.dial for line in profile.crisis_lines] == ["911", "988"]
    assert (profile.colours, logo) == (None, None)


WORDS_OF_THE_DEFAULTS = re.compile(
    r"9-1-1|9-8-8|tel:[0-9]|suicid|some days|quelques jours|sometimes a few weeks|everywhere in Canada"
    r"|partout au Canada",
    re.IGNORECASE,
)


def test_no_default_word_is_anywhere_else() -> None:
    """In no code and no text of the pages, of the service or of its sentences: one place."""
    files = [
        *(path for path in (ROOT / "web/src").rglob("*") if path.suffix in {".ts", ".css"}),
        *(ROOT / "web").glob("*.html"),
        *(path for path in (ROOT / "relay").rglob("*") if path.suffix in {".py", ".toml"}),
        *(ROOT / "workers").rglob("*.py"),
    ]
    found_in = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if WORDS_OF_THE_DEFAULTS.search(path.read_text("utf-8"))
    }
    assert len(files) > 300
    assert found_in == {"relay/profile.toml"}

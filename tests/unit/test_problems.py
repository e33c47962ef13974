"""What people are told about an error: each code has its entry in `relay/problems.toml`."""

from __future__ import annotations

import string

import pytest

from dev.problems import AGAIN, DOCUMENT, WHAT_TO_DO, errors, status_over_http, written
from relay.domain.gates import GateClosed
from relay.domain.links import WRONG_PASSPHRASES, TooManyTries
from relay.errors import InvalidRequest, RelayError, sentences
from tests.support.openapi import load_document


def test_every_code_has_its_sentences_and_is_of_one_error() -> None:
    """No error goes without an entry, no entry is left over, and no two errors share a code."""
    assert sorted(kind.code for kind in errors()) == sorted(sentences())


@pytest.mark.parametrize("code", sorted(sentences()))
def test_both_languages_are_whole_sentences(code: str) -> None:
    """English and French, each begun and ended as a sentence is, and not one in place of the other."""
    entry = sentences()[code]
    assert {"en", "fr"} <= set(entry) <= {"en", "fr", "occurrence-en", "occurrence-fr"}
    assert entry["en"] != entry["fr"]
    for sentence in (entry["en"], entry["fr"]):
        assert "  " not in sentence
        assert sentence[0].isupper() or sentence.startswith("relay ")
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    "code", sorted(code for code, entry in sentences().items() if len(entry) > 2)
)
def test_what_an_occurrence_says_is_made_of_described_members(code: str) -> None:
    """In both languages of the same members, each of which the description of the API has."""
    described = load_document()["components"]["schemas"]["Problem"]["properties"]
    used = []
    for language in ("en", "fr"):
        template = sentences()[code][f"occurrence-{language}"]
        used.append(
            {name for _text, name, _form, _how in string.Formatter().parse(template) if name}
        )
        for mark in ":;?!":
            assert language == "en" or template.count(mark) == template.count(f"\u00a0{mark}")
    assert used[0] == used[1]
    assert used[0]
    assert used[0] <= set(described)


@pytest.mark.parametrize(
    ("error", "en", "fr"),
    [
        (
            GateClosed("x", gates=["captions", "sender"]),
            "Closed now are: captions, sender.",
            "Conditions non remplies\u00a0: captions, sender.",
        ),
        (
            TooManyTries(WRONG_PASSPHRASES, wait_seconds=7),
            "You can try again in 7 seconds.",
            "Vous pourrez réessayer dans 7 secondes.",
        ),
        (InvalidRequest("x", problem="a {b}"), "a {b}", "En anglais\u00a0: a {b}"),
        (InvalidRequest("a detail for the log alone"), None, None),
        (RelayError("a detail for the log alone"), None, None),
    ],
)
def test_an_occurrence_is_told_in_both_languages(
    error: RelayError, en: str | None, fr: str | None
) -> None:
    """What is for the log alone is in neither."""
    assert (error.occurrence("en"), error.occurrence("fr")) == (en, fr)


def test_the_list_of_problems_is_current() -> None:
    """docs/problems.md is as `python -m dev.problems` writes it, and has each code in one row."""
    text = DOCUMENT.read_text("utf-8")
    assert text == written()
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(sentences())


def test_every_status_says_what_to_do() -> None:
    """No error is answered with a status of which the list says nothing, and none is said of without one."""
    assert {status_over_http(kind) for kind in errors()} - {None} == set(map(int, WHAT_TO_DO))


def test_every_refusal_says_whether_to_try_again() -> None:
    """In the row of each code that a caller may get: what its status says, or what it says itself."""
    statuses = {kind.code: status_over_http(kind) for kind in errors()}
    rows = {
        line.split("`")[1]: line.split(" | ")
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if line.startswith("| `")
    }
    for code, status in statuses.items():
        if status is None:
            assert len(rows[code]) == 3
            continue
        by_status = next(again for key, (again, _what) in WHAT_TO_DO.items() if key == status)
        assert rows[code][3] == f"{AGAIN.get(code, by_status)} |"
        assert AGAIN.get(code) != by_status, f"{code} says no more than its status"
    assert set(AGAIN) <= {code for code, status in statuses.items() if status is not None}

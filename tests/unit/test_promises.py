"""What the threat model promises is held by a test that it names; a name of no test fails here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.named_tests import Named, is_there, named_in, titles

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODEL: Final = ROOT / "docs/threat-model.md"
PROMISE: Final = re.compile(
    r"\b(cannot|can only|can never|cannot be|never|refused|refuses|neither|nor|no other|nobody|nothing|"
    r"is not|are not|is no|are no|without|alone|only)\b",
    re.IGNORECASE,
)
HELD: Final = "*Held by* "
NOT_PROTECTED: Final = "*Not protected*: "


def section(text: str, number: int) -> str:
    """The text of a numbered section, without its heading."""
    return re.split(r"^## \d\. .+\n", text, flags=re.MULTILINE)[number]


def stories(text: str) -> dict[str, str]:
    """Every story of section 3 by its title."""
    parts = re.split(r"^### (.+)\n", section(text, 3), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def paragraphs(text: str) -> list[str]:
    """Each paragraph and each item of a list, with the tests that are named below it; no drawing or table."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found: list[str] = []
    for part in re.split(r"\n\s*\n|\n(?=- )", text):
        if part.strip().startswith(HELD.strip()):
            found[-1] += "\n\n" + part.strip()
        elif part.strip() and not part.startswith("|"):
            found.append(part.strip())
    return found


def unheld(text: str) -> list[str]:
    """The paragraphs that promise something, name no test, and are not marked as what is not protected."""
    return [
        paragraph
        for paragraph in paragraphs(text)
        if PROMISE.search(paragraph)
        and not named_in(paragraph)
        and not paragraph.startswith(NOT_PROTECTED)
    ]


STORIES: Final = stories(MODEL.read_text("utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    """By its file and, where one is given, by its name or title."""
    named = named_in(document.read_text("utf-8"))
    assert [str(name) for name in named if not is_there(name)] == []


@pytest.mark.parametrize("title", STORIES)
def test_every_story_is_held_by_tests(title: str) -> None:
    """Each story names a test, and so does each paragraph of it that promises something."""
    assert named_in(STORIES[title])
    assert unheld(STORIES[title]) == []


def test_every_boundary_is_held_by_tests() -> None:
    """What section 2 says of the boundaries is a promise like any other."""
    assert len(named_in(section(MODEL.read_text("utf-8"), 2))) > 5
    assert unheld(section(MODEL.read_text("utf-8"), 2)) == []


def test_there_are_the_stories_that_the_others_speak_of() -> None:
    """A heading that is written otherwise, or lost, is noticed."""
    assert len(STORIES) > 20
    assert "Somebody who wants to stop the service" in STORIES


@pytest.mark.parametrize(
    "text",
    [
        "*Cannot* open a letter.",
        "A message is never shown, and `tests/support/gates.py` helps with it.",
        "The key is refused.\n\n*Can* copy what they read.\n\n*Held by* `tests/unit/test_promises.py`.",
    ],
)
def test_a_promise_without_a_test_is_found(text: str) -> None:
    """Also where a helper is named, and where the test is that of another paragraph."""
    assert unheld(text)


@pytest.mark.parametrize(
    "text",
    [
        "*Cannot* open a letter.\n\n*Held by* `tests/unit/test_promises.py`.",
        "*Cannot* open one (`tests/http/test_at_once.py`).",
        "*Not protected*: nobody sees it.",
        "*Learns* sizes.",
    ],
)
def test_a_promise_with_a_test_is_not(text: str) -> None:
    """In the paragraph, below it, or marked; one that is to come is looked for elsewhere."""
    assert unheld(text) == []


OF_THIS_FILE: Final = "tests/unit/test_promises.py"
OF_PAGES: Final = "web/tests/boundaries.test.ts"


@pytest.mark.parametrize(
    ("path", "test"),
    [
        (OF_THIS_FILE, None),
        (OF_THIS_FILE, "test_every_story_is_held_by_tests"),
        (OF_PAGES, "the service worker > would be found out"),
        (
            "web/tests/keys/takes.test.ts",
            "%s > is opened by nobody else, and by nobody through another link",
        ),
        ("web/tests/keys/device.test.ts", "what one page has seen another one knows"),
    ],
)
def test_a_test_that_is_there_is_found(path: str, test: str | None) -> None:
    """With parameters, inside a block, in a block of a table, and beside all blocks."""
    assert is_there(Named(path, test))


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("tests/unit/test_gone.py", None),
        (OF_THIS_FILE, "test_something_else"),
        (OF_THIS_FILE, "unheld"),
        ("tests/support/named_tests.py", None),
        (OF_PAGES, "would be found out"),
        (OF_PAGES, "a device > would be found out"),
        (OF_PAGES, "the service worker"),
    ],
)
def test_a_test_that_is_not_there_is_found_out(path: str, test: str | None) -> None:
    """No file, no such function, no test, a title without its block, in another one, and a block."""
    assert not is_there(Named(path, test))


def test_a_title_is_found_in_every_test_of_the_pages() -> None:
    """However its calls are written: no file of tests is read as if it had none."""
    files = sorted((ROOT / "web/tests").rglob("*.test.ts"))
    assert len(files) > 30
    assert [str(file) for file in files if not titles(file)] == []

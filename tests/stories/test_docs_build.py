"""The documentation as a site: complete, in five sections, without a broken link, and asking nobody else."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag

import pytest
from playwright.async_api import async_playwright

from tests.support.browser import visitors

ROOT: Final = Path(__file__).parents[2]
SECTIONS: Final = ["Start here", "Embed", "Operate", "Protocol", "Decide"]
FIRST: Final = "README.html"
ELSEWHERE: Final = re.compile(r"(?:[a-z][a-z0-9+.\-]*:)?//|(?:https?|ftp|wss?):", re.IGNORECASE)
"""How an address begins that leads to a host."""
LOADING: Final = frozenset(
    {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping"}
)
"""Attributes whose address a browser asks for, whatever the element."""
IN_STYLE: Final = re.compile(r"url\(\s*['\"]?([^'\")]*)|@import\s+['\"]([^'\"]*)", re.IGNORECASE)

pytestmark = pytest.mark.xdist_group("the documentation is built once")


class Document(HTMLParser):
    """What a page links to, what it loads, and where one can jump to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.captions: list[str] = []
        self.entries: dict[str, list[str]] = {}
        self._in_caption = False
        self._in_style = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down the addresses and identifiers of one element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        loads = [given[name] for name in LOADING & given.keys()]
        loads += [part for name in given.keys() & {"style"} for part in addresses(given[name])]
        if tag == "link" or (tag == "use" and "href" in given):
            loads.append(given["href"])
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            loads.append(given["content"].partition("url=")[2])
        elif "href" in given:
            self.links.append(given["href"])
            if "internal" in given.get("class", "").split() and self.captions:
                self.entries.setdefault(self.captions[-1], []).append(given["href"])
        self.loaded += loads
        self._in_caption = "caption-text" in given.get("class", "").split()
        self._in_style = tag == "style"

    def handle_endtag(self, _tag: str) -> None:
        """Leave a caption or a style sheet."""
        self._in_caption = self._in_style = False

    def handle_data(self, data: str) -> None:
        """Read the captions of the sections, and what a style sheet in the page loads."""
        if self._in_caption:
            self.captions.append(data)
        elif self._in_style:
            self.loaded += addresses(data)


def addresses(style: str) -> list[str]:
    """What a style sheet loads."""
    return [one or other for one, other in IN_STYLE.findall(style)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site") / "site"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", "--no-print-directory", "docs", f"SITE={folder}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[Path, Document]:
    """Every page of it."""
    return {path: Document(path) for path in sorted(site.rglob("*.html"))}


def test_the_five_sections_hold_every_document(site: Path, documents: dict[Path, Document]) -> None:
    """In this order, none of them empty; every document of the project has a page."""
    first = documents[site / FIRST]
    assert first.captions == SECTIONS
    assert list(first.entries) == SECTIONS
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(written) > 70
    pages = [site / path.relative_to(ROOT).with_suffix(".html") for path in written]
    assert [page for page in pages if page not in documents] == []
    reached = {
        (page.parent / unquote(urldefrag(link).url)).resolve()
        for page, document in documents.items()
        for link in document.links
        if not ELSEWHERE.match(link)
    }
    assert [page for page in pages if page not in reached] == []


def test_every_link_and_anchor_leads_somewhere(documents: dict[Path, Document]) -> None:
    """Within the site; and what a page loads from it is there."""
    broken = []
    for page, document in documents.items():
        for link in [*document.links, *document.loaded]:
            if ELSEWHERE.match(link) or link.startswith(("mailto:", "data:")):
                continue
            target, anchor = urldefrag(link)
            path = (page.parent / unquote(target.partition("?")[0])).resolve() if target else page
            if not path.is_file() or (
                anchor and path in documents and unquote(anchor) not in documents[path].anchors
            ):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host(site: Path, documents: dict[Path, Document]) -> None:
    """No page and no style sheet names anything to load that is not in the site."""
    loaded = {page: document.loaded for page, document in documents.items()}
    sheets = {path: addresses(path.read_text("utf-8")) for path in site.rglob("*.css")}
    assert any(sheets.values())
    assert all(loaded.values())
    assert [
        (path.name, address)
        for path, found in (loaded | sheets).items()
        for address in found
        if ELSEWHERE.match(address)
    ] == []


@pytest.mark.browsers
async def test_a_page_asks_for_nothing_else_when_it_is_open(site: Path) -> None:
    """Its programs neither: diagrams are drawn and words are found with what is in the site alone."""
    asked: list[str] = []
    failures: list[str] = []
    async with async_playwright() as playwright:
        browser = await visitors.launch(playwright)
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        await page.goto(f"{site.as_uri()}/docs/architecture.html")
        await page.locator("pre.mermaid svg").nth(1).wait_for()
        await page.goto(f"{site.as_uri()}/index.html")
        await page.wait_for_url(f"{site.as_uri()}/{FIRST}")
        await page.locator("input[name=q]").first.fill("passphrase")
        await page.keyboard.press("Enter")
        await page.locator("#search-results li a", has_text="A floor for passphrases").wait_for()
        await browser.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert failures == []

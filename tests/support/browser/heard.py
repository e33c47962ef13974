"""Every sentence that a page showed or named, to be compared with the language that it was to speak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from playwright.async_api import Page

from tests.support.browser.visitors import Guest, Language
from tests.support.browser.words import Sentences, catalogues

_LISTEN: Final = """
globalThis.heard = new Set();
const NAMES = ['aria-label', 'aria-description', 'title', 'placeholder', 'alt'];
const hear = (text) => {
  const said = (text ?? '').replace(/\\s+/g, ' ').trim();
  if (said !== '') globalThis.heard.add(said);
};
const listen = (node) => {
  if (node.nodeType === Node.TEXT_NODE) {
    if (!['SCRIPT', 'STYLE', 'TEMPLATE'].includes(node.parentElement?.tagName)) hear(node.data);
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  for (const name of NAMES) hear(node.getAttribute(name));
  for (const child of node.childNodes) listen(child);
};
if (document.documentElement !== null) listen(document.documentElement);
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    listen(target.nodeType === Node.TEXT_NODE ? target : target.cloneNode(false));
    addedNodes.forEach(listen);
  }
}).observe(document, {
  subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMES,
});
"""


async def listen(guest: Guest) -> None:
    """Keep every sentence of every page that this person opens from now on."""
    await guest.at_every_page(_LISTEN)


async def foreign(page: Page, language: Language) -> list[str]:
    """What a page said that is a sentence of the other language's catalogues, and none of its own."""
    said: list[str] = await page.evaluate("[...globalThis.heard]")
    own = list(_sentences(language))
    others = list(_sentences("en" if language == "fr" else "fr"))
    assert any(pattern.fullmatch(one) for one in said for pattern in own), "nothing was heard"
    return [
        one
        for one in said
        if any(pattern.fullmatch(one) for pattern in others)
        and not any(pattern.fullmatch(one) for pattern in own)
    ]


def _sentences(language: Language) -> Iterator[re.Pattern[str]]:
    for rooms in catalogues().values():
        for sentence in _leaves(rooms[language]):
            plain = " ".join(sentence.split())
            # What is nothing but its places would match everything.
            if any(map(str.isalpha, re.sub(r"\{\d\}", "", plain))):
                yield re.compile(re.sub(r"\\\{\d\\\}", ".*", re.escape(plain)))


def _leaves(part: Sentences) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for one in part.values():
            yield from _leaves(one)

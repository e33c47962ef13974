"""axe-core, run beside a page in a world of its own: the page's policy stays as strict as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from playwright.async_api import CDPSession, Frame, Page

_SOURCE: Final = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
_ON_COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules that look at colours: for all others a page is the same in light and dark."""
_RULES: Final = {
    "light": {"type": "tag", "values": _TAGS},
    "dark": {"type": "rule", "values": _ON_COLOURS},
}
_RUN: Final = """
axe.run(document, { runOnly: %s, resultTypes: ['violations'] })
  .then((found) => found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(' ')} ${node.html.slice(0, 160)}`
      + ` ${(node.failureSummary ?? '').replaceAll('\\n', ' ').slice(0, 300)}`)))
"""


async def violations(page: Page) -> list[str]:
    """What is against WCAG 2.2, A and AA, as far as a machine can tell, in light and in dark colours."""
    session = await page.context.new_cdp_session(page)
    try:
        tree = await session.send("Page.getFrameTree")
        world = await session.send(
            "Page.createIsolatedWorld",
            {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"},
        )
        where = world["executionContextId"]
        await _run(session, where, _SOURCE.read_text("utf-8") + "\n;0")
        faults: list[str] = []
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found: list[str] = await _run(session, where, _RUN % json.dumps(_RULES[scheme]))
            faults += [f"({scheme}) {fault}" for fault in found]
        return faults
    finally:
        await session.detach()


async def violations_here(page: Page | Frame) -> list[str]:
    """The same in the colours that a page has now, in any browser: beside the page's own scripts."""
    if await page.evaluate("globalThis.axe === undefined"):
        await page.evaluate(f"() => {{ {_SOURCE.read_text('utf-8')} }}")
    found: list[str] = await page.evaluate(_RUN % json.dumps(_RULES["light"]))
    return found


async def _run(session: CDPSession, where: int, expression: str) -> Any:
    answer = await session.send(
        "Runtime.evaluate",
        {
            "expression": expression,
            "contextId": where,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    if "exceptionDetails" in answer:
        raise AssertionError(answer["exceptionDetails"])
    return answer["result"]["value"]

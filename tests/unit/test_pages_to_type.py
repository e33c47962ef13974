"""Blocks of a page of commands: nothing in it is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pages_to_type import UnknownBlock, read_blocks


def page(folder: Path, *lines: str) -> Path:
    """A page of these lines."""
    path = folder / "page.md"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_blocks_come_in_order_with_where_they_belong(tmp_path: Path) -> None:
    """Commands by who types them, files by their path; a heading in a block is none."""
    lines = ["# Page", "## One", "```sh", "# Server", "## no heading", "true", "```"]
    lines += ["### Two", "```ini", "# /etc/a.conf", "b = c", "```"]
    first, second = read_blocks(page(tmp_path, *lines))
    assert (first.section, first.where, first.is_file) == ("One", "Server", False)
    assert first.text == "## no heading\ntrue\n"
    assert (second.section, second.where, second.is_file) == ("Two", "/etc/a.conf", True)
    assert second.line == 9


@pytest.mark.parametrize(
    "lines",
    [
        ("```", "true", "```"),
        ("```sh", "true", "```"),
        ("```sh", "# server", "true", "```"),
        ("```sh", "# /etc/relay/web.env", "A=b", "```"),
        ("```ini", "A=b", "```"),
        ("```ini", "# Server", "A=b", "```"),
        ("```sql", "# Server", "select 1;", "```"),
        ("```sh", "```"),
        ("```sh", "# Server", "true"),
    ],
)
def test_a_block_that_does_not_say_where_it_belongs_is_refused(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    """Whatever else it is: it would be typed by nobody."""
    with pytest.raises(UnknownBlock):
        read_blocks(page(tmp_path, *lines))

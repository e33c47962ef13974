"""A build of the pages gives the bytes that are served: anybody can check what their browser got."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec
import pytest

from relay.client.webcat import webcat_manifest
from relay.domain.page_rules import LIST
from relay.errors import ConfigurationError
from relay.services.pages import Pages, files_of_build
from tests.support.webcat import faults_of_manifest

ROOT: Final = Path(__file__).parents[2]
LARGEST_BYTES: Final = 2 * 1024 * 1024

pytestmark = pytest.mark.xdist_group("the pages are built once")


def build(folder: Path) -> Path:
    """The pages, built from a copy of the sources in this folder, as `make pages` builds them."""
    for kept in (".ci", "web", "docs", "relay"):
        (folder / kept).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "npm", folder / ".ci")
    shutil.copy(ROOT / "docs" / "openapi.yaml", folder / "docs")
    words = Path("relay") / "crypto" / "wordlists"
    shutil.copytree(ROOT / words, folder / words)
    shutil.copytree(
        ROOT / "web",
        folder / "web",
        ignore=shutil.ignore_patterns("node_modules", "schema.d.ts", "tests", "bench"),
        dirs_exist_ok=True,
    )
    (folder / "web" / "node_modules").symlink_to(ROOT / "web" / "node_modules")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run([folder / ".ci" / "npm", "run", "--silent", "build"], check=True)
    return folder / "relay" / "pages"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built in a folder of their own."""
    return build(tmp_path_factory.mktemp("one"))


def test_another_build_in_another_folder_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """No time, no path and no chance is in what is served, the compressed copies included."""
    again = contents(build(tmp_path / "elsewhere" / "deeper"))
    first = contents(built)
    assert sorted(first) == sorted(again)
    assert [name for name in first if first[name] != again[name]] == []


def test_what_is_built_can_be_served_and_every_file_is_listed(built: Path) -> None:
    """Relay takes the build, each file in it has its hash, and all of it fits into memory."""
    listed = msgspec.json.decode((built / "integrity.json").read_bytes(), type=dict[str, str])
    assert set(contents(built)) - {"integrity.json"} == set(listed)
    pages = Pages.read(built, embed_origins=(), public_url="https://relay.example")
    for name in ("participant.html", "console.html", "sw.js", "embed.js"):
        assert pages.find(name).encoded("br")[0] == "br"
    whole = [name for name in listed if not name.endswith((".br", ".gz"))]
    assert sum((built / name).stat().st_size for name in whole) < LARGEST_BYTES
    assert [
        name for name, content in contents(built).items() if b"sourceMappingURL" in content
    ] == []


def test_what_is_built_comes_with_its_licences(built: Path) -> None:
    """Each package that is no tool is there by name and version, with the text of its licence."""
    text = (built / "licences.txt").read_text("utf-8")
    lock = msgspec.json.decode((ROOT / "web/package-lock.json").read_bytes())
    shipped = {
        path.removeprefix("node_modules/"): package["version"]
        for path, package in lock["packages"].items()
        if path and not package.get("dev")
    }
    assert [name for name in shipped if f"{name} {shipped[name]}, " not in text] == []
    assert text.count("WITHOUT WARRANTY") + text.count("AS IS") > 20


def test_what_is_built_meets_webcat(built: Path) -> None:
    """Its manifest is taken, and names the one piece of WebAssembly, which is libsodium's."""
    files = {**files_of_build(built), LIST: (built / LIST).read_bytes()}
    for origins in ((), ("https://cases.example",)):
        manifest = webcat_manifest(files, "0.1.0", origins)
        assert faults_of_manifest(manifest) == []
        assert len(manifest["wasm"]) == 1
    scripts = [content for name, content in files.items() if name.endswith(".js")]
    assert len([script for script in scripts if b"WebAssembly.instantiate" in script]) == 1
    assert [script for script in scripts if re.search(rb"\beval\(|new Function\(", script)] == []


def test_a_build_with_any_byte_changed_is_not_served(built: Path) -> None:
    """Whatever file of the real build it is in, and whichever encoding."""
    for name in sorted(set(contents(built)) - {"integrity.json"}):
        path = built / name
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(ConfigurationError, match=re.escape(f"{name} is not the one")):
            Pages.read(built, embed_origins=(), public_url="https://relay.example")
        path.write_bytes(content)
    Pages.read(built, embed_origins=(), public_url="https://relay.example")

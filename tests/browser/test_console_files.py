"""The files that the console saves for a mediator, in the hands of the commands that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from playwright.async_api import Page
from typer.testing import CliRunner

from relay.__main__ import program
from relay.client.certifying import CredentialRequest
from relay.crypto.age import parse_recipient, seal_file
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit

PASSPHRASE: Final = "copper lantern seventeen geese"
LETTER: Final = b"the words of a letter"


async def test_keys_that_the_console_saved_open_what_was_sealed_for_them(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """`relay crypt open` takes the sealed keys as they were saved, for the recipient of the request."""
    guest = await visit()
    guest.keeps_secret(PASSPHRASE)
    page = await guest.open(scene.console_url)
    console = MediatorPage(page, "en")
    await console.input.press(page.get_by_text(console.words("unlock.make"), exact=True))
    form = page.locator("form").filter(has=console.button("unlock.makeDo"))
    await console.input.write(
        form.get_by_label(console.words("unlock.makePassphrase"), exact=True), PASSPHRASE
    )
    await console.input.write(
        form.get_by_label(console.words("unlock.makeAgain"), exact=True), PASSPHRASE
    )
    await console.input.press(console.button("unlock.makeDo"))
    keyring = await _saved(page, console, "saveKeyring", tmp_path / "relay-keyring.age")
    request = await _saved(page, console, "saveRequest", tmp_path / "relay-request.json")

    asked = msgspec.json.decode(request.read_bytes(), type=CredentialRequest)
    assert asked.recipient is not None
    sealed, passphrase, opened = (tmp_path / name for name in ("sealed", "passphrase", "opened"))
    sealed.write_bytes(seal_file(LETTER, [parse_recipient(asked.recipient)]))
    passphrase.write_text(f"{PASSPHRASE}\n")
    given = ["-i", str(keyring), "--passphrase-file", str(passphrase)]
    done = CliRunner().invoke(program(), ["crypt", "open", *given, "-o", str(opened), str(sealed)])
    assert done.exit_code == 0, done.output
    assert opened.read_bytes() == LETTER
    named = CliRunner().invoke(
        program(), ["crypt", "open", "-i", str(request), "-o", str(opened), str(sealed)]
    )
    assert named.exit_code == 1
    assert "a request for a credential" in named.stderr


async def _saved(page: Page, console: MediatorPage, key: str, target: Path) -> Path:
    """Press a button that saves a file, and keep what it saved."""
    async with page.expect_download() as waiting:
        await console.input.press(console.button(f"unlock.{key}"))
    saved = await waiting.value
    assert saved.suggested_filename == target.name
    await saved.save_as(target)
    return target

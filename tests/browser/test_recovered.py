"""Who can open what a person sends: said before they begin, and again when a recovery key was used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from relay.client.administrator import publish_revocation
from relay.client.recovery import give_case, publish_recovered
from relay.services import charters
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.letters import LETTER
from tests.support.browser.casework import LANGUAGES, CasePage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, new_reviewer
from tests.support.browser.visitors import Language, Visit

OWN: Final = "What I wrote before the case was given to somebody else."


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_recovery_key_is_told_of_before_and_when_it_was_used(
    scene: Scene, visit: Visit, tmp_path: Path, language: Language
) -> None:
    """The first page names it; afterwards the person and the new mediator see what it did."""
    people = scene.people
    recovery_id, recovery = await people.enrol("recovery")
    try:
        waiting = await scene.waiting()
        guest = await visit(language=language)
        person = await ParticipantPage.begin(guest, waiting.harmed_url, language)
        await person.write(OWN)
        sender = await scene.people.claim(waiting.responsible_url)
        sent = await sender.send_letter(waiting.harmed_id, LETTER)

        newcomer = await new_reviewer(people, tmp_path / "newcomer.keyring")
        settings = Settings.from_environment(scene.running.environment)
        database = await Database.connect(settings.database_url, connections=1)
        found = await charters.export(database, settings, waiting.case_id)
        await database.close()
        pinned = people.administrator.fingerprint
        given = give_case(found, recovery, newcomer.client.credential_id, pinned)
        await publish_recovered(people.connection, waiting.case_id, given)
        read = await newcomer.client.read(sent.message)
        assert await newcomer.client.read_letter(read) == LETTER

        await person.page.reload()
        await person.unlock()
        told = person.home("home.recovered", "•").partition("•")
        await expect(person.page.get_by_text(told[2].strip())).to_be_visible()
        await person.open_sent("in-review")
        await person.input.press(person.button(person.home("sent.readOwn")))
        await expect(person.page.get_by_text(OWN)).to_be_visible()

        console = await CasePage.open(await visit(language=language), scene, newcomer, language)
        await console.at_case(f"case {waiting.case_id}")
        asked = console.words("readers.recoveredAsk")
        await expect(console.readers.get_by_text(asked)).to_be_visible()
    finally:
        # Other cases of this relay list no recovery key, and are to stay up to date.
        await publish_revocation(
            people.connection, recovery_id, people.administrator.sign_revocation(recovery_id)
        )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_first_page_says_who_can_open_what_is_sent(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """The mediators, the computer that prepares videos, a recovery key where there is one; nobody else."""
    plain = await scene.waiting()
    recovery_id, _ = await scene.people.enrol("recovery")
    try:
        with_recovery = await scene.waiting()
    finally:
        await publish_revocation(
            scene.people.connection,
            recovery_id,
            scene.people.administrator.sign_revocation(recovery_id),
        )
    for waiting, is_named in ((plain, False), (with_recovery, True)):
        person = await ParticipantPage.arrive(
            await visit(language=language), waiting.harmed_url, language
        )
        everything = person.page.locator("main")
        await expect(everything).to_contain_text(person.arriving("opens.nobodyElse"))
        await expect(everything).to_contain_text(person.arriving("opens.worker"))
        named = person.page.get_by_text(person.arriving("opens.recovery"))
        await expect(named).to_have_count(1 if is_named else 0)

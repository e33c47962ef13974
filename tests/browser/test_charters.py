"""Who came through a link, and who can read a case: in the console, on a real relay."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from relay.client.administrator import publish_credential
from relay.client.certifying import CredentialRequest, read_request, request_for
from relay.client.mediator import Mediator
from relay.crypto.keyrings import generate_keyring, seal_keyring
from relay.crypto.signing import statement_hash
from relay.crypto.verified import Standing
from relay.crypto.words import claim_words
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.messages import ReviewMessage
from relay.testing.letters import LETTER
from relay.testing.people import PASSPHRASE, verify_everybody
from tests.support.browser.casework import LANGUAGES, CasePage
from tests.support.browser.inputs import Keyboard
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Reviewer, Scene, Waiting, new_reviewer
from tests.support.browser.visitors import Language, Visit
from tests.support.relays import WORK_FACTOR_LOG2

SHORT_DAYS: Final = 30
THEIRS: Final = "This is not from who you think it is."
NEW_PASSPHRASE: Final = "lantern gravel orchard museum"


async def _case_page(scene: Scene, visit: Visit, waiting: Waiting) -> CasePage:
    page = await CasePage.open(await visit(), scene, scene.mediator)
    await page.at_case(f"case {waiting.case_id}")
    return page


async def _claim_hash(waiting: Waiting) -> bytes:
    """Of the one claim that waits."""
    (record,) = await waiting.mediator.claims_to_verify(waiting.case_id)
    assert record.claim is not None
    return statement_hash(record.claim)


async def test_four_words_are_compared_before_anybody_is_believed(
    scene: Scene, visit: Visit
) -> None:
    """One person at a time; both languages of the words; what they wrote can be approved from then on."""
    waiting = await scene.waiting()
    person = await scene.claim(waiting.harmed_url)
    sent = await person.send_letter(waiting.responsible_id, LETTER)
    mediator = await CasePage.open(await visit(), scene, scene.mediator)
    case = f"case {waiting.case_id}"
    await mediator.see(case)
    who = mediator.words("people.role.harmed")
    await expect(mediator.page.get_by_text(mediator.words("review.unchecked", who))).to_be_visible()
    await mediator.input.press(mediator.button("choice.lease"))
    await expect(mediator.button("choice.return")).to_be_visible()
    for never in ("approve", "offer"):
        await expect(mediator.button(f"choice.{never}")).to_have_count(0)

    await mediator.input.press(mediator.button("claim.check"))
    await expect(mediator.dialog).to_be_visible()
    digest = await _claim_hash(waiting)
    for language in LANGUAGES:
        words = mediator.dialog.locator(f"ol[lang={language}]").get_by_role("listitem")
        await expect(words).to_have_text(claim_words(digest, language))
    await mediator.answer_claim("same")
    await expect(mediator.person("harmed")).to_contain_text(mediator.words("case.keys.verified"))
    assert not await waiting.mediator.claims_to_verify(waiting.case_id)
    read: ReviewMessage = await waiting.mediator.read(sent.message)
    assert (await waiting.mediator.verify(read)).standing is Standing.VERIFIED


async def test_a_thief_is_not_who_the_link_was_for(scene: Scene, visit: Visit) -> None:
    """The words differ: the link ends as misused, and what came through it cannot be approved."""
    waiting = await scene.waiting()
    await scene.claim(waiting.harmed_url)
    await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    stolen = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id)
    thief = await scene.people.claim(stolen)
    await thief.send_letter(waiting.responsible_id, THEIRS)
    mediator = await _case_page(scene, visit, waiting)
    said = await mediator.ask_about_claim("harmed")
    assert said["en"] == claim_words(await _claim_hash(waiting), "en")
    await expect(mediator.dialog.get_by_text("their other link in use ends")).to_be_visible()
    await mediator.answer_claim("notThem")
    await expect(mediator.person("harmed")).to_contain_text(mediator.words("case.linkEnd.misused"))
    await expect(mediator.person("harmed")).to_contain_text(
        mediator.words("case.linkState.verified")
    )
    await mediator.see(f"case {waiting.case_id}")
    await expect(mediator.page.get_by_text(mediator.words("review.ended"))).to_be_visible()
    await mediator.input.press(mediator.button("choice.lease"))
    for offered in ("return", "hold", "decline"):
        await expect(mediator.button(f"choice.{offered}")).to_be_visible()
    await expect(mediator.button("choice.approve")).to_have_count(0)


async def test_a_lost_link_is_ended_and_what_was_written_stays(scene: Scene, visit: Visit) -> None:
    """Ending asks why first; as replaced, a verified person's letter still counts."""
    waiting = await scene.waiting()
    person = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    sent = await person.send_letter(waiting.responsible_id, LETTER)
    mediator = await _case_page(scene, visit, waiting)
    await mediator.end_link("harmed", "replaced")
    read = await waiting.mediator.read(sent.message)
    assert (await waiting.mediator.verify(read)).standing is Standing.VERIFIED


@pytest.mark.parametrize("language", LANGUAGES)
async def test_mediators_join_and_leave_with_the_keyboard_alone(
    scene: Scene, visit: Visit, tmp_path: Path, language: Language
) -> None:
    """Who joins reads what was written before; who leaves reads nothing that is written after."""
    waiting = await scene.waiting()
    person = await scene.claim(waiting.harmed_url)
    await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    before = await person.send_letter(waiting.responsible_id, LETTER)
    newcomer = await new_reviewer(scene.people, tmp_path / "newcomer.keyring")
    mediator = await CasePage.open(
        await visit(language=language), scene, scene.mediator, language, by=Keyboard
    )
    await mediator.at_case(f"case {waiting.case_id}")
    await mediator.change_mediators(
        join=newcomer.client.credential_id, leave=scene.colleague.client.credential_id
    )
    await expect(mediator.readers).to_contain_text(
        mediator.colleague(newcomer.client.credential_id), ignore_case=True
    )
    read = await newcomer.client.read(before.message)
    assert await newcomer.client.read_letter(read) == LETTER
    case = await newcomer.client.case(waiting.case_id)
    assert case.charter.version == 2
    old = await scene.mediator.client.case(waiting.case_id)
    assert old.charter.recipient != case.charter.recipient
    renewed = await person.send_letter(waiting.responsible_id, LETTER)
    assert await newcomer.client.read_letter(await newcomer.client.read(renewed.message)) == LETTER


async def test_the_case_system_asks_and_a_mediator_signs(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """A proposal changes nothing until a mediator of the case signs it."""
    waiting = await scene.waiting()
    newcomer = await new_reviewer(scene.people, tmp_path / "newcomer.keyring")
    wanted = [scene.mediator.client.credential_id, newcomer.client.credential_id]
    await scene.people.case_system.register(
        waiting.case_id,
        CaseRegistration(
            reference=f"case {waiting.case_id}",
            participants=[
                NewParticipant(participant=waiting.harmed_id, role=ParticipantRole.HARMED),
                NewParticipant(
                    participant=waiting.responsible_id, role=ParticipantRole.RESPONSIBLE
                ),
            ],
            mediators=wanted,
        ),
    )
    mediator = await _case_page(scene, visit, waiting)
    joining = mediator.words("readers.proposalJoin", mediator.colleague(wanted[1]))
    await expect(mediator.readers.get_by_text(joining)).to_be_visible()
    sign = mediator.words("readers.sign")
    await mediator.input.press(mediator.readers.get_by_role("button", name=sign))
    await mediator.input.press(mediator.dialog.get_by_role("button", name=sign))
    await expect(
        mediator.readers.get_by_text(mediator.words("readers.proposal"), exact=True)
    ).to_have_count(0)
    assert (await newcomer.client.case(waiting.case_id)).charter.version == 2
    view = await waiting.mediator.read_case(waiting.case_id)
    assert view.proposed_mediators is None
    assert set(view.mediators) == set(wanted)


async def test_a_colleague_with_new_keys_is_let_back_in(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Where listed keys end soon and their holder has newer ones, a colleague puts those in their place."""
    mediator = scene.mediator.client
    person = uuid.uuid4()
    old = await _mediator(scene, tmp_path / "old.keyring", person, valid_days=SHORT_DAYS)
    waiting = await scene.waiting()
    await mediator.change_charter(
        waiting.case_id, mediators=[mediator.credential_id, old.client.credential_id]
    )
    new = await _mediator(scene, tmp_path / "new.keyring", person)
    page = await _case_page(scene, visit, waiting)
    again = page.words("readers.letBack")
    await page.input.press(page.readers.get_by_role("button", name=again))
    await page.input.press(page.dialog.get_by_role("button", name=again))
    await expect(page.dialog).to_have_count(0)
    await expect(page.readers.get_by_role("button", name=again)).to_have_count(0)
    case = await new.client.case(waiting.case_id)
    assert {one.credential for one in case.charter.mediators} == {
        mediator.credential_id,
        new.client.credential_id,
    }


async def test_keys_are_renewed_and_two_cases_brought_over(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Told on every screen; both cases in one step; the browser keeps the new keys alone."""
    old = await _mediator(scene, tmp_path / "old.keyring", uuid.uuid4(), valid_days=SHORT_DAYS)
    cases = [await _case_of(scene, old) for _ in range(2)]
    page = await CasePage.open(await visit(), scene, old)
    page_words = page.words
    warning = page.page.get_by_role("complementary", name=page_words("ownKeys.title"))
    await expect(warning).to_be_visible()
    await page.go("cases")
    await expect(warning).to_be_visible()
    await page.input.press(warning.get_by_role("button", name=page_words("ownKeys.see")))
    await page.input.write(page.field("ownKeys.passphrase"), NEW_PASSPHRASE)
    await page.input.write(
        page.page.get_by_label(page_words("ownKeys.again"), exact=True), NEW_PASSPHRASE
    )
    await page.input.press(page.button("ownKeys.do"))
    async with page.page.expect_download() as downloading:
        await page.input.press(page.button("ownKeys.saveRequest"))
    request_file = tmp_path / "request.json"
    await (await downloading.value).save_as(request_file)
    request = read_request(request_file)
    trust = await old.client.trust()
    assert request.person == trust.authorities[old.client.credential_id].person
    await publish_credential(
        scene.people.connection, scene.people.administrator.sign_credential(request)
    )

    await page.input.press(page.button("ownKeys.look"))
    await page.input.press(page.button("ownKeys.bringDo", 2))
    await expect(page.page.get_by_text(page_words("ownKeys.allDone"))).to_be_visible()
    for case in cases:
        await expect(
            page.page.get_by_text(f"case {case}: {page_words('ownKeys.ok')}")
        ).to_be_visible()
        view = await scene.mediator.client.read_case(case)
        assert request.credential in view.mediators
        assert old.client.credential_id not in view.mediators
    await page.input.press(page.button("ownKeys.lock"))
    await _opens_with_new_keys(page)
    await page.at_case(f"case {cases[0]}")


async def _opens_with_new_keys(page: MediatorPage) -> None:
    field = page.page.get_by_label(page.words("unlock.passphrase"), exact=True)
    await expect(page.page.get_by_text(page.words("ownKeys.nameNew"), exact=True)).to_be_visible()
    await expect(page.page.get_by_role("combobox")).to_have_count(0)
    await page.input.write(field, NEW_PASSPHRASE)
    await page.input.press(page.button("unlock.open"))
    await expect(page.heading("ownKeys.title")).to_be_visible()


async def _mediator(
    scene: Scene, keyring_file: Path, person: uuid.UUID, *, valid_days: int = 365
) -> Reviewer:
    """A mediator with keys of this person for so many days."""
    people = scene.people
    keyring = generate_keyring()
    request: CredentialRequest = request_for(uuid.uuid4(), "mediator", keyring, person=person)
    statement = people.administrator.sign_credential(request, valid_days=valid_days)
    await publish_credential(people.connection, statement)
    keyring_file.write_bytes(seal_keyring(keyring, PASSPHRASE, WORK_FACTOR_LOG2))
    client = Mediator(
        people.connection,
        keyring,
        request.credential,
        root_fingerprint=people.administrator.fingerprint,
        audience=people.audience,
    )
    return Reviewer(client=client, keyring_file=keyring_file)


async def _case_of(scene: Scene, reviewer: Reviewer) -> uuid.UUID:
    """A case whose charter lists this mediator, beside the scene's own."""
    waiting = await scene.waiting()
    mediators = [scene.mediator.client.credential_id, reviewer.client.credential_id]
    await waiting.mediator.change_charter(waiting.case_id, mediators=mediators)
    return waiting.case_id


async def test_a_link_is_shown_again_until_it_is_used(scene: Scene, visit: Visit) -> None:
    """To the person who made it, with the code to scan; once it is claimed, to nobody."""
    waiting = await scene.waiting()
    mediator = await _case_page(scene, visit, waiting)
    show = mediator.act("case.showLink")
    shown = mediator.person("harmed").get_by_role("button", name=show)
    await mediator.input.press(shown)
    assert await mediator.read_address() == waiting.harmed_url
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await person.at_home()
    await mediator.at_case(f"case {waiting.case_id}")
    await expect(mediator.person("harmed")).to_contain_text(
        mediator.words("case.linkState.claimed")
    )
    await expect(shown).to_have_count(0)

"""Attacks on the rows of the log and on the statements behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.services.audit.findings import Code
from tests.support.requests import caller_of
from tests.support.tampering.owner import Owner
from tests.support.tampering.register import Attacks, remove, resign, statement_of
from tests.support.tampering.story import Story

ATTACKS: Final = Attacks()


@ATTACKS.finds(Code.TABLE_ADDED, Code.STATEMENT_UNLOGGED, Code.GATE_CLOSED)
async def an_approval_is_removed_from_the_log(owner: Owner, story: Story) -> None:
    """As the web tier's role did."""
    await owner.run(
        "delete from events where message_id = $1 and kind = 'approve-first'", story.message
    )


@ATTACKS.finds(Code.GATE_CLOSED)
async def an_approval_is_removed_everywhere(owner: Owner, story: Story) -> None:
    """Row, statement and decision."""
    digest = await remove(owner, story, "approve-first", story.message)
    await owner.run("delete from decisions where statement_hash = $1", digest)


@ATTACKS.finds(Code.GATE_CLOSED, Code.TABLE_DIFFERS)
async def a_case_was_closed_before_something_was_accepted(owner: Owner, story: Story) -> None:
    """As the log has it; the case itself says that it is open."""
    await owner.add_row(story.case_id, like="case-registered", kind="case-closed")
    await owner.swap(story.case_id, "case-closed", "accept")


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_case_is_closed_without_a_row(owner: Owner, story: Story) -> None:
    """Its people are refused, and nobody did it."""
    await owner.run("update cases set closed_at = now() where case_id = $1", story.case_id)


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_has_the_text_of_another(owner: Owner, story: Story) -> None:
    """Both are well signed."""
    await owner.run(
        "update statements set compact = (select compact from statements where statement_hash = $2) "
        "where statement_hash = $1",
        await statement_of(owner, story, "approve-first", story.waiting),
        await statement_of(owner, story, "approve-first", story.message),
    )


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def words_have_a_statement_that_cannot_be_read(owner: Owner, story: Story) -> None:
    """Not even as one."""
    digest = await statement_of(owner, story, "submit-letter", story.waiting)
    await owner.run(
        "update statements set compact = compact || 'é' where statement_hash = $1", digest
    )


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_is_filed_as_another(owner: Owner, story: Story) -> None:
    """Under the identifier of another key."""
    digest = await statement_of(owner, story, "accept")
    await owner.run("update statements set kid = repeat('A', 22) where statement_hash = $1", digest)


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_is_deleted(owner: Owner, story: Story) -> None:
    """The row still names it."""
    digest = await statement_of(owner, story, "accept")
    await owner.run("delete from statements where statement_hash = $1", digest)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_answer_is_signed_by_a_key_of_nobody(owner: Owner, story: Story) -> None:
    """As a relay could make one."""
    await resign(owner, await statement_of(owner, story, "accept"), Signer.generate())


@ATTACKS.finds(Code.ROW_ACTOR)
async def an_answer_is_signed_by_the_other_participant(owner: Owner, story: Story) -> None:
    """In the recipient's name."""
    digest = await statement_of(owner, story, "accept")
    await resign(owner, digest, caller_of(story.case.harmed).signer)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_approval_is_signed_by_a_mediator_of_another_case(owner: Owner, story: Story) -> None:
    """For whom the root vouches, and the charter of this case does not."""
    stranger = story.other.mediator
    digest = await statement_of(owner, story, "approve-first", story.waiting)
    await owner.run(
        "update events set actor = $2 where statement_hash = $1",
        digest,
        f"mediator:{stranger.credential_id}",
    )
    await owner.run(
        "update decisions set mediator_id = $2 where statement_hash = $1",
        digest,
        stranger.credential_id,
    )
    await resign(owner, digest, caller_of(stranger).signer)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_approval_is_signed_with_a_key_that_was_revoked(owner: Owner, story: Story) -> None:
    """Before it was signed, as the root says."""
    mediator = story.case.colleague.credential_id
    revoked = statements.Revocation(
        credential=mediator, at=datetime.now(UTC) - timedelta(seconds=30)
    )
    compact = statements.sign(story.people.administrator.root, revoked)
    await owner.run(
        "update credentials set revocation_hash = $2 where credential_id = $1",
        mediator,
        await owner.put_statement(compact),
    )
    digest = await statement_of(owner, story, "approve", story.message)
    signer = caller_of(story.case.colleague).signer
    # Not in the second of the approval: the same statement would be the same row.
    await resign(owner, digest, signer, at=datetime.now(UTC) + timedelta(seconds=1))


@ATTACKS.finds(Code.STATEMENT_TIME)
async def an_answer_is_dated_back(owner: Owner, story: Story) -> None:
    """With the right key."""
    digest = await statement_of(owner, story, "accept")
    signer = caller_of(story.case.responsible).signer
    await resign(owner, digest, signer, at=datetime.now(UTC) - timedelta(hours=2))


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_answer_says_something_else(owner: Owner, story: Story) -> None:
    """The recipient signed a refusal, and the row says that they accepted."""
    digest = await statement_of(owner, story, "accept")
    await resign(owner, digest, caller_of(story.case.responsible).signer, answer="refuse")


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_approval_is_of_other_words(owner: Owner, story: Story) -> None:
    """Of the letter that was sent back."""
    source = statements.decode_unverified(
        await owner.value(
            "select compact from statements where statement_hash = $1",
            await statement_of(owner, story, "return", story.message),
        ),
        statements.Decision,
    ).source
    digest = await statement_of(owner, story, "approve", story.message)
    await resign(owner, digest, caller_of(story.case.colleague).signer, source=source)


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_offer_rests_on_other_consents(owner: Owner, story: Story) -> None:
    """The recipient's for the sender's."""
    digest = await statement_of(owner, story, "offer", story.message)
    compact = await owner.value("select compact from statements where statement_hash = $1", digest)
    consents = statements.decode_unverified(compact, statements.Offer).consents
    await resign(owner, digest, caller_of(story.case.mediator).signer, consents=consents[::-1])


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_offer_was_made_under_another_charter(owner: Owner, story: Story) -> None:
    """Under that of another case."""
    digest = await statement_of(owner, story, "offer", story.message)
    elsewhere = await owner.value(
        "select statement_hash from charters where case_id = $1", story.other.case_id
    )
    signer = caller_of(story.case.mediator).signer
    await resign(owner, digest, signer, charter=b64u_encode(elsewhere))


@ATTACKS.finds(Code.STATEMENT_DIFFERS, Code.STATEMENT_SIGNER)
async def a_statement_of_another_case_is_attached(owner: Owner, story: Story) -> None:
    """A consent that somebody gave elsewhere."""
    elsewhere = await owner.value(
        "select statement_hash from events where case_id = $1 and kind = 'consent-active' limit 1",
        story.other.case_id,
    )
    await owner.run(
        "update events set statement_hash = $2 where statement_hash = $1",
        await statement_of(owner, story, "consent-active"),
        elsewhere,
    )


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def a_statement_of_another_type_is_attached(owner: Owner, story: Story) -> None:
    """A consent where an answer must be."""
    await owner.run(
        "update events set statement_hash = $2 where statement_hash = $1",
        await statement_of(owner, story, "accept"),
        await statement_of(owner, story, "consent-active"),
    )


@ATTACKS.finds(Code.STATEMENT_REPEATED)
async def a_statement_stands_twice_in_the_log(owner: Owner, story: Story) -> None:
    """A pause that was said once, after somebody went on, would count again."""
    await owner.add_row(story.case_id, like="consent-active")


@ATTACKS.finds(Code.STATEMENT_MISSING)
async def a_row_names_no_statement(owner: Owner, story: Story) -> None:
    """That must name one."""
    await owner.run(
        "update events set statement_hash = null where message_id = $1 and kind = 'return'",
        story.message,
    )


@ATTACKS.finds(Code.STATEMENT_UNEXPECTED)
async def a_row_names_a_statement_too_many(owner: Owner, story: Story) -> None:
    """That must name none."""
    await owner.run(
        "update events set statement_hash = $2 where message_id = $1 and kind = 'open'",
        story.message,
        await statement_of(owner, story, "accept"),
    )


@ATTACKS.finds(Code.STATEMENT_UNLOGGED)
async def a_statement_is_in_no_log(owner: Owner, story: Story) -> None:
    """A withdrawal that was kept back."""
    signer = caller_of(story.case.harmed).signer
    said = statements.Withdrawal(
        case=story.case_id,
        message=story.message,
        participant=story.case.harmed.participant_id,
        at=datetime.now(UTC),
    )
    await owner.put_statement(statements.sign(signer, said))


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_signed_row_names_somebody_else(owner: Owner, story: Story) -> None:
    """The other mediator."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'return'",
        story.message,
        f"mediator:{story.case.colleague.credential_id}",
    )


@ATTACKS.finds(Code.TRANSITION_BY_ANOTHER)
async def an_unsigned_row_names_somebody_else(owner: Owner, story: Story) -> None:
    """The letter was leased by one mediator and approved by another."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'lease'",
        story.waiting,
        f"mediator:{story.case.colleague.credential_id}",
    )


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_row_names_somebody_of_another_case(owner: Owner, story: Story) -> None:
    """A mediator who has nothing to do with it."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'lease'",
        story.waiting,
        f"mediator:{story.other.mediator.credential_id}",
    )


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_row_names_nobody_who_can_do_this(owner: Owner, story: Story) -> None:
    """Time does not approve."""
    await owner.run(
        "update events set actor = 'clock' where message_id = $1 and kind = 'return'", story.message
    )


@ATTACKS.finds(Code.ROW_UNKNOWN)
async def a_row_is_of_a_kind_that_there_is_not(owner: Owner, story: Story) -> None:
    """Which says nothing that can be verified."""
    await owner.run(
        "update events set kind = 'approved' where message_id = $1 and kind = 'approve'",
        story.message,
    )


@ATTACKS.finds(Code.ROW_UNKNOWN)
async def a_row_names_no_message(owner: Owner, story: Story) -> None:
    """An answer to nothing."""
    await owner.run(
        "update events set message_id = null where message_id = $1 and kind = 'accept'",
        story.message,
    )


@ATTACKS.finds(Code.ROW_TIME)
async def a_row_is_dated_back(owner: Owner, story: Story) -> None:
    """Between rows that are not."""
    await owner.run(
        "update events set at = at - interval '1 hour' where message_id = $1 and kind = 'open'",
        story.message,
    )


@ATTACKS.finds(Code.TRANSITION_UNKNOWN)
async def two_rows_are_swapped(owner: Owner, story: Story) -> None:
    """The letter is accepted before it was offered."""
    await owner.swap(story.case_id, "offer", "accept")

"""Attacks on the rows of the log and on the statements behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.services.audit.findings import Code
from tests.attacks import Attacks, remove, resign, statement_of
from tests.hands import hands_of
from tests.owner import Owner
from tests.told import Told

ATTACKS: Final = Attacks()


@ATTACKS.finds(Code.TABLE_ADDED, Code.STATEMENT_UNLOGGED, Code.GATE_CLOSED)
async def an_approval_is_removed_from_the_log(owner: Owner, told: Told) -> None:
    """As the web tier's role did."""
    await owner.run(
        "delete from events where message_id = $1 and kind = 'approve-first'", told.message
    )


@ATTACKS.finds(Code.GATE_CLOSED)
async def an_approval_is_removed_everywhere(owner: Owner, told: Told) -> None:
    """Row, statement and decision."""
    digest = await remove(owner, told, "approve-first", told.message)
    await owner.run("delete from decisions where statement_hash = $1", digest)


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_has_the_text_of_another(owner: Owner, told: Told) -> None:
    """Both are well signed."""
    await owner.run(
        "update statements set compact = (select compact from statements where statement_hash = $2) "
        "where statement_hash = $1",
        await statement_of(owner, told, "approve-first", told.waiting),
        await statement_of(owner, told, "approve-first", told.message),
    )


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_is_filed_as_another(owner: Owner, told: Told) -> None:
    """Under the identifier of another key."""
    digest = await statement_of(owner, told, "accept")
    await owner.run("update statements set kid = repeat('A', 22) where statement_hash = $1", digest)


@ATTACKS.finds(Code.STATEMENT_ALTERED)
async def a_statement_is_deleted(owner: Owner, told: Told) -> None:
    """The row still names it."""
    digest = await statement_of(owner, told, "accept")
    await owner.run("delete from statements where statement_hash = $1", digest)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_answer_is_signed_by_a_key_of_nobody(owner: Owner, told: Told) -> None:
    """As a relay could make one."""
    await resign(owner, await statement_of(owner, told, "accept"), Signer.generate())


@ATTACKS.finds(Code.ROW_ACTOR)
async def an_answer_is_signed_by_the_other_participant(owner: Owner, told: Told) -> None:
    """In the recipient's name."""
    digest = await statement_of(owner, told, "accept")
    await resign(owner, digest, hands_of(told.case.harmed).signer)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_approval_is_signed_by_a_mediator_of_another_case(owner: Owner, told: Told) -> None:
    """For whom the root vouches, and the charter of this case does not."""
    stranger = told.other.mediator
    digest = await statement_of(owner, told, "approve-first", told.waiting)
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
    await resign(owner, digest, hands_of(stranger).signer)


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def an_approval_is_signed_with_a_key_that_was_revoked(owner: Owner, told: Told) -> None:
    """Before it was signed, as the root says."""
    mediator = told.case.colleague.credential_id
    revoked = statements.Revocation(
        credential=mediator, at=datetime.now(UTC) - timedelta(seconds=30)
    )
    compact = statements.sign(told.people.administrator._root, revoked)
    await owner.run(
        "update credentials set revocation_hash = $2 where credential_id = $1",
        mediator,
        await owner.put_statement(compact),
    )
    digest = await statement_of(owner, told, "approve", told.message)
    signer = hands_of(told.case.colleague).signer
    await resign(owner, digest, signer, at=datetime.now(UTC))


@ATTACKS.finds(Code.STATEMENT_TIME)
async def an_answer_is_dated_back(owner: Owner, told: Told) -> None:
    """With the right key."""
    digest = await statement_of(owner, told, "accept")
    signer = hands_of(told.case.responsible).signer
    await resign(owner, digest, signer, at=datetime.now(UTC) - timedelta(hours=2))


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_answer_says_something_else(owner: Owner, told: Told) -> None:
    """The recipient signed a refusal, and the row says that they accepted."""
    digest = await statement_of(owner, told, "accept")
    await resign(owner, digest, hands_of(told.case.responsible).signer, answer="refuse")


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_approval_is_of_other_words(owner: Owner, told: Told) -> None:
    """Of the letter that was sent back."""
    source = statements.decode_unverified(
        await owner.value(
            "select compact from statements where statement_hash = $1",
            await statement_of(owner, told, "return", told.message),
        ),
        statements.Decision,
    ).source
    digest = await statement_of(owner, told, "approve", told.message)
    await resign(owner, digest, hands_of(told.case.colleague).signer, source=source)


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_offer_rests_on_other_consents(owner: Owner, told: Told) -> None:
    """The recipient's for the sender's."""
    digest = await statement_of(owner, told, "offer", told.message)
    compact = await owner.value("select compact from statements where statement_hash = $1", digest)
    consents = statements.decode_unverified(compact, statements.Offer).consents
    await resign(owner, digest, hands_of(told.case.mediator).signer, consents=consents[::-1])


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def an_offer_was_made_under_another_charter(owner: Owner, told: Told) -> None:
    """Under that of another case."""
    digest = await statement_of(owner, told, "offer", told.message)
    elsewhere = await owner.value(
        "select statement_hash from charters where case_id = $1", told.other.case_id
    )
    signer = hands_of(told.case.mediator).signer
    await resign(owner, digest, signer, charter=b64u_encode(elsewhere))


@ATTACKS.finds(Code.STATEMENT_DIFFERS, Code.STATEMENT_SIGNER)
async def a_statement_of_another_case_is_attached(owner: Owner, told: Told) -> None:
    """A consent that somebody gave elsewhere."""
    elsewhere = await owner.value(
        "select statement_hash from events where case_id = $1 and kind = 'consent-active' limit 1",
        told.other.case_id,
    )
    await owner.run(
        "update events set statement_hash = $2 where statement_hash = $1",
        await statement_of(owner, told, "consent-active"),
        elsewhere,
    )


@ATTACKS.finds(Code.STATEMENT_DIFFERS)
async def a_statement_of_another_type_is_attached(owner: Owner, told: Told) -> None:
    """A consent where an answer must be."""
    await owner.run(
        "update events set statement_hash = $2 where statement_hash = $1",
        await statement_of(owner, told, "accept"),
        await statement_of(owner, told, "consent-active"),
    )


@ATTACKS.finds(Code.STATEMENT_REPEATED)
async def a_statement_stands_twice_in_the_log(owner: Owner, told: Told) -> None:
    """A pause that was said once, after somebody went on, would count again."""
    await owner.add_row(told.case_id, like="consent-active")


@ATTACKS.finds(Code.STATEMENT_MISSING)
async def a_row_names_no_statement(owner: Owner, told: Told) -> None:
    """That must name one."""
    await owner.run(
        "update events set statement_hash = null where message_id = $1 and kind = 'return'",
        told.message,
    )


@ATTACKS.finds(Code.STATEMENT_UNEXPECTED)
async def a_row_names_a_statement_too_many(owner: Owner, told: Told) -> None:
    """That must name none."""
    await owner.run(
        "update events set statement_hash = $2 where message_id = $1 and kind = 'open'",
        told.message,
        await statement_of(owner, told, "accept"),
    )


@ATTACKS.finds(Code.STATEMENT_UNLOGGED)
async def a_statement_is_in_no_log(owner: Owner, told: Told) -> None:
    """A withdrawal that was kept back."""
    signer = hands_of(told.case.harmed).signer
    said = statements.Withdrawal(
        case=told.case_id,
        message=told.message,
        participant=told.case.harmed.participant_id,
        at=datetime.now(UTC),
    )
    await owner.put_statement(statements.sign(signer, said))


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_signed_row_names_somebody_else(owner: Owner, told: Told) -> None:
    """The other mediator."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'return'",
        told.message,
        f"mediator:{told.case.colleague.credential_id}",
    )


@ATTACKS.finds(Code.TRANSITION_BY_ANOTHER)
async def an_unsigned_row_names_somebody_else(owner: Owner, told: Told) -> None:
    """The letter was leased by one mediator and approved by another."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'lease'",
        told.waiting,
        f"mediator:{told.case.colleague.credential_id}",
    )


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_row_names_somebody_of_another_case(owner: Owner, told: Told) -> None:
    """A mediator who has nothing to do with it."""
    await owner.run(
        "update events set actor = $2 where message_id = $1 and kind = 'lease'",
        told.waiting,
        f"mediator:{told.other.mediator.credential_id}",
    )


@ATTACKS.finds(Code.ROW_ACTOR)
async def a_row_names_nobody_who_can_do_this(owner: Owner, told: Told) -> None:
    """Time does not approve."""
    await owner.run(
        "update events set actor = 'clock' where message_id = $1 and kind = 'return'", told.message
    )


@ATTACKS.finds(Code.ROW_UNKNOWN)
async def a_row_is_of_a_kind_that_there_is_not(owner: Owner, told: Told) -> None:
    """Which says nothing that can be verified."""
    await owner.run(
        "update events set kind = 'approved' where message_id = $1 and kind = 'approve'",
        told.message,
    )


@ATTACKS.finds(Code.ROW_UNKNOWN)
async def a_row_names_no_message(owner: Owner, told: Told) -> None:
    """An answer to nothing."""
    await owner.run(
        "update events set message_id = null where message_id = $1 and kind = 'accept'",
        told.message,
    )


@ATTACKS.finds(Code.ROW_TIME)
async def a_row_is_dated_back(owner: Owner, told: Told) -> None:
    """Between rows that are not."""
    await owner.run(
        "update events set at = at - interval '1 hour' where message_id = $1 and kind = 'open'",
        told.message,
    )


@ATTACKS.finds(Code.TRANSITION_UNKNOWN)
async def two_rows_are_swapped(owner: Owner, told: Told) -> None:
    """The letter is accepted before it was offered."""
    await owner.swap(told.case_id, "offer", "accept")

"""Every type of statement under every attack: the readers stop where the table says, for its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest

from relay.crypto.chain import (
    check_anchor,
    check_claim_mac,
    check_link_secret,
    verify_charters,
    verify_message,
    verify_origin,
    verify_participant,
    verify_rendition,
)
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.release import Item, SignedConsent, item, verify_offer
from relay.crypto.signing import key_id, read_unverified, statement_hash
from relay.crypto.statements import (
    Captions,
    Decision,
    Disposal,
    Message,
    Rendition,
    Response,
    Session,
    Statement,
    StatementT,
    Withdrawal,
    verify,
)
from relay.crypto.trust import Trust, establish_trust
from relay.crypto.verified import Origin, Standing, VerifiedCharter, VerifiedParticipant
from relay.errors import CryptoError
from tests.vectors import people, walk, walk_statements, walk_table
from tests.vectors.generate import FOLDER

Given: TypeAlias = Mapping[str, Any]


class Reader:
    """Reads what is given in the order of `walk_table.STEPS`, as all readers do."""

    trust: Trust
    charter: VerifiedCharter
    author: Origin
    message: Message
    made: tuple[Rendition, str]
    item: Item
    recipient: VerifiedParticipant

    def __init__(self, given: Given) -> None:
        self.given = given
        self.step = ""

    def read(self) -> None:
        """All steps; CryptoError at the first that does not hold, whose name is then in `step`."""
        for self.step in walk_table.STEPS:
            getattr(self, f"read_{self.step}")()

    def read_trust(self) -> None:
        """Everybody: who counts."""
        self.trust = establish_trust(
            [b64u_decode(self.given["root_public_key"])],
            self.given["credentials"],
            self.given["revocations"],
            self.given["successions"],
        )

    def read_charters(self) -> None:
        """Everybody: the case."""
        self.charter = verify_charters(
            self.trust, self.given["registration"], self.given["charters"]
        )

    def read_anchor(self) -> None:
        """Anyone who came through a link: that it is the case that it leads to."""
        check_anchor(self.charter, b64u_decode(self.given["anchor"]))

    def read_author_origin(self) -> None:
        """The author opens the link, a mediator checks the claim, everybody believes what comes out."""
        self.author = verify_origin(self.given["author_origin"], self.charter)
        check_link_secret(self.author.link, people.CLAIRE.secret)
        if self.author.claim is None:
            raise ChainError("a link that nobody claimed")
        check_claim_mac(self.author.claim, people.CLAIRE.secret.claim_key(self.author.link.link))

    def read_session(self) -> None:
        """Relay: who signs in."""
        if (compact := self.given["session"]) is not None:
            session = self._by_participant(compact, Session, self.author)
            if (session.challenge, session.audience) != (
                people.SESSION.challenge,
                people.SESSION.audience,
            ):
                raise ChainError("another challenge or another relay")

    def read_message(self) -> None:
        """Relay, worker and mediator: whose words."""
        self.message = verify_message(self.given["message"], self.charter, self.author)
        if self.author.standing_at(self.message.at) is Standing.ENDED:
            raise ChainError("the link has ended")

    def read_rendition(self) -> None:
        """Mediator and recipient: what was made of the video."""
        compact = self.given["rendition"]
        rendition = verify_rendition(
            compact,
            self.charter,
            message=self.message,
            message_hash=statement_hash(self.given["message"]),
        )
        self.made = (rendition, compact)

    def read_captions(self) -> None:
        """Mediator and recipient: the whole of what was reviewed."""
        compact = self.given["captions"]
        captions, _ = self.charter.verify_by_mediator(compact, Captions)
        self.item = item(
            self.message,
            self.given["message"],
            self.made,
            (captions, compact),
            standing=self.author.standing_at(self.message.at),
        )

    def read_recipient_origin(self) -> None:
        """A mediator: the key to seal for."""
        origin = self.given["recipient_origin"]
        self.recipient = verify_participant(origin, self.charter, walk_table.NOW)

    def read_offer(self) -> None:
        """The recipient: that they may open it."""
        verify_offer(
            self.given["offer"],
            self.charter,
            self.item,
            self.recipient,
            decisions=self.given["decisions"],
            consents=[
                SignedConsent(
                    compact=consent["compact"],
                    origin=() if consent["by"] is None else self.given[f"{consent['by']}_origin"],
                )
                for consent in self.given["consents"]
            ],
        )

    def read_response(self) -> None:
        """Relay: the recipient's answer."""
        if (compact := self.given["response"]) is not None:
            origin = verify_origin(self.given["recipient_origin"], self.charter)
            response = self._by_participant(compact, Response, origin)
            self._check_message(response)
            if response.offer != b64u_encode(statement_hash(self.given["offer"])):
                raise ChainError("an answer to another offer")

    def read_withdrawal(self) -> None:
        """Relay: what the sender took back, or a mediator for them."""
        if (compact := self.given["withdrawal"]) is not None:
            if read_unverified(compact).kid in {
                key_id(mediator.signer) for mediator in self.charter.mediators
            }:
                withdrawal, _ = self.charter.verify_by_mediator(compact, Withdrawal)
            else:
                withdrawal = self._by_participant(compact, Withdrawal, self.author)
            self._check_message(withdrawal)

    @staticmethod
    def _by_participant(compact: str, kind: type[StatementT], origin: Origin) -> StatementT:
        statement = verify(compact, kind, origin.signer)
        if origin.standing_at(statement.at) is not Standing.VERIFIED:
            raise ChainError("the link has ended, or nobody verified it")
        return statement

    def _check_message(self, said: Response | Withdrawal) -> None:
        if said.case != self.charter.case:
            raise ChainError("of another case")
        if said.message != self.message.message:
            raise ChainError("of another message")


VECTORS: dict[str, Any] = json.loads((FOLDER / "walk.json").read_text("utf-8"))
CELLS = {(cell["type"], cell["attack"]): cell for cell in VECTORS["cells"]}


def spelled_out(value: Any) -> Any:
    """A value with the statements in it that it numbers."""
    if isinstance(value, dict):
        return {name: spelled_out(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [spelled_out(inner) for inner in value]
    return VECTORS["statements"][value] if isinstance(value, int) else value


def named(value: object) -> str:
    """How a cell is called in the output of a test run."""
    return value.typ if isinstance(value, type) and issubclass(value, Statement) else str(value)


def test_the_base_of_the_walk_holds() -> None:
    """Nothing is refused that was not attacked, with all that a reader may be given."""
    everything = walk_statements.World(shown=frozenset({Session, Response, Withdrawal}))
    reader = Reader(walk.given(everything))
    reader.read()
    assert reader.step == walk_table.STEPS[-1]


def test_every_cell_has_an_outcome() -> None:
    """A new type, or a new attack, is in the table or fails here; and the vectors have all of it.

    A certificate of disposal is the one type that no reader of a message is given.
    """
    assert {*walk_table.TYPES, Disposal} == {*Statement.__subclasses__()}
    assert walk_table.TABLE.keys() == walk.ATTACKS.keys()
    for attack, expected in walk_table.TABLE.items():
        assert expected.keys() == {*walk_table.TYPES}, attack
        for outcome in expected.values():
            if isinstance(outcome, walk_table.Refused):
                assert outcome.at in walk_table.STEPS
                assert outcome.by in walk_table.RULES
            else:
                assert outcome.reason
    assert CELLS.keys() == {
        (kind.typ, attack) for attack in walk.ATTACKS for kind in walk_table.TYPES
    }


@pytest.mark.parametrize("attack", walk.ATTACKS)
@pytest.mark.parametrize("kind", walk_table.TYPES, ids=named)
def test_the_walk(kind: type[Statement], attack: str) -> None:
    """A reader stops at the step, and for the rule, that the table has; or continues to the end."""
    outcome, cell = walk_table.TABLE[attack][kind], CELLS[kind.typ, attack]
    if isinstance(outcome, walk_table.Nothing):
        assert cell["exchange"] is None
        return
    reader = Reader(spelled_out({**VECTORS["given"], **cell["exchange"]}))
    if isinstance(outcome, walk_table.Accepted):
        reader.read()
        return
    with pytest.raises(CryptoError) as caught:
        reader.read()
    is_counted = kind is Decision and outcome.at == "offer"
    said = walk_table.TOO_FEW if is_counted else walk_table.RULES[outcome.by][1]
    detail = caught.value.detail or ""
    assert reader.step == outcome.at, detail
    assert re.search(said, detail), detail


@pytest.mark.parametrize("kind", walk_statements.NAME_OF, ids=named)
def test_no_statement_passes_for_another_type(kind: type[Statement]) -> None:
    """A good statement of every other type, in the place of this one, is refused."""
    place, good = walk_statements.NAME_OF[kind], walk_statements.base()
    # A way in is a set: its own verification in the place of its end says nothing new.
    harmless = {"author_ending": "author_verification"}.get(place)
    for other in walk_statements.NAME_OF.values():
        if other not in {place, harmless}:
            world = walk_statements.World(
                changes={place: walk_statements.Change(text=good[other])},
                settled=False,
                shown=frozenset({Session, Response, Withdrawal}),
            )
            with pytest.raises(CryptoError):
                Reader(walk.given(world)).read()

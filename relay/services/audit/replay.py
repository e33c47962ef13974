"""Walks the rows of one case in order: the chain, the statement behind each row, and what both lead to."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Final

from relay.crypto import chain, statements
from relay.crypto.audit import ChainedRow, ChainWalk, EventRow
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.signing import read_unverified
from relay.crypto.statements import Statement
from relay.errors import CryptoError
from relay.services.audit.expected import ANY, OF_MESSAGES, Expected
from relay.services.audit.findings import Code, Report
from relay.services.audit.item import Item
from relay.services.audit.items import Items
from relay.services.audit.keys import RACE, Actor, CaseKeys, parse_actor
from relay.services.audit.kinds import KINDS, OF_OPEN_CASES, Fact, Kind, Who
from relay.services.audit.organization import is_hash_of
from relay.services.audit.people import People
from relay.services.audit.rows import Row
from relay.storage.audit import LoggedAct

_UPLOADED: Final = (statements.Message, statements.Withdrawal)
"""What the key of an upload link signs."""


class Replay:
    """One case, as far as its log has been walked."""

    def __init__(
        self,
        case_id: uuid.UUID,
        keys: CaseKeys,
        report: Report,
        *,
        skew: dt.timedelta,
        session: dt.timedelta,
    ) -> None:
        """`skew`: how far a row's time may lie from its statement's; `session`: how long one lasts."""
        self.expected = Expected()
        self.people = People(case_id, keys, self.expected, report)
        self.items = Items(keys, self.people, self.expected, report)
        self.chain = ChainWalk()
        self._case_id = case_id
        self._keys = keys
        self._report = report
        self._skew = skew
        self._session = session
        self._said: set[bytes] = set()
        self._latest: dt.datetime | None = None
        self.is_broken = False
        """A row did not follow from the one before; those after it cannot be told from others."""

    def take(self, log: LoggedAct) -> None:
        """Take the next row."""
        self._follow(log)
        if log.message_id is None:
            self.expected.change("cases", self._case_id, changed_at=log.at)
        if self._latest is not None and log.at < self._latest - RACE:
            self._found(log, Code.ROW_TIME, "a row with an earlier time than the rows before it")
        self._latest = max(log.at, self._latest or log.at)
        kind = KINDS.get(log.kind)
        if kind is None:
            self._found(log, Code.ROW_UNKNOWN, "a row of a kind that relay does not write")
            return
        if kind.of_message != (log.message_id is not None):
            self._found(
                log, Code.ROW_UNKNOWN, f"{log.kind} with a message too many, or without one"
            )
            return
        actor = parse_actor(log.actor)
        if actor is None or actor.who not in kind.who:
            self._found(log, Code.ROW_ACTOR, f"{log.kind} by somebody who cannot do this")
            actor = None
        row = Row(log=log, kind=kind, actor=actor, said=self._read(log, kind, actor))
        if row.said is None and kind.statement is None:
            self._check_office(row)
        if self.people.is_disposed:
            self._found(log, Code.GATE_CLOSED, "in a case that was disposed of")
        if self.people.is_closed and log.kind in OF_OPEN_CASES:
            self._found(log, Code.GATE_CLOSED, "in a case that was closed")
        if kind.of_message:
            self.items.take(row)
        else:
            self.people.take(row)

    def finish(self) -> None:
        """Say what the tables must have, once the whole log was taken; nothing is left after a disposal."""
        if self.people.is_disposed:
            self.items = Items(self._keys, self.people, self.expected, self._report)
            self.expected.empty(OF_MESSAGES)
            self.expected.change_all("links", sealed=None, ended=True)
            self.expected.change_all("charters", has_key_file=False)
            self.expected.change_all("claims", has_keyring=False)
        else:
            self.items.finish()

    def _follow(self, log: LoggedAct) -> None:
        event = EventRow(
            case=self._case_id,
            seq=log.seq,
            at=log.at,
            kind=log.kind,
            message=log.message_id,
            actor=log.actor,
            statement=log.statement_hash,
        )
        chained = ChainedRow(row=event, prev=log.prev, hash=log.hash)
        if not self.is_broken and not self.chain.follows(chained):
            self.is_broken = True
            self._found(
                log,
                Code.CHAIN_BROKEN,
                "does not follow from the row before: rows were altered, removed or moved",
            )

    # The statement behind a row.

    def _read(self, log: LoggedAct, kind: Kind, actor: Actor | None) -> Statement | None:
        """What was said, after everything about it that does not hold was reported; None if nothing was."""
        found = self._decode(log, kind)
        if found is None:
            return None
        compact, said = found
        self._check_signature(log, compact, said, kind, actor)
        if abs(log.at - said.at) > self._skew:
            self._found(
                log,
                Code.STATEMENT_TIME,
                f"signed at {said.at.isoformat()}, far from its row's time",
            )
        item = self.items.find(log.message_id)
        for member, wanted in kind.says.items():
            value = self._fact(wanted, log, actor, item) if isinstance(wanted, Fact) else wanted
            if not _is_met(getattr(said, member), value):
                self._found(
                    log, Code.STATEMENT_DIFFERS, f"{member} of its statement is not what it must be"
                )
        return said

    def _decode(self, log: LoggedAct, kind: Kind) -> tuple[str, Statement] | None:
        """The text behind a row and what it says, if it is the one that the row names and needs."""
        if kind.statement is None or log.statement_hash is None:
            if kind.statement is not None:
                self._found(
                    log,
                    Code.STATEMENT_MISSING,
                    f"{log.kind} without the statement that must be behind it",
                )
            elif log.statement_hash is not None:
                self._found(
                    log,
                    Code.STATEMENT_UNEXPECTED,
                    f"{log.kind} with a statement, which it must not have",
                )
            return None
        if log.statement_hash in self._said:
            self._found(log, Code.STATEMENT_REPEATED, "names the statement of an earlier row")
        self._said.add(log.statement_hash)
        if log.compact is None or not is_hash_of(log.statement_hash, log.compact):
            self._found(log, Code.STATEMENT_ALTERED, "its statement is missing or altered")
            return None
        try:
            claimed = read_unverified(log.compact)
            said = statements.decode_unverified(log.compact, kind.statement)
        except CryptoError as error:
            self._found(log, Code.STATEMENT_DIFFERS, f"its statement is another ({error.detail})")
            return None
        if (claimed.typ, claimed.kid) != (log.typ, log.kid):
            self._found(log, Code.STATEMENT_ALTERED, "its statement is filed as another")
        return log.compact, said

    def _check_signature(
        self, log: LoggedAct, compact: str, said: Statement, kind: Kind, actor: Actor | None
    ) -> None:
        """Whether somebody signed who could at that time, and whom the row names."""
        problem = "nobody signed it"
        for who in kind.who if actor is None else (actor.who,):
            try:
                signer = self._signer(compact, said, who)
                self._check_way(log, compact, said, who)
            except CryptoError as error:
                problem = f"nobody signed it who could at its time ({error.detail})"
                continue
            if actor is not None and signer != actor.id:
                self._found(log, Code.ROW_ACTOR, "names somebody else than its signer")
            return
        self._found(log, Code.STATEMENT_SIGNER, problem)

    def _signer(self, compact: str, said: Statement, who: Who) -> uuid.UUID | None:
        if isinstance(said, statements.Charter):
            return self._keys.verify_charter(compact)
        if isinstance(said, statements.Registration):
            return self._keys.verify_registration(compact, who)
        if isinstance(said, statements.Claim):
            way = self._keys.ways.get(said.link)
            if way is None:
                raise ChainError("a claim of no link")
            return chain.verify_claim(compact, way.link).participant
        return self._keys.verify(compact, type(said), who)[1]

    def _check_way(self, log: LoggedAct, compact: str, said: Statement, who: Who) -> None:
        """Whether a participant's way in was open then, and may carry such a statement."""
        if who is not Who.PARTICIPANT:
            return
        way = self._keys.way_of(compact)
        if isinstance(said, statements.Claim):
            way = self._keys.ways.get(said.link)
        if way is None:
            return
        if way.link.purpose == "upload" and not isinstance(said, _UPLOADED):
            raise ChainError("an upload link signs a message and its withdrawal")
        if not way.is_open_at(log.at, self._session):
            raise ChainError("the link had ended")

    def _check_office(self, row: Row) -> None:
        """Whether a mediator whom a row without a signature names mediated the case then."""
        actor = row.actor
        if actor is None or actor.id is None:
            return
        if actor.who is Who.MEDIATOR and not self._keys.is_mediator_at(actor.id, row.at):
            self._found(row.log, Code.ROW_ACTOR, "names somebody who did not mediate the case then")
        if actor.who is Who.WORKER and not self._keys.is_worker(actor.id):
            self._found(row.log, Code.ROW_ACTOR, "names no media worker of the organization")

    def _fact(self, fact: Fact, log: LoggedAct, actor: Actor | None, item: Item) -> object:
        """What a member of a statement must be; ANY where the rows before do not tell."""
        named = None if actor is None else actor.participant
        known: Mapping[Fact, object] = {
            Fact.CASE: self._case_id,
            Fact.CHARTER: self.people.charters_at(log.at),
            Fact.CONSENTS: [
                self.people.consent_hash(person) for person in (item.sender, item.recipient)
            ],
            Fact.MESSAGE: log.message_id,
            Fact.ACTOR: named or ANY,
            Fact.SENDER: item.sender or named or ANY,
            Fact.RECIPIENT: item.recipient or ANY,
            Fact.REVISION: item.revision,
            Fact.SOURCE: _text(item.source),
            Fact.RENDITION: _text(item.rendition),
            Fact.CAPTIONS: _text(item.captions),
            Fact.OFFER: _text(item.offer),
        }
        return known[fact]

    def _found(self, log: LoggedAct, code: Code, problem: str) -> None:
        self._report.add(code, problem, seq=log.seq, message=log.message_id)


def _is_met(said: object, wanted: object) -> bool:
    """Whether a member has its value, or one of those that it may have."""
    if wanted is ANY:
        return True
    return said in wanted if isinstance(wanted, frozenset) else said == wanted


def _text(digest: bytes | None) -> str | None:
    return None if digest is None else b64u_encode(digest)

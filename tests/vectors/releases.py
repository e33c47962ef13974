"""Test vectors of what a reader believes of an offer, for every combination of kind, captions and policy."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from typing import Literal

import msgspec

from relay.crypto.encoding import b64u_encode
from relay.crypto.fields import Part, PartRole
from relay.crypto.statements import GrantedPart
from tests.vectors import people
from tests.vectors.chains import Json

Policy = Literal["required", "optional"]
MediatorsCaptions = Literal["none", "text", "exception"]

CHARTERS: dict[Policy, tuple[str, ...]] = {
    "required": people.CHARTERS,
    "optional": (
        *people.CHARTERS,
        people.sign(
            people.ANNA.keyring.signer,
            people.charter(
                3,
                people.hash_of(people.CHARTER_2),
                policy=msgspec.structs.replace(
                    people.charter(2, "").policy,
                    captions="optional",
                ),
                at=people.noon_and(37),
            ),
        ),
    ),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A letter or a video of Claire's that both mediators approved and Anna offers to Denis."""

    policy: Policy
    kind: Literal["letter", "video"]
    authors: bool = False
    """Whether captions came with it."""
    mediators: MediatorsCaptions = "none"

    @property
    def what(self) -> str:
        """How it is called."""
        if self.kind == "letter":
            return "a letter"
        own = "with" if self.authors else "without"
        return f"a video {own} captions of its author's; of a mediator's: {self.mediators}"

    @property
    def statements(self) -> list[str]:
        """The message, its rendition and its captions, as far as there are."""
        return [self._message, *filter(None, (self._rendition, self._captions))]

    @property
    def approvals(self) -> list[str]:
        """Of both mediators."""
        return [people.approval(by, **self._named) for by in (people.ANNA, people.BORIS)]

    @property
    def offer(self) -> str:
        """Anna's offer of all of it."""
        header = b64u_encode(hashlib.sha256(people.GRANT_HEADER).digest())
        said = people.offer(
            charter=self._charter,
            grants=[GrantedPart(commit=commit, header=header) for commit in self._released],
            notes=[],
            **self._named,
        )
        return people.sign(people.ANNA.keyring.signer, said)

    @property
    def released(self) -> list[str] | None:
        """The commitments of the parts that a reader finds released, in their order; None for a refusal."""
        settled = self.kind == "letter" or self.authors or self.mediators != "none"
        return self._released if settled or self.policy == "optional" else None

    @property
    def _released(self) -> list[str]:
        roles: list[PartRole] = ["body"]
        roles += ["captions"] if self.authors and self.mediators == "none" else []
        parts = [self._part(role) for role in roles]
        parts += [] if self.kind == "letter" else people.RENDITION.parts
        parts += [people.part("captions", "captions")] if self.mediators == "text" else []
        return [part.commit for part in parts]

    @property
    def _charter(self) -> str:
        return people.hash_of(CHARTERS[self.policy][-1])

    @property
    def _message(self) -> str:
        roles: list[PartRole] = ["body"] if self.kind == "letter" else ["original", "body"]
        roles += ["captions"] if self.authors else []
        return people.resigned(
            people.CLAIRE.keyring.signer,
            people.VIDEO,
            charter=self._charter,
            kind=self.kind,
            parts=[self._part(role) for role in roles],
        )

    @property
    def _rendition(self) -> str | None:
        if self.kind == "letter":
            return None
        source = people.hash_of(self._message)
        signer = people.WORKER.keyring.signer
        return people.resigned(signer, people.RENDITION, charter=self._charter, source=source)

    @property
    def _captions(self) -> str | None:
        if self.mediators == "none" or self._rendition is None:
            return None
        named = {
            "source": people.hash_of(self._message),
            "rendition": people.hash_of(self._rendition),
        }
        kept = {} if self.mediators == "text" else {"part": None, "exception": "no-speech"}
        return people.resigned(people.ANNA.keyring.signer, people.CAPTIONS, **named, **kept)

    @property
    def _named(self) -> dict[str, str | None]:
        made = {"rendition": self._rendition, "captions": self._captions}
        named = {
            name: None if text is None else people.hash_of(text) for name, text in made.items()
        }
        return {"source": people.hash_of(self._message), **named}

    def _part(self, role: PartRole) -> Part:
        return people.part(role, f"{role} of {self.what}")


def releases() -> Json:
    """Offers, and what of them a reader believes."""
    every: list[MediatorsCaptions] = ["none", "text", "exception"]
    offered = [Offered(policy=policy, kind="letter") for policy in CHARTERS]
    offered += [
        Offered(policy=policy, kind="video", authors=authors, mediators=mediators)
        for policy, authors, mediators in itertools.product(CHARTERS, (False, True), every)
    ]
    return {
        "charters": {policy: [*charters] for policy, charters in CHARTERS.items()},
        "offers": [
            {
                "what": one.what,
                "policy": one.policy,
                "statements": one.statements,
                "approvals": one.approvals,
                "offer": one.offer,
                "released": one.released,
            }
            for one in offered
        ],
    }

"""Who may write to each other in a case that is registered."""

from __future__ import annotations

import uuid

import pytest

from relay.domain.cases import CaseRegistration, NewParticipant, NotTwoPeople, ParticipantRole

ONE, OTHER, THIRD, STRANGER = (uuid.UUID(int=number) for number in range(1, 5))


def registration(
    people: list[uuid.UUID], pairs: list[tuple[uuid.UUID, uuid.UUID]]
) -> CaseRegistration:
    """A case of these people."""
    entries = [NewParticipant(participant=person, role=ParticipantRole.HARMED) for person in people]
    return CaseRegistration(reference="a case", participants=entries, mediators=[], pairs=pairs)


def test_two_are_a_pair_and_three_only_who_is_named() -> None:
    """Nobody of three writes to another because nothing was said."""
    assert registration([ONE, OTHER], []).all_pairs() == [(ONE, OTHER)]
    assert registration([ONE, OTHER, THIRD], []).all_pairs() == []
    assert registration([ONE, OTHER, THIRD], [(ONE, THIRD)]).all_pairs() == [(ONE, THIRD)]


@pytest.mark.parametrize("pair", [(ONE, ONE), (ONE, STRANGER), (STRANGER, ONE)])
def test_a_pair_is_two_people_of_the_case(pair: tuple[uuid.UUID, uuid.UUID]) -> None:
    """Neither one person twice nor somebody of whom the case knows nothing."""
    with pytest.raises(NotTwoPeople):
        registration([ONE, OTHER], [pair]).all_pairs()

"""The one form of a limit: what it is called, and how it is told."""

from __future__ import annotations

import pytest

from relay.domain.limits import Limit, LimitReached

LETTERS = Limit(name="letters", quota=3, window_seconds=60)


class _TooManyLetters(LimitReached):
    """A limit that there is not."""

    code = "too-many-tries"


@pytest.mark.parametrize(
    ("limit", "policy"),
    [
        (Limit(name="letters", quota=3, window_seconds=60), '"letters";q=3;w=60'),
        (Limit(name="wrong-letters", quota=1), '"wrong-letters";q=1'),
    ],
)
def test_a_limit_is_told_as_a_structured_field(limit: Limit, policy: str) -> None:
    """A string with its parameters; the window only where there is one."""
    assert limit.policy == policy
    assert limit.used_up(9) == f'"{limit.name}";r=0;t=9'


@pytest.mark.parametrize("name", ["", "Letters", "a letter", 'a"', "a;q=9", "-a", "é", "a\n"])
def test_a_name_cannot_break_the_field(name: str) -> None:
    """Only lower case and hyphens are a name."""
    with pytest.raises(RuntimeError, match="no limit"):
        Limit(name=name, quota=1)


@pytest.mark.parametrize(("quota", "window"), [(0, None), (-1, 60), (1, 0), (1, -5)])
def test_a_limit_lets_something_through(quota: int, window: int | None) -> None:
    """A quota of nothing, and a window of no time, are a mistake of whoever wrote it."""
    with pytest.raises(RuntimeError, match="no limit"):
        Limit(name="letters", quota=quota, window_seconds=window)


@pytest.mark.parametrize(("asked", "told"), [(30, 30), (1, 1), (0, 1), (-2, 1)])
def test_nobody_is_sent_back_at_once(asked: int, told: int) -> None:
    """A second is the shortest wait that is told, to people and to programs alike."""
    refused = _TooManyLetters(LETTERS, wait_seconds=asked)
    assert refused.limit == LETTERS
    assert (refused.wait_seconds, refused.members) == (told, {"wait_seconds": told})
    with pytest.raises(TypeError):
        _TooManyLetters(LETTERS)  # type: ignore[call-arg]

"""Nothing that was on the screen for more than five seconds is gone, whatever interrupts somebody at work.

`INTERRUPTIONS=200` makes as many runs as it says; `--seed` repeats them.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Playwright

from tests.support.browser.device import device
from tests.support.browser.interruptions import interrupted
from tests.support.browser.scene import Scene

RUNS: Final = int(os.environ.get("INTERRUPTIONS", "6"))
RUN_SECONDS: Final = 90
"""More than any one run takes, on a busy machine too."""


@pytest.mark.timeout(RUNS * RUN_SECONDS)
async def test_nothing_is_lost_by_an_interruption(
    scene: Scene, playwright: Playwright, tmp_path: Path, chance: random.Random
) -> None:
    """At random moments of random work: lock, reload, close, go back, lose the line, kill the browser."""
    async with device(playwright, tmp_path / "profile", scene) as used:
        lost = [found for _ in range(RUNS) if (found := await interrupted(scene, used, chance))]
    assert lost == []

"""A case in a folder: opened by public age tools, verified without a service, taken in by another relay."""

from __future__ import annotations

from pathlib import Path

from relay.settings import Settings
from relay.testing.people import Organization
from tests.support.exports import exported, findings_of, tell


async def test_a_case_is_exported_and_verified(
    people: Organization, relay_settings: Settings, worker_settings: Settings, tmp_path: Path
) -> None:
    """Whole, without a service."""
    told = await tell(people, worker_settings)
    folder = tmp_path / "export"
    manifest = await exported(relay_settings, told.case.case_id, folder)
    assert await findings_of(folder, relay_settings) == []
    assert manifest.rows > 20

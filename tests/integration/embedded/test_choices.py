"""Which servers are started, and on which folders they refuse to."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.embedded import Access, embedded
from relay.embedded.errors import FolderUnusable, ServerFailed
from relay.errors import ConfigurationError

GIVEN = {
    "RELAY_DATABASE_URL": "postgresql://elsewhere/relay",
    "RELAY_REDIS_URL": "redis://elsewhere",
    "RELAY_S3_ENDPOINT": "http://elsewhere",
    "RELAY_S3_ACCESS_KEY": "key",
    "RELAY_S3_SECRET_KEY": "secret",
}


async def test_nothing_starts_where_everything_is_given(tmp_path: Path) -> None:
    """With every service named in the environment no folder is made and no process runs."""
    folder = tmp_path / "data"
    async with embedded(folder, {**GIVEN, "HOME": "/root"}) as services:
        assert services.accesses[Access.WEB] == GIVEN
        assert services.processes == {}
    assert not folder.exists()


async def test_a_secret_in_a_file_counts_as_given(tmp_path: Path) -> None:
    """`RELAY_DATABASE_URL_FILE` stands for the address it holds."""
    given = {f"{name}_FILE" if "URL" in name or "KEY" in name else name: "x" for name in GIVEN}
    async with embedded(tmp_path / "data", given) as services:
        assert services.accesses[Access.WEB] == given
        assert services.processes == {}


@pytest.mark.parametrize(
    ("absent", "server"),
    [("RELAY_REDIS_URL", "redis"), ("RELAY_S3_", "s3")],
)
async def test_only_what_is_not_given_starts(tmp_path: Path, absent: str, server: str) -> None:
    """A service named in the environment is taken as it is; the others start beside it."""
    given = {name: value for name, value in GIVEN.items() if not name.startswith(absent)}
    given["RELAY_PUBLIC_URL"] = "https://relay.example"
    async with embedded(tmp_path / "data", given) as services:
        assert set(services.processes) == {server}
        assert services.accesses[Access.WEB].items() >= given.items()
        assert services.accesses[Access.WEB].keys() >= GIVEN.keys()


async def test_the_bucket_may_be_named(tmp_path: Path) -> None:
    """`RELAY_S3_BUCKET` alone does not stand for an S3 server; it names the bucket of ours."""
    given = {**GIVEN, "RELAY_S3_BUCKET": "letters"}
    for name in ("RELAY_S3_ENDPOINT", "RELAY_S3_ACCESS_KEY", "RELAY_S3_SECRET_KEY"):
        del given[name]
    async with embedded(tmp_path / "data", given) as services:
        assert services.accesses[Access.WEB]["RELAY_S3_BUCKET"] == "letters"
        assert (tmp_path / "data" / "s3" / "letters").is_dir()


async def test_half_an_s3_configuration_is_refused(tmp_path: Path) -> None:
    """An endpoint without its keys is a mistake, not a wish for an embedded server."""
    with pytest.raises(ConfigurationError, match=r"RELAY_S3_ACCESS_KEY, RELAY_S3_SECRET_KEY"):
        async with embedded(tmp_path / "data", {"RELAY_S3_ENDPOINT": "http://elsewhere"}):
            pass


async def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path: Path) -> None:
    """A folder given by mistake, somebody's home say, is left as it was."""
    (tmp_path / "letter.txt").touch()
    mode = tmp_path.stat().st_mode
    with pytest.raises(FolderUnusable, match="holds other files"):
        async with embedded(tmp_path, {}):
            pass
    assert list(tmp_path.glob("*")) == [tmp_path / "letter.txt"]
    assert tmp_path.stat().st_mode == mode


@pytest.fixture
async def used_folder(tmp_path: Path) -> Path:
    """A data folder on which Postgres has run before."""
    folder = tmp_path / "data"
    given = {name: value for name, value in GIVEN.items() if name != "RELAY_DATABASE_URL"}
    async with embedded(folder, given):
        pass
    return folder


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("credentials.json", None, "is missing"),
        ("credentials.json", b"{", "is damaged"),
        ("postgres/PG_VERSION", b"16\n", "made by Postgres 16"),
    ],
)
async def test_a_folder_that_would_not_open_says_why(
    used_folder: Path, file: str, content: bytes | None, message: str
) -> None:
    """Lost credentials and data of another Postgres are named before anything starts."""
    if content is None:
        (used_folder / file).unlink()
    else:
        (used_folder / file).write_bytes(content)
    with pytest.raises(FolderUnusable, match=message):
        async with embedded(used_folder, {}):
            pass


async def test_a_server_that_does_not_start_is_named_with_its_last_words(used_folder: Path) -> None:
    """The error says which server ended, where its log is, and what it said there."""
    (used_folder / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(ServerFailed, match=r"postgres ended with status 2, see .*pg_control"):
        async with embedded(used_folder, {}):
            pass

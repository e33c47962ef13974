"""The jail withstands real attacks, and each check fails when the wall that it tests is taken down."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import relay
from relay.commands.check_jail import WHAT
from relay.commands.check_jail import check_jail as command
from relay.media import jail, jail_check
from relay.media.errors import JailBroken, JailUnavailable
from relay.media.seccomp import REFUSED, filter_program
from relay.media.tools import MediaTools

Argv = list[str]
Edit = Callable[[Argv], Argv]


def without(*words: str) -> Edit:
    """Leave these words out of the command line."""
    return lambda argv: [word for word in argv if word not in words]


def without_filter(argv: Argv) -> Argv:
    """Let every system call through."""
    at = argv.index("--seccomp")
    return argv[:at] + argv[at + 2 :]


def without_limit(name: str) -> Edit:
    """Leave a limit unset."""
    return lambda argv: [word for word in argv if not word.startswith(f"{name}=")]


def as_the_worker(argv: Argv) -> Argv:
    """Keep the worker's own user."""
    at = argv.index(f"{jail.SCRIPTS}/launch.py") + 1
    return [*argv[:at], "0", *argv[at + 1 :]]


def showing(*words: str) -> Edit:
    """Build something more into the root file system."""

    def edit(argv: Argv) -> Argv:
        at = argv.index("--remount-ro")
        return [*argv[:at], *words, *argv[at:]]

    return edit


def writable(argv: Argv) -> Argv:
    """Leave the root file system open for writing."""
    at = argv.index("--remount-ro")
    return argv[:at] + argv[at + 2 :]


WALLS: dict[str, list[Edit]] = {
    "network": [without("--unshare-net"), without_filter],
    "files": [showing("--ro-bind", "/etc", "/etc")],
    "keys": [showing("--ro-bind", tempfile.gettempdir(), tempfile.gettempdir())],
    "environment": [showing("--proc", "/proc"), as_the_worker],
    "descriptors": [],
    "write": [writable, as_the_worker],
    "signals": [without("--unshare-pid"), as_the_worker],
    "memory": [without_limit("memory")],
    "hidden_memory": [without_filter],
    "forks": [without_filter],
    "threads": [without_limit("threads")],
    "namespaces": [without_filter],
    "privileges": [without_filter],
    "flood": [without_limit("file")],
    "endless": [],
}


@pytest.fixture
def take_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take down the wall that a check is about, and no other."""
    whole = jail.jail_command

    def edited(name: str) -> None:
        def command_line(program: list[str], **given: object) -> Argv:
            argv = whole(program, **given)  # type: ignore[arg-type] # handed on as it came
            for edit in WALLS[name]:
                argv = edit(argv)
            return argv

        monkeypatch.setattr(jail, "jail_command", command_line)
        if name == "environment":
            monkeypatch.setattr(jail, "ENVIRONMENT", os.environ)

    return edited


async def test_every_attack_is_withstood(tools: MediaTools) -> None:
    """All fifteen, in the order of the table, and a worker may start."""
    checks = await jail_check.check_jail(tools)
    assert [check.name for check in checks if not check.holds] == []
    assert [check.name for check in checks] == list(WALLS) == list(WHAT)
    await jail_check.require_jail(tools)


@pytest.mark.parametrize("name", [name for name in WALLS if name not in {"descriptors", "endless"}])
async def test_a_check_fails_without_its_wall(
    tools: MediaTools, take_down: Callable[[str], None], name: str
) -> None:
    """Each check can fail: with its wall gone, the same attack gets through and is told."""
    take_down(name)
    async with jail_check.prepared(tools) as bait:
        check = await jail_check.ATTACKS[name](bait)
    assert not check.holds
    assert check.found
    assert "no answer" not in check.found


async def test_a_leaked_descriptor_is_noticed(tools: MediaTools) -> None:
    """A descriptor that is handed to the jail without being announced counts as reached."""
    async with jail_check.prepared(tools) as bait:
        with bait.key.open("rb") as key:
            number = key.fileno()
            check = await jail_check.attack(bait, "descriptors", {}, descriptors=(number,))
    assert (check.holds, check.found) == (False, f"descriptor {number}")


async def test_an_attack_that_ends_by_itself_does_not_count_as_ended(
    tools: MediaTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the clock outside, the one inside rings a second later, and the check says so."""
    monkeypatch.setattr(jail, "finish", _patient(jail.finish))
    async with jail_check.prepared(tools) as bait:
        check = await jail_check.ATTACKS["endless"](bait)
    assert not check.holds


async def test_an_attack_that_cannot_run_is_not_taken_for_withstood(tools: MediaTools) -> None:
    """Silence proves nothing."""
    async with jail_check.prepared(tools) as bait:
        check = await jail_check.attack(bait, "no_such_attack", {})
    assert not check.holds
    assert check.found.startswith("no answer")


async def test_a_worker_refuses_to_start_where_a_check_fails(
    tools: MediaTools, take_down: Callable[[str], None]
) -> None:
    """The error names the checks, so that the operator knows what to look at."""
    take_down("files")
    with pytest.raises(JailBroken) as caught:
        await jail_check.require_jail(tools)
    assert caught.value.detail == "files"


async def test_without_namespaces_there_is_no_jail_and_the_setting_is_named(
    tools: MediaTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that forbids them: bubblewrap's own words, and what to change."""
    whole = jail.jail_command
    if os.geteuid() == 0:
        first = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    else:
        first = [
            str(tools.bubblewrap),
            "--unshare-user",
            "--disable-userns",
            "--dev-bind",
            "/",
            "/",
        ]

    def forbidden(program: list[str], **given: object) -> Argv:
        return [*first, *whole(program, **given)]  # type: ignore[arg-type] # handed on as it came

    monkeypatch.setattr(jail, "jail_command", forbidden)
    with pytest.raises(JailUnavailable) as caught:
        await jail_check.require_jail(tools)
    assert "--security-opt" in (caught.value.detail or "")
    assert "user.max_user_namespaces" in (caught.value.detail or "")


def test_the_command_prints_a_table_and_ends_with_0() -> None:
    """`relay check-jail` where all holds."""
    application = typer.Typer()
    application.command()(command)
    done = CliRunner().invoke(application, [])
    assert done.exit_code == 0, done.output
    assert done.output.count("holds") == len(WALLS)
    assert f"All {len(WALLS)} checks hold." in done.output


def test_the_command_ends_with_1_where_a_check_fails(take_down: Callable[[str], None]) -> None:
    """And says which."""
    take_down("files")
    application = typer.Typer()
    application.command()(command)
    done = CliRunner().invoke(application, [])
    assert done.exit_code == 1
    assert "FAILS" in done.output


def test_the_command_ends_with_2_without_bubblewrap() -> None:
    """And names what is missing."""
    application = typer.Typer()
    application.command()(command)
    done = CliRunner().invoke(application, ["--bubblewrap", "/nonexistent/bwrap"])
    assert done.exit_code == 2
    assert "RELAY_BUBBLEWRAP" in done.output


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize(
    "sentence", ["Cannot allocate memory", "Failed to compensate for timestamp delta of 1200.0"]
)
async def test_a_lack_of_memory_is_known_however_much_is_said_after_it(
    tools: MediaTools, sentence: str, status: int
) -> None:
    """Only the end of what was said is kept, and a program may go on after a piece found no room."""
    said = f"import sys; sys.stderr.write('{sentence}' + chr(10) + 'frame=1' * 9000)"
    outcome = await jail.run_in_jail(
        [str(tools.python), "-I", "-S", "-c", f"{said}; sys.exit({status})"],
        limits=jail.JailLimits(memory_bytes=1 << 30, threads=8, file_bytes=0, seconds=30),
        tools=tools,
    )
    assert sentence.encode() not in outcome.stderr
    assert outcome.lacked_memory
    assert outcome.ran_out_of_memory == (status != 0)


def test_the_filter_is_made_for_both_architectures_and_no_other() -> None:
    """Instructions of eight bytes; an unknown machine is refused rather than left unfiltered."""
    for machine in ("x86_64", "aarch64"):
        assert len(filter_program(machine)) % 8 == 0
    assert len(filter_program("x86_64")) // 8 == 6 + 2 * len(REFUSED) + 7
    with pytest.raises(JailUnavailable):
        filter_program("riscv64")


@pytest.fixture
def for_everyone() -> Iterator[Path]:
    """The interpreter and what the check imports, where an ordinary user can read them."""
    folder = Path(tempfile.mkdtemp(prefix="relay-everyone-"))
    folder.chmod(0o755)
    site, base = folder / "site", folder / "python"
    packages = Path(sysconfig.get_path("purelib"))
    for name in ("av", "av.libs", "msgspec", "imageio_ffmpeg"):
        shutil.copytree(packages / name, site / name, copy_function=_link)
    shutil.copytree(Path(relay.__file__).parent, site / "relay")
    program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    (base / "bin").mkdir(parents=True)
    _link(str(program), str(base / "bin" / program.name))
    for shared in (Path(sys.base_prefix) / "lib").glob("libpython3*.so*"):
        (base / "lib").mkdir(exist_ok=True)
        _link(str(shared), str(base / "lib" / shared.name))
    ignore = shutil.ignore_patterns("site-packages", "test", "dist-packages")
    shutil.copytree(library, base / "lib" / library.name, copy_function=_link, ignore=ignore)
    (folder / "run").symlink_to(base / "bin" / program.name)
    yield folder
    shutil.rmtree(folder)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _patient(finish: Callable[..., object]) -> Callable[..., object]:
    def wait(process: object, limits: jail.JailLimits, on_line: object) -> object:
        return finish(process, dataclasses.replace(limits, seconds=30.0), on_line)

    return wait


SCRIPT = """
import asyncio, os
from relay.media.jail_check import check_jail
from relay.media.tools import MediaTools
assert os.geteuid() != 0
for check in asyncio.run(check_jail(MediaTools.find(ffmpeg="", bubblewrap="bwrap"))):
    print(check.name, check.holds, check.found)
"""


def test_the_jail_holds_for_an_ordinary_user_too(for_everyone: Path) -> None:
    """A worker that is not root uses a user namespace; every attack is withstood there as well."""
    ordinary = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [str(for_everyone / "run"), "-s", "-B", "-c", SCRIPT],
        env={"PYTHONPATH": str(for_everyone / "site"), "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **ordinary,  # type: ignore[call-overload] # only as root may it be chosen
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(WALLS)
    assert [line for line in lines if " True" not in line] == []

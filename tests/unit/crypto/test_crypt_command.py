"""`relay crypt` as a person at a shell sees it: files, exit codes, and nothing left behind on failure."""

from __future__ import annotations

import dataclasses
import os
import pty
import random
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.commands.crypt import app
from relay.crypto.age import (
    CHUNK_BYTES,
    ScryptRecipient,
    X25519Identity,
    open_file,
    parse_identity,
    parse_recipient,
    seal_file,
)

MIB = 1024 * 1024
COMMAND = [sys.executable, "-m", "relay", "crypt"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a run of the command ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


def crypt(*arguments: str | Path, given: bytes = b"") -> Done:
    """Run the command in this process, which is much faster."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)
    return Done(
        returncode=result.exit_code, stdout=result.stdout_bytes, stderr=result.stderr_bytes or b""
    )


def crypt_alone(*arguments: str | Path, given: bytes = b"") -> Done:
    """Run the command as a process of its own, with pipes for standard input and output."""
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=given, capture_output=True, timeout=60, check=False
    )
    return Done(returncode=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """An identity file as keygen makes it."""
    file = tmp_path / "identity"
    assert crypt("keygen", "-o", file).returncode == 0
    return file


@pytest.fixture
def recipient(identity: Path) -> str:
    """The recipient that the identity file names."""
    return identity.read_text().splitlines()[1].removeprefix("# public key: ")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A file with a passphrase in it."""
    file = tmp_path / "passphrase"
    file.write_text("in two words\n")
    return file


def test_keygen_makes_an_ordinary_identity_file(tmp_path: Path) -> None:
    """Two comments and the secret, readable by its owner alone; the recipient is printed."""
    file = tmp_path / "identity"
    done = crypt("keygen", "-o", file)
    created, public, secret = file.read_text().splitlines()
    assert done.returncode == 0
    assert created.startswith("# created: 20")
    assert public == f"# public key: {done.stdout.decode().strip()}"
    made = parse_identity(secret)
    assert open_file(seal_file(b"x", [parse_recipient(public.split()[-1])]), [made]) == b"x"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keygen_never_overwrites(identity: Path) -> None:
    """An identity file that is there stays as it is."""
    before = identity.read_bytes()
    assert crypt("keygen", "-o", identity).returncode == 1
    assert identity.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, MIB, 3 * MIB + 17])
def test_files_come_back(
    tmp_path: Path, identity: Path, recipient: str, size: int, chance: random.Random
) -> None:
    """What is sealed opens to the same bytes, from file to file and to standard output."""
    plain = chance.randbytes(size)
    source, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    source.write_bytes(plain)
    assert crypt("seal", "-r", recipient, "-o", sealed, source).returncode == 0
    assert crypt("open", "-i", identity, "-o", opened, sealed).returncode == 0
    assert opened.read_bytes() == plain
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert crypt("open", "-i", identity, "-o", "-", sealed).stdout == plain


@pytest.mark.slow
def test_pipes_will_do(identity: Path, recipient: str, chance: random.Random) -> None:
    """What cannot be read twice is still verified whole before the first byte comes out."""
    plain = chance.randbytes(3 * MIB + 17)
    sealed = crypt_alone("seal", "-r", recipient, "-o", "-", given=plain)
    assert crypt_alone("open", "-i", identity, "-o", "-", given=sealed.stdout).stdout == plain
    cut = crypt_alone("open", "-i", identity, "-o", "-", given=sealed.stdout[:-1])
    assert (cut.returncode, cut.stdout) == (1, b"")
    assert cut.stderr.decode().startswith("This could not be opened")


@pytest.mark.slow
def test_passphrases_come_from_a_file(tmp_path: Path, passphrase: Path) -> None:
    """The first line is the passphrase, and another one does not open."""
    sealed = crypt("seal", "--passphrase-file", passphrase, "-o", "-", given=b"a letter").stdout
    opened = crypt("open", "--passphrase-file", passphrase, "-o", "-", given=sealed)
    assert opened.stdout == b"a letter"
    wrong = tmp_path / "wrong"
    wrong.write_text("in two Words\n")
    failed = crypt("open", "--passphrase-file", wrong, "-o", "-", given=sealed)
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert b"in two Words" not in failed.stderr


def test_several_may_open(tmp_path: Path, recipient: str, identity: Path) -> None:
    """-r and -i may be repeated; comments and blank lines in identity files are passed over."""
    other = tmp_path / "other"
    assert crypt("keygen", "-o", other).returncode == 0
    other_recipient = other.read_text().splitlines()[1].removeprefix("# public key: ")
    sealed = crypt("seal", "-r", recipient, "-r", other_recipient, "-o", "-", given=b"both").stdout
    other.write_text("\n# a comment\n" + other.read_text() + "\n\n")
    assert crypt("open", "-i", other, "-o", "-", given=sealed).stdout == b"both"
    alone = crypt("seal", "-r", recipient, "-o", "-", given=b"one").stdout
    assert crypt("open", "-i", other, "-i", identity, "-o", "-", given=alone).stdout == b"one"


@pytest.mark.parametrize(
    "damage", ["cut", "cut at a chunk", "changed", "longer", "not age", "empty"]
)
@pytest.mark.parametrize("to", ["file", "standard output"])
def test_nothing_is_written_on_failure(
    tmp_path: Path, identity: Path, recipient: str, damage: str, to: str
) -> None:
    """A damaged file gives exit code 1, no plaintext at all, and leaves an older OUT as it was."""
    whole = crypt("seal", "-r", recipient, "-o", "-", given=bytes(3 * MIB)).stdout
    sealed = {
        "cut": whole[:-1000],
        "cut at a chunk": whole[: whole.index(b"---") + 48 + 16 + 2 * (CHUNK_BYTES + 16)],
        "changed": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
        "longer": whole + b"x",
        "not age": b"-----BEGIN AGE ENCRYPTED FILE-----\n",
        "empty": b"",
    }[damage]
    target = tmp_path / "opened"
    target.write_bytes(b"from before")
    before = sorted(tmp_path.iterdir())
    done = crypt("open", "-i", identity, "-o", target if to == "file" else "-", given=sealed)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"could not be opened" in done.stderr
    assert target.read_bytes() == b"from before"
    assert sorted(tmp_path.iterdir()) == before


def test_a_stranger_opens_nothing(tmp_path: Path, recipient: str) -> None:
    """Another identity gives exit code 1 and no output."""
    stranger = tmp_path / "stranger"
    stranger.write_text(f"{X25519Identity.generate()}\n")
    sealed = crypt("seal", "-r", recipient, "-o", "-", given=b"not for you").stdout
    done = crypt("open", "-i", stranger, "-o", tmp_path / "opened", given=sealed)
    assert done.returncode == 1
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["seal", "-o", "out", "in"],
        ["seal", "-r", "nobody", "-o", "out", "in"],
        ["seal", "-r", "RECIPIENT", "in"],
        ["seal", "-r", "RECIPIENT", "--passphrase-file", "PASSPHRASE", "-o", "out", "in"],
        ["seal", "-r", "RECIPIENT", "-r", "CLASSIC", "-o", "out", "in"],
        ["seal", "-r", "RECIPIENT", "-o", ".", "in"],
        ["open", "-o", "out", "in"],
        ["open", "-i", "IDENTITY", "--passphrase-file", "PASSPHRASE", "-o", "out", "in"],
        ["keygen"],
        ["unseal"],
    ],
    ids=" ".join,
)
def test_misuse_ends_with_2(
    tmp_path: Path, identity: Path, recipient: str, passphrase: Path, arguments: list[str]
) -> None:
    """What cannot be meant is refused before anything is read or written."""
    (tmp_path / "in").write_bytes(b"x")
    names = {
        "RECIPIENT": recipient,
        "CLASSIC": str(X25519Identity.generate().recipient),
        "IDENTITY": str(identity),
        "PASSPHRASE": str(passphrase),
    }
    paths = {name: str(tmp_path / name) for name in ("in", "out", ".")}
    given = [{**names, **paths}.get(argument, argument) for argument in arguments]
    assert crypt(*given).returncode == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["seal", "-r", "RECIPIENT", "-o", "out", "missing"],
        ["seal", "-r", "RECIPIENT", "-o", "missing/out", "in"],
        ["seal", "--passphrase-file", "missing", "-o", "out", "in"],
        ["seal", "--passphrase-file", "empty", "-o", "out", "in"],
        ["open", "-i", "missing", "-o", "out", "in"],
        ["open", "-i", "in", "-o", "out", "in"],
        ["open", "-i", "binary", "-o", "out", "in"],
    ],
    ids=" ".join,
)
def test_failures_end_with_1_and_a_sentence(
    tmp_path: Path, recipient: str, arguments: list[str]
) -> None:
    """Files that are missing, empty or something else give one line, not a traceback."""
    (tmp_path / "in").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    files = ("in", "out", "missing", "missing/out", "empty", "binary")
    names = {"RECIPIENT": recipient, **{name: str(tmp_path / name) for name in files}}
    done = crypt(*(names.get(argument, argument) for argument in arguments))
    assert done.returncode == 1
    assert len(done.stderr.decode().strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_terminated_command_leaves_no_plaintext(
    tmp_path: Path, identity: Path, recipient: str
) -> None:
    """Stopped in the middle, it takes what it had written away with it."""
    sealed = crypt("seal", "-r", recipient, "-o", "-", given=bytes(3 * MIB)).stdout
    before = sorted(tmp_path.iterdir())
    command = [*COMMAND, "open", "-i", str(identity), "-o", str(tmp_path / "opened")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        running.stdin.write(sealed[: 2 * MIB + 100])
        running.stdin.flush()
        while sorted(tmp_path.iterdir()) == before:
            assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        running.stdin.close()
        assert running.wait(30) == 128 + signal.SIGTERM
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_memory_stays_the_same_for_large_files(
    tmp_path: Path, identity: Path, recipient: str
) -> None:
    """A file of 256 MiB is sealed and opened by processes that may not take half of that on top."""
    source, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    with source.open("wb") as file:
        file.truncate(256 * MIB)
    for arguments in (
        ["seal", "-r", recipient, "-o", str(sealed), str(source)],
        ["open", "-i", str(identity), "-o", str(opened), str(sealed)],
    ):
        small = _peak_kib(["keygen", "-o", str(tmp_path / f"peak of {arguments[0]}")])
        assert _peak_kib(arguments) < small + 32 * 1024
    assert opened.stat().st_size == 256 * MIB


def test_a_sealed_file_is_not_written_to_a_terminal(recipient: str) -> None:
    """Binary output on a screen helps nobody; a pipe or a file is asked for."""
    terminal, screen = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "seal", "-r", recipient, "-o", "-"],
            input=b"x",
            stdout=screen,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(screen)
    assert done.returncode == 2
    assert b"not text" in done.stderr


@pytest.mark.slow
def test_somebody_at_a_terminal_sees_progress(
    tmp_path: Path, identity: Path, recipient: str
) -> None:
    """With standard error on a terminal there is a bar; into a file there is not a word."""
    (tmp_path / "plain").write_bytes(bytes(3 * MIB))
    terminal, screen = pty.openpty()
    command = ["seal", "-r", recipient, "-o", str(tmp_path / "sealed"), str(tmp_path / "plain")]
    try:
        subprocess.run([*COMMAND, *command], stderr=screen, timeout=60, check=True)
        assert b"Sealing" in os.read(terminal, 10_000)
    finally:
        os.close(terminal)
        os.close(screen)
    assert crypt_alone(*command).stderr == b""


def test_work_asked_by_a_passphrase_file_is_limited(tmp_path: Path, passphrase: Path) -> None:
    """A file that asks for 2^21 is refused at once, not after minutes."""
    sealed = seal_file(b"x", [ScryptRecipient("in two words", 1)]).replace(b" 1\n", b" 21\n", 1)
    assert crypt("open", "--passphrase-file", passphrase, "-o", "-", given=sealed).returncode == 1


def _peak_kib(arguments: list[str]) -> int:
    """The largest resident memory of one run."""
    process = os.posix_spawn(sys.executable, [*COMMAND, *arguments], os.environ)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss

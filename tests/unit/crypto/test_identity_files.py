"""`relay crypt open` reads every key file that relay writes, and says of the other files what they are."""

from __future__ import annotations

import ast
import dataclasses
import re
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import pytest
from typer.testing import CliRunner

from relay.__main__ import program
from relay.client.certifying import write_new
from relay.commands.recovery import Recovered
from relay.crypto.age import HybridIdentity, parse_recipient, seal_file
from relay.crypto.identities import (
    CaseKeyClosed,
    NamedFile,
    NoIdentity,
    PassphraseNeeded,
    PassphraseWrong,
    passphrase_identities,
    read_identities,
)
from relay.crypto.keyfiles import load_keyring_file, save_keyring_file
from relay.crypto.keyrings import (
    PARTICIPANT_WORK_FACTOR_LOG2,
    generate_keyring,
    seal_identities,
    seal_keyring,
    seal_participant_keyring,
)
from relay.crypto.links import LinkSecret, link_url, parse_link_url
from relay.domain.cases import CharterFiling, Charters, CharterView
from relay.domain.credentials import CaseFile, Credentials
from tests.vectors.people import ANNA

ROOT: Final = Path(__file__).parents[3]
PASSPHRASE: Final = "d\u00e9j\u00e0 vu, three words"
TYPED_ELSEWHERE: Final = " de\u0301ja\u0300 vu, three words"
SECRET: Final = b"the words of a letter"
LINK: Final = link_url(
    "https://relay.example", uuid.UUID(int=7), LinkSecret(b"s" * 16), b"f" * 16, b"a" * 16
)


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """A key file as something of relay wrote it, who it belongs to, and what else opens it."""

    recipient: str
    arguments: list[str | Path]


def relay(*arguments: str | Path) -> str:
    """Run `relay`, which must go well, and return what it printed."""
    result = CliRunner().invoke(program(), [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def kept(path: Path, text: str) -> Path:
    """A file with one line."""
    path.write_text(f"{text}\n", "utf-8")
    return path


def keygen(folder: Path) -> Written:
    """`relay crypt keygen`."""
    recipient = relay("crypt", "keygen", "-o", folder / "identity").strip()
    return Written(recipient, ["-i", folder / "identity"])


def keys_new(role: str) -> Callable[[Path], Written]:
    """`relay keys new`: the key file that a worker, the case system, recovery or a mediator is given."""

    def write(folder: Path) -> Written:
        file = folder / "key"
        relay("keys", "new", role, "-o", file, "--request", folder / "request")
        return Written(str(load_keyring_file(file)[1].identity.recipient), ["-i", file])

    return write


def mediators_keyring(folder: Path) -> Written:
    """What the console saves to a file, and relay keeps for a mediator."""
    file = folder / "relay-keyring.age"
    file.write_bytes(seal_keyring(ANNA.keyring, PASSPHRASE, 4))
    passphrase = kept(folder / "passphrase", TYPED_ELSEWHERE)
    return Written(
        str(ANNA.keyring.identity.recipient), ["-i", file, "--passphrase-file", passphrase]
    )


def participants_keyring(folder: Path) -> Written:
    """What relay keeps for a participant: half of its passphrase is in their link."""
    file, link = folder / "keyring", parse_link_url(LINK)
    sealed, _stretched = seal_participant_keyring(
        ANNA.keyring,
        PASSPHRASE,
        link.secret.unlock(link.id),
        link=LINK,
        work_factor_log2=PARTICIPANT_WORK_FACTOR_LOG2,
    )
    file.write_bytes(sealed)
    passphrase = kept(folder / "passphrase", TYPED_ELSEWHERE)
    linked: list[str | Path] = ["--link-file", kept(folder / "link", LINK)]
    return Written(
        str(ANNA.keyring.identity.recipient),
        ["-i", file, "--passphrase-file", passphrase, *linked],
    )


def case_key_file(
    *, by_keyring: bool = False, of_before: bool = False
) -> Callable[[Path], Written]:
    """The key file of a case with every identity it has had, opened by recovery or a mediator's keyring."""

    def write(folder: Path) -> Written:
        holder = mediators_keyring(folder) if by_keyring else keys_new("recovery")(folder)
        latest, former, file = (
            HybridIdentity.generate(),
            HybridIdentity.generate(),
            folder / "case.age",
        )
        file.write_bytes(seal_identities([latest, former], [parse_recipient(holder.recipient)]))
        # The case's file comes first: the order in which files are named does not matter.
        recipient = (former if of_before else latest).recipient
        return Written(str(recipient), ["-i", file, *holder.arguments])

    return write


def in_the_file_of_a_case(*, is_given: bool) -> Callable[[Path], Written]:
    """`relay recovery export` and `give`: the key file of a case within all that belongs to it."""

    def write(folder: Path) -> Written:
        written = case_key_file()(folder)
        key_file, case = (folder / "case.age").read_bytes(), folder / "case.json"
        view = CharterView(version=2, statement="", key_file=key_file)
        before = CharterView(version=1, statement="", key_file=b"sealed to others")
        found: Recovered | CaseFile = CaseFile(
            case=uuid.UUID(int=1),
            credentials=Credentials(roots=[], successions=[], credentials=[]),
            charters=Charters(registration=None, charters=[before, view]),
        )
        if is_given:
            filing = CharterFiling(statement="", key_file=key_file)
            found = Recovered(case=uuid.UUID(int=1), filing=filing)
        write_new(case, msgspec.json.encode(found), secret=False)
        return Written(written.recipient, ["-i", case, *written.arguments[2:]])

    return write


WRITERS: Final[dict[str, Callable[[Path], Written]]] = {
    "relay crypt keygen": keygen,
    **{f"relay keys new {role}": keys_new(role) for role in ("mediator", "media", "recovery")},
    "a mediator's keyring": mediators_keyring,
    "a participant's keyring": participants_keyring,
    "a case's key file, by recovery": case_key_file(),
    "a case's key file, by a mediator": case_key_file(by_keyring=True),
    "a case's key file, for what was sealed before": case_key_file(of_before=True),
    "relay recovery export": in_the_file_of_a_case(is_given=False),
    "relay recovery give": in_the_file_of_a_case(is_given=True),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_every_key_file_opens_what_was_sealed_for_it(tmp_path: Path, writer: str) -> None:
    """As it is, without turning it into another form first."""
    written = WRITERS[writer](tmp_path)
    sealed = tmp_path / "sealed"
    sealed.write_bytes(seal_file(SECRET, [parse_recipient(written.recipient)]))
    relay("crypt", "open", *written.arguments, "-o", tmp_path / "opened", sealed)
    assert (tmp_path / "opened").read_bytes() == SECRET


def test_what_comes_out_of_a_keyring_is_a_key_file_itself(tmp_path: Path) -> None:
    """A keyring opens like any file behind a passphrase, in whatever way its letters were typed."""
    written = mediators_keyring(tmp_path)
    opened = tmp_path / "opened"
    passphrase, keyring = tmp_path / "passphrase", tmp_path / "relay-keyring.age"
    relay("crypt", "open", "--passphrase-file", passphrase, "-o", opened, keyring)
    sealed = tmp_path / "sealed"
    sealed.write_bytes(seal_file(SECRET, [parse_recipient(written.recipient)]))
    relay("crypt", "open", "-i", opened, "-o", tmp_path / "letter", sealed)
    assert (tmp_path / "letter").read_bytes() == SECRET


def root_key(folder: Path) -> Path:
    """`relay root new`."""
    passphrase = kept(folder / "root passphrase", PASSPHRASE)
    relay("root", "new", "-o", folder / "root", "--passphrase-file", passphrase)
    return folder / "root"


def request(folder: Path) -> Path:
    """The second file of `relay keys new`."""
    relay("keys", "new", "media", "-o", folder / "asked", "--request", folder / "request.json")
    return folder / "request.json"


def credential(folder: Path) -> Path:
    """`relay root certify`."""
    root, asked = root_key(folder), request(folder)
    passphrase = folder / "root passphrase"
    signed: list[str | Path] = ["--root", root, "--passphrase-file", passphrase]
    relay("root", "certify", asked, *signed, "-o", folder / "credential")
    return folder / "credential"


def revocation(folder: Path) -> Path:
    """`relay root revoke`."""
    root, passphrase = root_key(folder), folder / "root passphrase"
    signed: list[str | Path] = ["--root", root, "--passphrase-file", passphrase]
    relay("root", "revoke", str(uuid.uuid4()), *signed, "-o", folder / "revocation")
    return folder / "revocation"


OTHERS: Final[dict[str, tuple[Callable[[Path], Path], str]]] = {
    "relay root new": (root_key, "root"),
    "relay keys new, the request": (request, "a request for a credential"),
    "relay root certify": (credential, "a signed statement"),
    "relay root revoke": (revocation, "a signed statement"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_of_every_other_file_it_says_what_it_is(tmp_path: Path, other: str) -> None:
    """One sentence that names the file and what is in it, no traceback, and nothing is written."""
    write, what = OTHERS[other]
    file = write(tmp_path)
    passphrase = tmp_path / "root passphrase"
    needed = ["--passphrase-file", str(passphrase)] if file.name == "root" else []
    sealed = tmp_path / "sealed"
    sealed.write_bytes(seal_file(SECRET, [ANNA.keyring.identity.recipient]))
    arguments = [
        "crypt",
        "open",
        "-i",
        str(file),
        *needed,
        "-o",
        str(tmp_path / "out"),
        str(sealed),
    ]
    result = CliRunner().invoke(program(), arguments)
    assert result.exit_code == 1
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("This file holds no identity")
    assert f"({file.name}: " in line
    assert what in line
    assert not (tmp_path / "out").exists()


def files(*contents: bytes) -> list[NamedFile]:
    """Files as they were read."""
    return [NamedFile(name=f"file {number}", content=each) for number, each in enumerate(contents)]


KEYRING: Final = seal_keyring(ANNA.keyring, PASSPHRASE, 4)
CASE_KEY: Final = seal_identities([HybridIdentity.generate()], [ANNA.keyring.identity.recipient])
STRANGER: Final = f"{HybridIdentity.generate()}\n".encode()


@pytest.mark.parametrize(
    ("contents", "passphrase", "refusal"),
    [
        ([KEYRING], None, PassphraseNeeded),
        ([KEYRING], "another one", PassphraseWrong),
        ([CASE_KEY], None, CaseKeyClosed),
        ([CASE_KEY, STRANGER], None, CaseKeyClosed),
        ([b""], None, NoIdentity),
        ([b"# only a comment\n"], None, NoIdentity),
        ([b"{}"], None, NoIdentity),
        ([b"{"], None, NoIdentity),
        ([b'{"version":1,"signer":"x"}'], None, NoIdentity),
        ([b'{"identity":"x"}'], None, NoIdentity),
        ([b"\xff\xfe"], None, NoIdentity),
        ([b"AGE-SECRET-KEY-PQ-1"], None, NoIdentity),
        ([b"# " * 1024 * 1024], None, NoIdentity),
    ],
)
def test_what_is_missing_or_wrong_has_an_error_of_its_own(
    contents: Sequence[bytes], passphrase: str | None, refusal: type[Exception]
) -> None:
    """Each says what to do, in both languages, and quotes nothing of the file."""
    asked = [] if passphrase is None else passphrase_identities(passphrase)
    with pytest.raises(refusal) as refused:
        read_identities(files(*contents), asked)
    assert "AGE-SECRET" not in str(refused.value)
    assert refusal.sentence("fr") != refusal.sentence("en")  # type: ignore[attr-defined]


def test_a_passphrase_that_opens_none_of_the_files_is_refused(tmp_path: Path) -> None:
    """Nobody is left to think that a key file without a passphrase had one."""
    save_keyring_file(tmp_path / "key", generate_keyring(), uuid.uuid4())
    passphrase = str(kept(tmp_path / "passphrase", PASSPHRASE))
    arguments = ["crypt", "open", "-i", str(tmp_path / "key"), "--passphrase-file", passphrase]
    result = CliRunner().invoke(program(), [*arguments, "-o", "-", str(tmp_path / "key")])
    assert result.exit_code == 2


WRITING: Final = {"write_new", "save_keyring_file"}
KNOWN: Final = {
    ("relay/commands/keys.py", "write_new"),  # the request
    ("relay/commands/keys.py", "save_keyring_file"),
    ("relay/commands/pages.py", "write_new"),  # what a release says of its pages; no key
    ("relay/commands/root.py", "write_new"),  # root, credential, revocation
    ("relay/commands/recovery.py", "write_new"),  # a case with its key file, before and after
    ("relay/commands/crypt.py", "O_EXCL"),  # keygen
    ("relay/crypto/keyfiles.py", "O_EXCL"),  # save_keyring_file itself
    ("relay/client/certifying.py", "O_EXCL"),  # write_new itself
}


def test_no_other_code_writes_key_files() -> None:
    """Anyone who adds a writer finds the test of its files missing here. The demo's folder is its own."""
    found = set()
    for path in sorted((ROOT / "relay").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("relay/demo/", "relay/testing/", "relay/embedded/")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "O_EXCL":
                found.add((name, "O_EXCL"))
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                called = node.func.id if isinstance(node.func, ast.Name) else called
                if called in WRITING:
                    found.add((name, called))
    assert found == KNOWN


def test_the_console_saves_no_other_files() -> None:
    """Its two downloads are a keyring and a request, in the forms that are opened above."""
    saved = set()
    for path in (ROOT / "web" / "src").rglob("*.ts"):
        saved |= set(re.findall(r"download\('([^']+)'", path.read_text("utf-8")))
    assert saved == {"relay-keyring.age", "relay-request.json"}

"""The folder of an export: written whole or not at all, and read only as its list says."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from relay.decoding import NotDecodable, decode_json
from relay.services.exports.layout import (
    FORMAT,
    MANIFEST,
    VERSION,
    ExportAltered,
    ExportedFile,
    ExportVersionUnknown,
    FolderNotEmpty,
    Manifest,
    NoExport,
)

READ_BYTES: Final = 1024 * 1024
MANIFEST_MAX_BYTES: Final = 64 * 1024 * 1024


class NewFile:
    """A file that is being written, with its hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add some bytes."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def write_line(self, value: object) -> None:
        """Add a line of JSON."""
        self.write(msgspec.json.encode(value) + b"\n")

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()


class NewFolder:
    """Files that become an export all at once."""

    def __init__(self, path: Path) -> None:
        self.files: list[ExportedFile] = []
        self._path = path

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[NewFile]:
        """A new file of this name, which is on the list when the block ends well."""
        path = self._path / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("xb") as opened:
            new = NewFile(opened)
            yield new
            opened.flush()
            os.fsync(opened.fileno())
        self.files.append(ExportedFile(path=name, size=new.size, sha256=new.sha256))

    def finish(self, manifest: Manifest) -> None:
        """Write the list of the files."""
        listed = msgspec.structs.replace(
            manifest, files=sorted(self.files, key=lambda file: file.path)
        )
        with self.file(MANIFEST) as file:
            file.write(_encoded(listed))


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[NewFolder]:
    """A folder that is there, with all that is in it, only if the block ends well.

    Until then it has another name, beside its own. FolderNotEmpty where there is something already.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FolderNotEmpty(path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.unfinished-", dir=path.parent))
    try:
        yield NewFolder(unfinished)
        try:
            unfinished.rename(path)
        except OSError:
            raise FolderNotEmpty(path.name) from None
        _sync(path.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """The list of an export; NoExport where there is none, ExportVersionUnknown, ExportAltered."""
    try:
        with (path / MANIFEST).open("rb") as file:
            content = file.read(MANIFEST_MAX_BYTES)
        manifest = decode_json(content, Manifest)
    except (OSError, NotDecodable):
        raise NoExport(f"{path.name} has no {MANIFEST} that relay wrote") from None
    if (manifest.format, manifest.version) != (FORMAT, VERSION):
        raise ExportVersionUnknown(f"{manifest.format} {manifest.version}")
    if content != _encoded(manifest):
        raise ExportAltered(f"{MANIFEST} is not as it was written")
    return manifest


def check_files(path: Path, manifest: Manifest) -> None:
    """Go on only where there is each file of the list as it was written, and none besides; ExportAltered."""
    listed = {file.path for file in manifest.files}
    if len(listed) != len(manifest.files):
        raise ExportAltered("a file is listed twice")
    found = {str(name.relative_to(path).as_posix()): name for name in _walk(path)}
    if missing := sorted(listed - found.keys()):
        raise ExportAltered(f"{missing[0]} is missing")
    if added := sorted(found.keys() - listed - {MANIFEST}):
        raise ExportAltered(f"{added[0]} is not on the list")
    for file in manifest.files:
        if file.path == MANIFEST or _hash_of(found[file.path], file.size) != file.sha256:
            raise ExportAltered(f"{file.path} is not as it was written")


def _walk(path: Path) -> Iterator[Path]:
    """Every file; ExportAltered for what is none, such as a link to elsewhere."""
    for name in path.iterdir():
        if name.is_symlink() or not (name.is_dir() or name.is_file()):
            raise ExportAltered(f"{name.name} is no ordinary file")
        if name.is_dir():
            yield from _walk(name)
        else:
            yield name


def _hash_of(path: Path, size: int) -> str | None:
    """The SHA-256 of a file of this size, None for one of another."""
    if path.stat().st_size != size:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Which programs the media pipeline runs, and where they lie on this machine."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Self

import imageio_ffmpeg

from relay.media.errors import JailUnavailable
from relay.settings import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MediaTools:
    """Resolved paths; everything in the jail is one of these or a system library."""

    ffmpeg: Path
    bubblewrap: Path
    python: Path
    """The interpreter itself, not a virtual environment's link to it."""
    python_library: Path
    """Its standard library."""
    python_shared: tuple[Path, ...]
    """The interpreter's own shared library, where it is built with one."""
    av: tuple[Path, ...]
    """PyAV and the libraries of its wheel, side by side."""
    system_libraries: tuple[Path, ...]
    """Folders of shared libraries that all of these are linked to."""

    @property
    def python_parts(self) -> tuple[Path, ...]:
        """All that the interpreter is made of."""
        return (self.python, self.python_library, *self.python_shared)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Find what the operator has chosen; JailUnavailable names what is missing."""
        return cls.find(ffmpeg=settings.ffmpeg, bubblewrap=settings.bubblewrap)

    @classmethod
    def find(cls, *, ffmpeg: str, bubblewrap: str) -> Self:
        """Find everything, the bundled ffmpeg where none is named."""
        return cls(
            ffmpeg=_program(ffmpeg or imageio_ffmpeg.get_ffmpeg_exe(), "RELAY_FFMPEG"),
            bubblewrap=_program(bubblewrap, "RELAY_BUBBLEWRAP (package bubblewrap)"),
            python=Path(getattr(sys, "_base_executable", sys.executable)).resolve(),
            python_library=Path(sysconfig.get_path("stdlib")).resolve(),
            python_shared=_python_shared(),
            av=_av(),
            system_libraries=_system_libraries(),
        )


def _program(name: str, what: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise JailUnavailable(f"{what} is not installed or not executable")
    return Path(found).resolve()


def _python_shared() -> tuple[Path, ...]:
    folder = Path(sys.base_prefix) / "lib"
    return tuple(sorted(folder.glob("libpython3*.so*")))


def _av() -> tuple[Path, ...]:
    specification = importlib.util.find_spec("av")
    if specification is None or specification.origin is None:
        raise JailUnavailable("PyAV is not installed")
    package = Path(specification.origin).parent
    return tuple(p for p in (package, package.with_name("av.libs")) if p.is_dir())


def _system_libraries() -> tuple[Path, ...]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    candidates = ("/lib64", f"/lib/{multiarch}", f"/usr/lib/{multiarch}", "/usr/lib64")
    found = (Path(c) for c in (*candidates, "/etc/ld.so.cache"))
    # /lib64 and /lib hold the loader under the name that is written into every program.
    return tuple(path for path in found if path.exists())

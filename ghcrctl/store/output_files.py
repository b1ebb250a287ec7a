"""Files and directories that the user names for output."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import publish, sync_file
from ghcrctl.disk.unfinished_files import unfinished
from ghcrctl.errors import UsageError
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.scratch import hold_open, scratch_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

# Errors of an invalid path, as opposed to those of a full or failing disk.
_MISTYPED = {
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
}


def check_output_file(path: Path) -> None:
    """Check that a file can have this path.

    Raises:
        UsageError: the path is a directory, or its directory does not exist.
    """
    with output_errors(path):
        if path.is_dir():
            raise UsageError(
                f"cannot write {_shown(path)}: it is a directory",
                hint=f"name a file in it, such as {path / 'NAME'}",
            )
        parent = Path(os.path.realpath(path)).parent
        if not parent.exists():
            raise UsageError(
                f"cannot write {path}: the directory {parent} does not exist",
                hint=f"create it: {making_directory(str(parent))}",
            )
        if not parent.is_dir():
            raise UsageError(f"cannot write {path}: {parent} is not a directory")
        # Names that are too long, and circles of links.
        with suppress(FileNotFoundError):
            path.stat()


def making_directory(path: str, *, on_windows: bool = os.name == "nt") -> str:
    """Return the command that creates a directory and its parents.

    Windows' own takes `-p` for the name of one more directory, and needs no option.
    """
    if on_windows:
        return f'mkdir "{path}"' if " " in path else f"mkdir {path}"
    from shlex import quote

    return f"mkdir -p {quote(path)}"


def _shown(path: Path) -> str:
    """Return a path as a sentence shows it; `.` alone reads as its end."""
    return f"`{path}`" if path.name in {"", ".."} else str(path)


def check_not_read(path: Path, inputs: Iterable[Path]) -> None:
    """Check that an output does not replace a file that it is made from.

    Args:
        path: the output.
        inputs: paths that are read; links may lead to them, and they may be missing.

    Raises:
        UsageError: one of them is the output.
    """
    for other in inputs:
        with suppress(OSError):
            if other.is_file() and path.samefile(other):
                raise UsageError(
                    f"cannot write {path}: it is read at the same time",
                    hint="write another file, and rename it afterwards",
                )


def check_output_directory(path: Path) -> None:
    """Check that a directory can have this path, which may not exist yet.

    Raises:
        UsageError: the path or a part of it is a file.
    """
    with output_errors(path):
        for folder in (path, *path.absolute().parents):
            with suppress(FileNotFoundError, NotADirectoryError):
                folder.lstat()
                if not folder.is_dir():
                    raise UsageError(f"cannot write to {path}: {folder} is not a directory")
                return


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Translate the disk's errors about an output path.

    Raises:
        UsageError: no file can have this path.
        StoreError: anything else, such as a full disk or a missing permission.
    """
    with disk_errors(f"write {path}"):
        try:
            yield
        except OSError as error:
            if error.errno in _MISTYPED:
                reason = error.strerror or str(error)
                raise UsageError(f"cannot write {path}: {reason}") from error
            raise


@contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[Callable[[bytes], object]]:
    """Yield a function that writes a file, which appears complete or not at all.

    A device or a pipe is written to, not replaced. An existing file keeps its mode, and a symbolic
    link continues to lead to it.

    Args:
        path: the file.
        private: whether a new file gets mode 0600, as `docker save` has it: an image may hold
            secrets.

    Raises:
        UsageError: no file can have this path.
        StoreError: the disk refuses.
    """
    check_output_file(path)
    with disk_errors(f"write {path}"):
        if path.exists() and not path.is_file():
            with path.open("wb") as device:
                yield _writer(device, path)
            return
        target = Path(os.path.realpath(path))
        aside = scratch_beside(target)
        with unfinished(aside):
            with _created(aside, path, private=private) as file:
                hold_open(file.fileno())
                yield _writer(file, path)
                _keep_mode(target, aside)
                sync_file(file)
            publish(aside, target)


def _writer(file: BinaryIO, path: Path) -> Callable[[bytes], object]:
    """Return a function that writes to a file, and names the output in errors."""

    def write(data: bytes) -> None:
        with disk_errors(f"write {path}"):
            file.write(data)

    return write


def _created(aside: Path, path: Path, *, private: bool) -> BinaryIO:
    """Create the file that takes the place of a path at the end."""
    with output_errors(path):
        return open(aside, "xb", opener=_private if private else None)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_mode(old: Path, new: Path) -> None:
    """Copy permissions; some file systems have none."""
    with suppress(OSError):
        new.chmod(stat.S_IMODE(old.stat().st_mode) & 0o777)

"""Checks and writes files and directories that the user named as output."""

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

# Errors of invalid paths, as opposed to errors of a full or failing disk.
_INVALID_PATH = {
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
}


def check_output_file(path: Path) -> None:
    """Check that a file can be written at this path.

    Raises:
        UsageError: the path is a directory, or its directory does not exist.
    """
    with output_errors(path):
        if path.is_dir():
            raise UsageError(
                f"cannot write {_shown(path)}: it is a directory",
                hint=f"choose a file in it, such as {path / 'NAME'}",
            )
        parent = Path(os.path.realpath(path)).parent
        if not parent.exists():
            raise UsageError(
                f"cannot write {path}: the directory {parent} does not exist",
                hint=f"create it: {mkdir_command(str(parent))}",
            )
        if not parent.is_dir():
            raise UsageError(f"cannot write {path}: {parent} is not a directory")
        # Names that are too long, and symlink loops.
        with suppress(FileNotFoundError):
            path.stat()


def mkdir_command(path: str, *, on_windows: bool = os.name == "nt") -> str:
    """Return the shell command that creates a directory and its parents.

    On Windows, `mkdir` creates parents by default and would take `-p` for a name.
    """
    if on_windows:
        return f'mkdir "{path}"' if " " in path else f"mkdir {path}"
    from shlex import quote

    return f"mkdir -p {quote(path)}"


def _shown(path: Path) -> str:
    """Return a path for a message; a bare `.` would look like the end of the sentence."""
    return f"`{path}`" if path.name in {"", ".."} else str(path)


def check_not_read(path: Path, inputs: Iterable[Path]) -> None:
    """Check that an output does not replace one of its inputs.

    Args:
        path: the output.
        inputs: the input paths, which may be links or not exist.

    Raises:
        UsageError: an input is the output.
    """
    for other in inputs:
        with suppress(OSError):
            if other.is_file() and path.samefile(other):
                raise UsageError(
                    f"cannot write {path}: it is also an input",
                    hint="write to another file, and rename it afterwards",
                )


def check_output_directory(path: Path) -> None:
    """Check that a directory can be created at this path, if it does not exist.

    Raises:
        UsageError: the path or one of its parents is a file.
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
    """Translate operating system errors about an output path.

    Raises:
        UsageError: the path is invalid.
        StoreError: any other error, such as a full disk or missing permissions.
    """
    with disk_errors(f"write {path}"):
        try:
            yield
        except OSError as error:
            if error.errno in _INVALID_PATH:
                reason = error.strerror or str(error)
                raise UsageError(f"cannot write {path}: {reason}") from error
            raise


@contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[Callable[[bytes], object]]:
    """Yield a function that writes to a file, which only appears once it is complete.

    A device or pipe is written to directly. An existing file keeps its mode, and a symbolic link
    its target.

    Args:
        path: the file.
        private: whether to create the file with mode 0600, as `docker save` does, since images may
            contain secrets.

    Raises:
        UsageError: the path is invalid.
        StoreError: the file cannot be written.
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
    """Return a function that writes to a file and names the output in errors."""

    def write(data: bytes) -> None:
        with disk_errors(f"write {path}"):
            file.write(data)

    return write


def _created(aside: Path, path: Path, *, private: bool) -> BinaryIO:
    """Create the temporary file that replaces the output at the end."""
    with output_errors(path):
        return open(aside, "xb", opener=_private if private else None)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_mode(old: Path, new: Path) -> None:
    """Copy permissions, where the file system supports them."""
    with suppress(OSError):
        new.chmod(stat.S_IMODE(old.stat().st_mode) & 0o777)

"""Extraction of a file tree to disk without writing outside of the target directory.

Invariant: no path goes through a link. Every directory is created before its files and never over
an existing file, and every other file is created too. If the file system treats two names as the
same (upper and lower case), the error names both.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ghcrctl.disk.name_clashes import is_one_file, name_on_disk, similar_paths
from ghcrctl.errors import StoreError, UnsupportedError
from ghcrctl.layers.members import Kind, is_overlay_attribute
from ghcrctl.layers.windows_names import (
    has_long_paths,
    is_too_long,
    lacks_privilege,
    windows_name_error,
)
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ghcrctl.layers.members import Member
    from ghcrctl.layers.merged_tree import Node
    from ghcrctl.layers.walk_layer import Data
    from ghcrctl.layers.windows_links import LinkKinds

_ROOT_MODE = 0o755
_REFUSALS = {
    *(errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENODATA, errno.ENOSYS),
    *(errno.ERANGE, errno.E2BIG),
}
# Some systems do not support these kinds, or only for root; such files may be omitted.
_OPTIONAL_KINDS = {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE, Kind.SYMLINK}
# Errors of names that are too long, or in an encoding that the file system does not support.
_NAME_ERRORS = {errno.ENAMETOOLONG, errno.EILSEQ}
_DEVELOPER_MODE = (
    "Windows lets only administrators create them, unless you turn on Developer Mode in Settings"
)
# As an unsigned 32-bit number, -1 means that the owner is not changed.
_MAX_ID = 2**32 - 2
_MAX_TIME = 2**62


class Extractor:
    """A sink that creates files in an empty directory, which only the user can access.

    Args:
        root: the directory.
        as_root: whether to set owners and create devices; by default, whether this process is root.
        on_windows: whether names and links must be valid on Windows.
    """

    def __init__(
        self, root: Path, *, as_root: bool | None = None, on_windows: bool = os.name == "nt"
    ) -> None:
        self._root = root
        self._on_windows = on_windows
        self._as_root = _is_root() if as_root is None else as_root
        self._directories: list[Member] = []
        self._paths: list[Path] = []
        self._left_out: dict[tuple[str, str], int] = {}
        self._link_kinds: LinkKinds | None = None
        self._links: list[tuple[str, Member]] = []
        self._has_long_paths = not on_windows or has_long_paths()
        if on_windows:
            from ghcrctl.layers.windows_links import LinkKinds

            self._link_kinds = LinkKinds()

    @property
    def left_out(self) -> list[str]:
        """Descriptions of what the user or the file system does not support."""
        return [
            f"{what} of {count} files" + (f" ({reason})" if reason else "")
            for (what, reason), count in self._left_out.items()
        ]

    def check(self, files: Iterable[tuple[str, Node]]) -> None:
        """Check the names of all files before the first is created.

        Args:
            files: paths and nodes of all files.

        Raises:
            UnsupportedError: the system does not allow one of the names.
        """
        for one, other in similar_paths(self._checked(files)):
            if is_one_file(self._root, one, other):
                raise _clash(one, other)

    def _checked(self, files: Iterable[tuple[str, Node]]) -> Iterator[str]:
        for path, node in files:
            self._place(path, is_directory=node.children is not None)
            yield path

    def add(self, path: str, member: Member, data: Data | None = None) -> None:
        """Create a file.

        Raises:
            UnsupportedError: the system does not allow the name.
            StoreError: the file system does not allow the name.
            OSError: the disk is full, or the file already exists.
        """
        is_directory = member.kind is Kind.DIRECTORY
        place = self._place(path, is_directory=is_directory)
        if self._link_kinds:
            self._link_kinds.add(path, member)
        with _named(path, place):
            if is_directory:
                if path:
                    place.mkdir(mode=0o700)
                self._directories.append(member)
                self._paths.append(place)
            elif self._link_kinds and member.kind is Kind.SYMLINK:
                self._links.append((path, member))
            elif self._make(place, member, data):
                self._finish(place, member)

    def link(self, path: str, first: str, member: Member) -> None:
        """Create a hard link, unless the file itself was omitted."""
        place, other = self._place(path), self._place(first)
        if self._link_kinds and member.kind is Kind.SYMLINK:
            self.add(path, member)
            return
        if member.kind in _OPTIONAL_KINDS and not os.path.lexists(other):
            return
        with _named(path, place):
            if os.link in os.supports_follow_symlinks:
                os.link(other, place, follow_symlinks=False)
            else:
                # On Windows, a hard link to a symbolic link never follows it.
                os.link(other, place)

    def finish(self) -> None:
        """Create the links of Windows, and set modes and times of directories, inner ones first.

        Windows needs to know whether a symbolic link points to a directory. That is only known
        after all files were read, so links are created last.
        """
        for name, link in self._links:
            self._link_on_windows(name, link)
        for path, member in zip(reversed(self._paths), reversed(self._directories), strict=True):
            self._finish(path, member)
        if self._root not in self._paths:
            self._root.chmod(_ROOT_MODE)

    def _place(self, path: str, *, is_directory: bool = False) -> Path:
        place = self._root / path if path else self._root
        reason = windows_name_error(path) if self._on_windows else None
        if reason:
            raise UnsupportedError(
                f"cannot create `{path}`: Windows does not allow this name ({reason})",
                hint="write an archive instead: ghcrctl export -o FILE.tar IMAGE",
            )
        if not self._has_long_paths and is_too_long(place, is_directory=is_directory):
            raise UnsupportedError(
                f"cannot create `{path}`: the path is too long for Windows ({place})",
                hint="use a directory with a shorter path, or turn on LongPathsEnabled in Windows",
            )
        return place

    def _link_on_windows(self, path: str, member: Member) -> None:
        """Create a symbolic link, in the form that Windows resolves."""
        from ghcrctl.layers.windows_links import disk_target

        assert self._link_kinds is not None  # noqa: S101 only Windows keeps links for the end
        target = disk_target(member.target)
        if target is None:
            self._count("symbolic links", "Windows does not allow their targets")
            return
        place = self._place(path)
        is_directory = self._link_kinds.is_directory(path, member.target)
        with _named(path, place):
            if self._try(
                "symbolic links",
                lambda: place.symlink_to(target, target_is_directory=is_directory),
            ):
                self._finish(place, member)

    def _make(self, place: Path, member: Member, data: Data | None) -> bool:
        """Create a file other than a directory; return whether the system supports it."""
        if member.kind is Kind.SYMLINK:
            return self._try("symbolic links", lambda: place.symlink_to(member.target))
        if member.kind is Kind.FILE:
            _write(place, data)
        elif member.kind is Kind.FIFO and hasattr(os, "mkfifo"):
            os.mkfifo(place, 0o600)
        else:
            return self._make_device(place, member)
        return True

    def _make_device(self, place: Path, member: Member) -> bool:
        if not self._as_root:
            self._count("devices")
            return False
        return self._try("devices", lambda: _make_device(place, member))

    def _finish(self, place: Path, member: Member) -> None:
        """Set the metadata of a file; owners first, since changing them clears set-ID bits."""
        mode = member.mode
        if self._as_root:
            self._try("owners", lambda: _set_owner(place, member))
        else:
            mode = self._without_foreign_ids(member)
        for name, value in member.xattrs.items():
            self._set_attribute(place, name, value)
        if member.kind is not Kind.SYMLINK:
            place.chmod(mode)
        time = max(-_MAX_TIME, min(member.mtime, _MAX_TIME))
        follow = os.utime not in os.supports_follow_symlinks
        if not follow or member.kind is not Kind.SYMLINK:
            self._try("times", lambda: os.utime(place, ns=(time, time), follow_symlinks=follow))

    def _without_foreign_ids(self, member: Member) -> int:
        """Return the mode without set-ID bits of another owner.

        Otherwise, others who run the file would get the permissions of this user.
        """
        if self._on_windows:
            # Windows has neither such owners nor such bits, so their loss is not reported.
            return member.mode & 0o777
        own_uid, own_gid = _own_ids()
        if (member.uid, member.gid) != (own_uid, own_gid):
            self._count("owners")
        kept = member.mode
        kept &= ~stat.S_ISUID if member.uid != own_uid else ~0
        kept &= ~stat.S_ISGID if member.gid != own_gid else ~0
        if kept != member.mode:
            self._count("set-ID bits")
        return kept

    def _set_attribute(self, place: Path, name: str, value: bytes) -> None:
        if is_overlay_attribute(name) or not hasattr(os, "setxattr"):
            self._count("extended attributes")
            return
        self._try("extended attributes", lambda: _set_attribute(place, name, value))

    def _try(self, what: str, act: Callable[[], object]) -> bool:
        """Call a function that may be unsupported; return whether it succeeded."""
        reason = ""
        try:
            act()
        except OSError as error:
            if lacks_privilege(error):
                reason = _DEVELOPER_MODE
            elif error.errno not in _REFUSALS:
                raise
        except OverflowError:
            # The number is too large for this system.
            pass
        else:
            return True
        self._count(what, reason)
        return False

    def _count(self, what: str, reason: str = "") -> None:
        self._left_out[what, reason] = self._left_out.get((what, reason), 0) + 1


@contextmanager
def _named(path: str, place: Path) -> Iterator[None]:
    """Add the image's path to errors about file names."""
    try:
        yield
    except OSError as error:
        other = name_on_disk(place) if isinstance(error, FileExistsError) else None
        if other:
            raise _clash(str(PurePosixPath(path).with_name(other)), path) from error
        if error.errno not in _NAME_ERRORS:
            raise
        raise StoreError(f"cannot create `{shortened(path)}`: {error.strerror}") from error


def _clash(one: str, other: str) -> UnsupportedError:
    return UnsupportedError(
        f"cannot create `{shortened(one)}` and `{shortened(other)}`: "
        "this file system does not distinguish these names",
        hint="write an archive instead: ghcrctl export -o FILE.tar IMAGE",
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _set_owner(place: Path, member: Member) -> None:
    if not (0 <= member.uid <= _MAX_ID and 0 <= member.gid <= _MAX_ID):
        raise OverflowError
    if hasattr(os, "chown"):
        os.chown(place, member.uid, member.gid, follow_symlinks=False)


def _set_attribute(place: Path, name: str, value: bytes) -> None:
    if hasattr(os, "setxattr"):
        os.setxattr(place, name, value, follow_symlinks=False)


def _own_ids() -> tuple[int, int]:
    """Return the user and group of this process; -1 if the system has neither."""
    uid = os.getuid() if hasattr(os, "getuid") else -1
    gid = os.getgid() if hasattr(os, "getgid") else -1
    return uid, gid


def _make_device(place: Path, member: Member) -> None:
    kind = stat.S_IFBLK if member.kind is Kind.BLOCK_DEVICE else stat.S_IFCHR
    if sys.platform != "win32":
        os.mknod(place, kind | 0o600, os.makedev(*member.device))


def _write(place: Path, data: Data | None) -> None:
    """Write content; keep holes if the file system supports them."""
    with place.open("xb") as file:
        if data is None:
            return
        for offset, piece in data.pieces():
            file.seek(offset)
            file.write(piece)
        file.truncate(data.size)

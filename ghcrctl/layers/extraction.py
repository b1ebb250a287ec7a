"""A file tree on disk, and nothing outside of it.

What belongs here: making files, and giving them the owners, modes, times and attributes that this
person may give. What does not: which files there are (`flattening`), and where the directory gets
its name (`operations.export`).

Invariant: no path goes through a link. A tree's directories are directories, made here before what
is in them and never over something that is there; every other file is made anew, too. So a file
system that takes two names for one (upper and lower case) ends in an error that names both.
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
    windows_objection,
)
from ghcrctl.oci.quoting import shortened

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
# What some systems have for no one, or for root only: such a file may be left out.
_NOT_EVERYWHERE = {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE, Kind.SYMLINK}
# Errors about a name: too long, or in an encoding that the file system lacks.
_ABOUT_NAMES = {errno.ENAMETOOLONG, errno.EILSEQ}
_DEVELOPER_MODE = (
    "Windows lets only administrators create them, unless you turn on Developer Mode in Settings"
)
# -1, as an unsigned number of 32 bits, leaves an owner as it is.
_LARGEST_ID = 2**32 - 2
_LONGEST_TIME = 2**62


class Extractor:
    """Makes files in a directory that is empty, and that only this person can enter meanwhile.

    Args:
        root: the directory.
        as_root: whether owners and devices are made; by default whether this process may.
        on_windows: whether names must be such as Windows can have, and links as it needs them.
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
        """What this person, or this file system, could not be given, a phrase each."""
        return [
            f"{what} of {count} files" + (f" ({reason})" if reason else "")
            for (what, reason), count in self._left_out.items()
        ]

    def check(self, files: Iterable[tuple[str, Node]]) -> None:
        """Check the names of all files before the first is created.

        Args:
            files: every path with what is there.

        Raises:
            UnsupportedError: this system cannot hold a file under one of the names.
        """
        for one, other in similar_paths(self._checked(files)):
            if is_one_file(self._root, one, other):
                raise _clash(one, other)

    def _checked(self, files: Iterable[tuple[str, Node]]) -> Iterator[str]:
        for path, node in files:
            self._place(path, is_directory=node.children is not None)
            yield path

    def add(self, path: str, member: Member, data: Data | None = None) -> None:
        """Make a file.

        Raises:
            UnsupportedError: this system cannot have a file of that name.
            StoreError: the file system cannot have it.
            OSError: the disk is full, or the file is there already.
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
        """Give a file a further name; where it could not be made, it has none."""
        place, other = self._place(path), self._place(first)
        if self._link_kinds and member.kind is Kind.SYMLINK:
            self.add(path, member)
            return
        if member.kind in _NOT_EVERYWHERE and not os.path.lexists(other):
            return
        with _named(path, place):
            if os.link in os.supports_follow_symlinks:
                os.link(other, place, follow_symlinks=False)
            else:
                # Windows, where a further name is one of the link itself.
                os.link(other, place)

    def finish(self) -> None:
        """Create what needs all other files, and set modes and times of directories.

        Windows needs to know whether a symbolic link points to a directory. That is only known
        after all files were read, so links are created last. Inner directories come before
        outer ones.
        """
        for name, link in self._links:
            self._link_on_windows(name, link)
        for path, member in zip(reversed(self._paths), reversed(self._directories), strict=True):
            self._finish(path, member)
        if self._root not in self._paths:
            self._root.chmod(_ROOT_MODE)

    def _place(self, path: str, *, is_directory: bool = False) -> Path:
        place = self._root / path if path else self._root
        reason = windows_objection(path) if self._on_windows else None
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
        """Make a file that is no directory; tell whether it could be."""
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
        """Set what a file has besides content; owners first, since that takes set-ID bits away."""
        mode = member.mode
        if self._as_root:
            self._try("owners", lambda: _own(place, member))
        else:
            mode = self._without_foreign_ids(member)
        for name, value in member.xattrs.items():
            self._set_attribute(place, name, value)
        if member.kind is not Kind.SYMLINK:
            place.chmod(mode)
        time = max(-_LONGEST_TIME, min(member.mtime, _LONGEST_TIME))
        follow = os.utime not in os.supports_follow_symlinks
        if not follow or member.kind is not Kind.SYMLINK:
            self._try("times", lambda: os.utime(place, ns=(time, time), follow_symlinks=follow))

    def _without_foreign_ids(self, member: Member) -> int:
        """Return a mode that does not make this person's rights those of whoever runs the file."""
        if self._on_windows:
            # No file has such owners and bits there, so none lacks them.
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
        """Do what not every person or file system may; tell whether it was done."""
        reason = ""
        try:
            act()
        except OSError as error:
            if lacks_privilege(error):
                reason = _DEVELOPER_MODE
            elif error.errno not in _REFUSALS:
                raise
        except OverflowError:
            # A number that is larger than any that this system has.
            pass
        else:
            return True
        self._count(what, reason)
        return False

    def _count(self, what: str, reason: str = "") -> None:
        self._left_out[what, reason] = self._left_out.get((what, reason), 0) + 1


@contextmanager
def _named(path: str, place: Path) -> Iterator[None]:
    """Name the file of the image in errors about its name."""
    try:
        yield
    except OSError as error:
        other = name_on_disk(place) if isinstance(error, FileExistsError) else None
        if other:
            raise _clash(str(PurePosixPath(path).with_name(other)), path) from error
        if error.errno not in _ABOUT_NAMES:
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


def _own(place: Path, member: Member) -> None:
    if not (0 <= member.uid <= _LARGEST_ID and 0 <= member.gid <= _LARGEST_ID):
        raise OverflowError
    if hasattr(os, "chown"):
        os.chown(place, member.uid, member.gid, follow_symlinks=False)


def _set_attribute(place: Path, name: str, value: bytes) -> None:
    if hasattr(os, "setxattr"):
        os.setxattr(place, name, value, follow_symlinks=False)


def _own_ids() -> tuple[int, int]:
    """Return the user and group of this process; -1 where a system has neither."""
    uid = os.getuid() if hasattr(os, "getuid") else -1
    gid = os.getgid() if hasattr(os, "getgid") else -1
    return uid, gid


def _make_device(place: Path, member: Member) -> None:
    kind = stat.S_IFBLK if member.kind is Kind.BLOCK_DEVICE else stat.S_IFCHR
    if sys.platform != "win32":
        os.mknod(place, kind | 0o600, os.makedev(*member.device))


def _write(place: Path, data: Data | None) -> None:
    """Write content; holes stay holes where the file system has them."""
    with place.open("xb") as file:
        if data is None:
            return
        for offset, piece in data.pieces():
            file.seek(offset)
            file.write(piece)
        file.truncate(data.size)

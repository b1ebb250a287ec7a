"""Write an artifact's files below a directory safely.

Attack: a name such as `../.bashrc`, or an existing link in the directory, redirects content.
Decision: all names are checked before anything is written, and no parent directory of a file may be
    outside the user's directory. Exception: the directory itself may be a link.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.disk.durability import make_directories
from ghcrctl.disk.name_clashes import is_one_file, similar_paths
from ghcrctl.disk.removal import remove
from ghcrctl.errors import RefusedError
from ghcrctl.layers.windows_names import windows_name_error
from ghcrctl.oci.quotes import shortened
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.content.streams import Content

# Limits that Linux, macOS and Windows share (bytes); longer names fail with ENAMETOOLONG.
_LONGEST_PART = 255
_LONGEST_TITLE = 1000
_DEEPEST_TITLE = 50


def target_files(folder: Path, titles: Sequence[str]) -> list[Path]:
    """Return the paths of an artifact's files, in the given order.

    Args:
        folder: the directory; it may not exist yet.
        titles: the names in the artifact.

    Raises:
        RefusedError: a title is outside the directory, is too long, is a parent of another one,
            or names the same file as another one on this file system.
    """
    paths = [file_path(title) for title in titles]
    _check_no_nesting(paths)
    _check_distinct(folder, paths)
    targets = [folder / path for path in paths]
    for target in targets:
        _check_path(folder, target)
    return targets


def file_path(title: str, *, on_windows: bool = os.name == "nt") -> PurePosixPath:
    """Parse the name of a file in an artifact.

    Raises:
        RefusedError: the name is not valid below a directory.
    """
    parts = [part for part in title.split("/") if part not in {"", "."}]
    odd = "\\" in title or "\0" in title or ":" in title
    if title.startswith("/") or ".." in parts or not parts or odd:
        raise _refused(title, "its name may point outside the directory")
    _check_length(title, parts)
    if on_windows and (reason := windows_name_error(title)):
        raise _refused(title, f"Windows does not allow this name ({reason})")
    return PurePosixPath(*parts)


def save_file(content: Content, folder: Path, target: Path) -> None:
    """Write a file and its parent directories; the file appears completely or not at all.

    Raises:
        RefusedError: a link points outside the directory.
        StoreError: the file cannot be written.
    """
    with disk_errors(f"write {target}"):
        make_directories(target.parent)
    _check_path(folder, target)
    if target.is_symlink():
        # Replace the link, as a rename does: its target may belong to others.
        with disk_errors(f"write {target}"):
            remove(target)
    with whole_file(target) as write, content.open() as stream:
        while chunk := stream.read(CHUNK_SIZE):
            write(chunk)


def _check_length(title: str, parts: Sequence[str]) -> None:
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise _refused(title, "it is not valid Unicode") from None
    if max(sizes) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_TITLE:
        limits = f"names of up to {_LONGEST_PART} bytes, and paths of up to {_LONGEST_TITLE}"
        raise _refused(title, f"expected {limits}")
    if len(parts) > _DEEPEST_TITLE:
        raise _refused(title, f"it is in more than {_DEEPEST_TITLE} directories")


def _check_no_nesting(paths: Sequence[PurePosixPath]) -> None:
    """Refuse two files of the same name, and a file that is another one's parent directory."""
    known: set[PurePosixPath] = set()
    for path in paths:
        if path in known:
            raise _refused(str(path), "two files have this name")
        known.add(path)
    for path in paths:
        if found := known.intersection(path.parents):
            raise _refused(str(path), f"`{shortened(str(found.pop()))}` is also a file")


def _check_distinct(folder: Path, paths: Sequence[PurePosixPath]) -> None:
    """Refuse names that are the same file on this file system."""
    for one, other in similar_paths(map(str, paths)):
        if is_one_file(folder, one, other):
            raise _refused(
                other, f"{folder} does not distinguish this name from `{shortened(one)}`"
            )


def _check_path(folder: Path, target: Path) -> None:
    inside = Path(os.path.realpath(folder))
    parent = Path(os.path.realpath(target.parent))
    if not parent.is_relative_to(inside):
        raise RefusedError(
            f"cannot write {target}: a link leads out of {folder}, to {parent}",
            hint="choose another directory: --to DIR",
        )
    if target.is_dir() and not target.is_symlink():
        raise RefusedError(f"cannot write {target}: it is a directory")
    for way in (parent, *parent.parents):
        if way == inside:
            return
        if os.path.lexists(way) and not way.is_dir():
            raise RefusedError(f"cannot write {target}: {way} is not a directory")


def _refused(title: str, why: str) -> RefusedError:
    return RefusedError(f"cannot write the artifact's file `{shortened(title)}`: {why}")

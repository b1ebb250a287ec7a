"""File names that some file systems do not distinguish.

macOS and Windows ignore case, and macOS also ignores Unicode normalization. There, the second
of two such files would replace the first one.
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def folded(name: str) -> str:
    """Return a form that is equal for names that some file system does not distinguish."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def similar_paths(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of paths, or of parent directories, that differ only in case or normalization.

    Args:
        paths: relative paths with slashes.
    """
    first: dict[str, str] = {}
    reported: set[str] = set()
    for path in paths:
        for part in _with_parents(path):
            other = first.setdefault(folded(part), part)
            if other == part:
                # The parents of a known path have already been compared.
                if part != path:
                    break
            elif _name(other) != _name(part) and part not in reported:
                reported.add(part)
                yield other, part


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def is_one_file(folder: Path, one: str, other: str) -> bool:
    """Check whether a file system treats two file names as the same.

    Args:
        folder: a directory on that file system; it need not exist.
        one: a relative path with slashes.
        other: another one, with a different last component.
    """
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    try:
        probe = Path(tempfile.mkdtemp(prefix=".ghcrctl-", dir=folder))
    except OSError:
        # The directory is not writable, so neither file will be created.
        return False
    try:
        return _is_taken(probe, _name(one), _name(other))
    finally:
        remove_tree(probe)


def _is_taken(probe: Path, one: str, other: str) -> bool:
    try:
        with (probe / one).open("xb"):
            pass
        with (probe / other).open("xb"):
            return False
    except FileExistsError:
        return True
    except OSError:
        # An invalid name is reported when it is used.
        return False


def name_on_disk(path: Path) -> str | None:
    """Return the name of the existing file that the file system treats as the same, if any.

    Args:
        path: a path that could not be created because it exists.
    """
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 names
    except OSError:
        return None
    wanted = folded(path.name)
    return next((name for name in names if name != path.name and folded(name) == wanted), None)

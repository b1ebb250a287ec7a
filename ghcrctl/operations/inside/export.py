"""Export: an image's files as one archive, or in a directory.

What belongs here: reading the layers twice, once for what there is and once for the content, and
making the result visible as a whole or not at all. What does not: making single files (``layers``).
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import move
from ghcrctl.disk.removal import remove_directory, remove_tree
from ghcrctl.errors import RefusedError
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.flatten_layers import Sink, flatten
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.operations.inside.image_layers import look_into, unwatched
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import check_output_directory
from ghcrctl.store.scratch import held, scratch_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.layers.merged_tree import Node
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import Progress, Wanted


def export_archive(
    session: Session,
    wanted: Wanted,
    write: Callable[[bytes], object],
    progress: Progress = unwatched,
) -> None:
    """Write an image's files as a tar archive, the same bytes for the same image.

    Args:
        session: the run.
        wanted: the image.
        write: takes the bytes. All layers were verified before it gets the first.
        progress: is told how many bytes of all layers were read before, and how many there are.

    Raises:
        NotFoundError: there is no such image.
        IntegrityError: a layer is damaged.
    """
    writer = TarWriter(write)
    _export(session, wanted, writer, progress)
    writer.finish()


def export_directory(
    session: Session, wanted: Wanted, target: Path, progress: Progress = unwatched
) -> None:
    """Put an image's files into a directory, and nothing outside of it.

    They are made beside it: it gets its name when it is whole. What this person may not give them
    (owners, devices, set-ID bits, attributes) is left out, with one warning.

    Args:
        session: the run.
        wanted: the image.
        target: a directory that is empty, or not there yet.
        progress: is told how many bytes of all layers were read before, and how many there are.

    Raises:
        RefusedError: there is something already.
        NotFoundError: there is no such image.
        IntegrityError: a layer is damaged.
        StoreError: the disk is full, or there is no permission.
    """
    require_vacant(target)
    with disk_errors(f"write {target}"), _aside(target) as folder:
        extractor = Extractor(folder)
        _export(session, wanted, extractor, progress, check=extractor.check)
        extractor.finish()
    if extractor.left_out:
        session.warn(f"left out in {target}: {', '.join(extractor.left_out)}")


def require_vacant(target: Path) -> None:
    """Check that a directory is empty, or that nothing has its name.

    Raises:
        UsageError: the path or a part of it is a file.
        RefusedError: there is something already.
    """
    if target.is_symlink() and not target.exists():
        raise RefusedError(f"cannot write to {target}: it is a symbolic link to a missing target")
    check_output_directory(target)
    with disk_errors(f"read {target}"):
        if target.exists() and any(target.iterdir()):
            raise RefusedError(
                f"the directory {target} is not empty", hint="name one that is not there yet"
            )


def _export(
    session: Session,
    wanted: Wanted,
    sink: Sink,
    progress: Progress,
    *,
    check: Callable[[Iterator[tuple[str, Node]]], None] | None = None,
) -> None:
    with look_into(session, wanted, twice=True, progress=progress) as layers:
        tree = Tree(layers.limits)
        for number in range(len(layers)):
            tree.apply(number, layers.members(number))
        if check:
            check(tree.walk())
        flatten(tree, layers.walk, sink)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give a directory that takes the target's place when all went well, and is gone if not."""
    target = Path(os.path.abspath(target))  # noqa: PTH100 links in it stay as they are
    is_fixed = target.is_dir() and _is_fixed(target)
    folder = scratch_beside(target / target.name if is_fixed else target)
    if not is_fixed:
        target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        with held(folder):
            yield folder
        if is_fixed:
            _move_up(folder, target)
        else:
            if os.name == "nt" and target.exists():
                remove_directory(target)
            move(folder, target)
    except BaseException:
        remove_tree(folder)
        raise


def _is_fixed(target: Path) -> bool:
    """Tell whether another directory cannot take the place of this one."""
    is_mount = os.path.ismount(target)
    is_link = target.is_symlink()
    return is_link or is_mount or _is_here(target) or not os.access(target.parent, os.W_OK)


def _is_here(target: Path) -> bool:
    """Return whether a directory is the current one, whatever links lead to it."""
    try:
        return target.samefile(os.curdir)
    except OSError:
        # The current directory was deleted.
        return False


def _move_up(folder: Path, target: Path) -> None:
    """Move all files one directory up, or none of them."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o700)
    with ExitStack() as undo:
        for path in list(folder.iterdir()):
            undo.callback(remove_tree, target / path.name)
            _move_one(path, target / path.name)
        remove_directory(folder)
        target.chmod(mode)
        undo.pop_all()


def _move_one(path: Path, place: Path) -> None:
    own = path.lstat().st_mode
    if stat.S_ISDIR(own):
        # Moving a directory writes into it.
        path.chmod(0o700)
    move(path, place)
    if stat.S_ISDIR(own):
        place.chmod(stat.S_IMODE(own))

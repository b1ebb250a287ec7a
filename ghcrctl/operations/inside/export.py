"""Export an image's files to an archive or a directory.

Layers are read twice: once for the list of files, and once for their content. The result appears
completely or not at all.
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
from ghcrctl.operations.inside.image_layers import no_progress, open_layers
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import check_output_directory
from ghcrctl.store.scratch import held, scratch_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.layers.merged_tree import Node
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import ImageSelector, Progress


def export_archive(
    session: Session,
    wanted: ImageSelector,
    write: Callable[[bytes], object],
    progress: Progress = no_progress,
) -> None:
    """Write an image's files as a reproducible tar archive.

    Args:
        session: the run.
        wanted: the image.
        write: receives the bytes; it is first called when all layers are verified.
        progress: receives the bytes of layers read so far, and the total.

    Raises:
        NotFoundError: the image does not exist.
        IntegrityError: a layer is damaged.
    """
    writer = TarWriter(write)
    _export(session, wanted, writer, progress)
    writer.finish()


def export_directory(
    session: Session, wanted: ImageSelector, target: Path, progress: Progress = no_progress
) -> None:
    """Extract an image's files into a directory, and never outside of it.

    The files are written next to the directory, which is then replaced as a whole. Owners, devices,
    set-ID bits and attributes that this user cannot set are skipped, with one warning.

    Args:
        session: the run.
        wanted: the image.
        target: an empty or new directory.
        progress: receives the bytes of layers read so far, and the total.

    Raises:
        RefusedError: the directory is not empty.
        NotFoundError: the image does not exist.
        IntegrityError: a layer is damaged.
        StoreError: the disk is full, or access is denied.
    """
    require_empty_directory(target)
    with disk_errors(f"write {target}"), _staging_directory(target) as folder:
        extractor = Extractor(folder)
        _export(session, wanted, extractor, progress, check=extractor.check)
        extractor.finish()
    if extractor.left_out:
        session.warn(f"skipped in {target}: {', '.join(extractor.left_out)}")


def require_empty_directory(target: Path) -> None:
    """Check that a directory is empty or does not exist.

    Raises:
        UsageError: the path or a part of it is a file.
        RefusedError: the directory is not empty.
    """
    if target.is_symlink() and not target.exists():
        raise RefusedError(f"cannot write to {target}: it is a symbolic link to a missing target")
    check_output_directory(target)
    with disk_errors(f"read {target}"):
        if target.exists() and any(target.iterdir()):
            raise RefusedError(
                f"the directory {target} is not empty", hint="use a new or empty directory"
            )


def _export(
    session: Session,
    wanted: ImageSelector,
    sink: Sink,
    progress: Progress,
    *,
    check: Callable[[Iterator[tuple[str, Node]]], None] | None = None,
) -> None:
    with open_layers(session, wanted, twice=True, progress=progress) as layers:
        tree = Tree(layers.limits)
        for number in range(len(layers)):
            tree.apply(number, layers.members(number))
        if check:
            check(tree.walk())
        flatten(tree, layers.walk, sink)


@contextmanager
def _staging_directory(target: Path) -> Iterator[Path]:
    """Yield a directory that replaces the target on success, and is deleted on failure."""
    target = Path(os.path.abspath(target))  # noqa: PTH100 keep symbolic links
    cannot_be_replaced = target.is_dir() and _cannot_be_replaced(target)
    folder = scratch_beside(target / target.name if cannot_be_replaced else target)
    if not cannot_be_replaced:
        target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        with held(folder):
            yield folder
        if cannot_be_replaced:
            _move_up(folder, target)
        else:
            if os.name == "nt" and target.exists():
                remove_directory(target)
            move(folder, target)
    except BaseException:
        remove_tree(folder)
        raise


def _cannot_be_replaced(target: Path) -> bool:
    """Return whether a directory cannot be replaced by another one."""
    is_mount = os.path.ismount(target)
    is_link = target.is_symlink()
    return (
        is_link
        or is_mount
        or _is_current_directory(target)
        or not os.access(target.parent, os.W_OK)
    )


def _is_current_directory(target: Path) -> bool:
    """Return whether a directory is the current one, even through links."""
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
        # Moving a directory writes to it.
        path.chmod(0o700)
    move(path, place)
    if stat.S_ISDIR(own):
        place.chmod(stat.S_IMODE(own))

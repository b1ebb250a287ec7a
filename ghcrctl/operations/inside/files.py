"""List and read single files of images, reading only the layers that are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError, RefusedError
from ghcrctl.layers.layered_view import LayeredView, NoSuchPathError
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import walk_below
from ghcrctl.operations.inside.image_layers import no_progress, open_layers
from ghcrctl.transfer.error_context import error_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ghcrctl.layers.layered_view import Found
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import ImageSelector, Layers, Progress


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a list.

    Args:
        name: its path relative to the listed directory.
        path: its absolute path in the image.
        member: its entry in the layer.
    """

    name: str
    path: str
    member: Member


def list_files(
    session: Session,
    wanted: ImageSelector,
    path: str = "/",
    *,
    recursive: bool = False,
    progress: Progress = no_progress,
) -> list[FileRow]:
    """List a directory, sorted by name; for any other file, list the file itself.

    Args:
        session: the run.
        wanted: the image.
        path: a path from the image's root; links are followed as in a container.
        recursive: whether to list subdirectories too.
        progress: receives the bytes of layers read so far, and the maximum.

    Raises:
        NotFoundError: the image or the path does not exist.
        IntegrityError: a layer that had to be read is damaged.
    """
    with _missing_path_context(wanted), open_layers(session, wanted, progress=progress) as layers:
        view = LayeredView(len(layers), layers.members, layers.limits)
        found = view.find_with_entries(path, everything=recursive)
    if found.node.children is None:
        return [FileRow(path, f"/{found.path}", _member(found))]
    return list(_list_rows(found, recursive=recursive))


def _missing_path_context(wanted: ImageSelector) -> AbstractContextManager[None]:
    """Add the image, and a hint that lists its files, to the error for a missing path."""
    remote = "--remote " if wanted.is_remote else ""
    return error_context(wanted.text, NoSuchPathError, hint=f"ghcrctl ls {remote}{wanted.text} /")


def _list_rows(found: Found, *, recursive: bool) -> Iterator[FileRow]:
    skipped = len(found.path) + 1 if found.path else 0
    if recursive:
        below = walk_below(found.path, found.node)
        next(below)
    else:
        children = sorted((found.node.children or {}).items())
        here = f"{found.path}/" if found.path else ""
        below = ((f"{here}{name}", node) for name, node in children if not node.is_deleted)
    for path, node in below:
        member = node.member or Member(path, Kind.DIRECTORY)
        yield FileRow(path[skipped:], f"/{path}", member)


def _member(found: Found) -> Member:
    return found.node.member or Member(found.path, Kind.DIRECTORY)


def read_file(
    session: Session,
    wanted: ImageSelector,
    path: str,
    write: Callable[[bytes], object],
    progress: Progress = no_progress,
) -> None:
    """Read a file.

    Args:
        session: the run.
        wanted: the image.
        path: a path from the image's root; links are followed as in a container.
        write: receives the content; it is first called when the file's layer is verified.
        progress: receives the bytes of layers read so far, and the maximum.

    Raises:
        NotFoundError: the image or the path does not exist.
        RefusedError: the path is not a regular file.
        IntegrityError: a layer that had to be read is damaged.
    """
    opened = open_layers(session, wanted, twice=True, progress=progress)
    with _missing_path_context(wanted), opened as layers:
        found = LayeredView(len(layers), layers.members, layers.limits).find(path)
        member = _member(found)
        if member.kind is not Kind.FILE:
            raise RefusedError(
                f"`{path}` is a {member.kind.value}, not a regular file",
                hint=f"ghcrctl ls {wanted.text} {path}"
                if found.node.children is not None
                else None,
            )
        if member.size:
            for chunk in _content(layers, found.node.layer, member):
                write(chunk)


def _content(layers: Layers, layer: int, member: Member) -> Iterator[bytes]:
    """Yield a file's content. The layer stays open until the generator is closed."""
    for entry in layers.walk(layer):
        if entry.member.number == member.number and entry.member.path == member.path:
            yield from entry.data.chunks()
            return
    raise IntegrityError("a layer changed while it was read")

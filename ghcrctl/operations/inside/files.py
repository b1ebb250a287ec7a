"""Single files of images: listing them, reading one.

What belongs here: asking a `View` that reads only the layers it must. What does not: how paths are
followed and layers put together (``layers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError, RefusedError
from ghcrctl.layers.layered_view import NoSuchPathError, View
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import walk_below
from ghcrctl.operations.inside.image_layers import look_into, unwatched
from ghcrctl.transfer.error_context import about

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ghcrctl.layers.layered_view import Found
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import Layers, Progress, Wanted


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a listing.

    Args:
        name: as it is listed: from the directory that was asked for.
        path: from the root, with a slash in front.
        member: what its layer says of it.
    """

    name: str
    path: str
    member: Member


def list_files(
    session: Session,
    wanted: Wanted,
    path: str = "/",
    *,
    recursive: bool = False,
    progress: Progress = unwatched,
) -> list[FileRow]:
    """List a directory, sorted by name; of a file that is none list itself.

    Args:
        session: the run.
        wanted: the image.
        path: from the image's root; links are followed as in a container.
        recursive: whether all levels below are listed.
        progress: is told how many bytes of layers were read, and how many there are at most.

    Raises:
        NotFoundError: there is no such image, or no such path in it.
        IntegrityError: a layer that had to be read is damaged.
    """
    with _named(wanted), look_into(session, wanted, progress=progress) as layers:
        view = View(len(layers), layers.members, layers.limits)
        found = view.open_up(path, everything=recursive)
    if found.node.children is None:
        return [FileRow(path, f"/{found.path}", _member(found))]
    return list(_listed(found, recursive=recursive))


def _named(wanted: Wanted) -> AbstractContextManager[None]:
    """Say of which image it is that there is no such path, and how to see what there is."""
    remote = "--remote " if wanted.is_remote else ""
    return about(wanted.text, NoSuchPathError, hint=f"ghcrctl ls {remote}{wanted.text} /")


def _listed(found: Found, *, recursive: bool) -> Iterator[FileRow]:
    skipped = len(found.path) + 1 if found.path else 0
    if recursive:
        below = walk_below(found.path, found.node)
        next(below)
    else:
        children = sorted((found.node.children or {}).items())
        here = f"{found.path}/" if found.path else ""
        below = ((f"{here}{name}", node) for name, node in children if not node.is_gone)
    for path, node in below:
        member = node.member or Member(path, Kind.DIRECTORY)
        yield FileRow(path[skipped:], f"/{path}", member)


def _member(found: Found) -> Member:
    return found.node.member or Member(found.path, Kind.DIRECTORY)


def read_file(
    session: Session,
    wanted: Wanted,
    path: str,
    write: Callable[[bytes], object],
    progress: Progress = unwatched,
) -> None:
    """Read a file.

    Args:
        session: the run.
        wanted: the image.
        path: from the image's root; links are followed as in a container.
        write: takes the content. All of the file's layer was verified before it gets the first
            byte.
        progress: is told how many bytes of layers were read, and how many there are at most.

    Raises:
        NotFoundError: there is no such image, or no such path in it.
        RefusedError: it is no file with content.
        IntegrityError: a layer that had to be read is damaged.
    """
    looking = look_into(session, wanted, twice=True, progress=progress)
    with _named(wanted), looking as layers:
        found = View(len(layers), layers.members, layers.limits).find(path)
        member = _member(found)
        if member.kind is not Kind.FILE:
            raise RefusedError(
                f"`{path}` is a {member.kind.value}, not a file with content",
                hint=f"ghcrctl ls {wanted.text} {path}"
                if found.node.children is not None
                else None,
            )
        if member.size:
            for chunk in _content(layers, found.node.layer, member):
                write(chunk)


def _content(layers: Layers, layer: int, member: Member) -> Iterator[bytes]:
    """Yield a file's content; what reads the layer lives as long as this."""
    for entry in layers.walk(layer):
        if entry.member.number == member.number and entry.member.path == member.path:
            yield from entry.data.chunks()
            return
    raise IntegrityError("a layer has changed while it was read")

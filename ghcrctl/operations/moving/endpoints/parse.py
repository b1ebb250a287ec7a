"""How people write the ends of a copy.

What belongs here: the grammar, and what is said where somebody means another program's. What does
not: the ends themselves (``ends``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidReferenceError, UsageError
from ghcrctl.operations.common.find import is_full_id
from ghcrctl.operations.moving.endpoints.engine import EngineEnd
from ghcrctl.operations.moving.endpoints.files import ArchiveEnd, LayoutEnd
from ghcrctl.operations.moving.endpoints.registry import RegistryEnd
from ghcrctl.operations.moving.endpoints.store import StoreEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import End

# What other programs write in the same place, and what is meant by it here.
_OTHERS = {
    "docker://": "leave it out: a name with a registry is an image there",
    "docker-archive:": "write archive:FILE",
    "oci-archive:": "write archive:FILE",
    "containers-storage:": "write archive:FILE, for what `podman save` makes",
}
# What a path of Windows begins with.
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_FILE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2")


def parse_end(session: Session, text: str) -> End:
    """Read an end: ``oci:``, ``archive:``, ``docker-daemon:``, ``store:`` or a reference.

    What stands before the first colon decides, so that a registry called ``oci`` must be written
    with its domain. A name of one component is one of the local store.

    Raises:
        UsageError: it is none.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind in _KINDS:
        return _KINDS[kind](session, rest)
    _refuse_others(text)
    if text.endswith("/"):
        return RegistryEnd.namespace(session, text)
    reference = None if is_full_id(text) else session.parse(text)
    if reference is None or reference.is_local:
        return StoreEnd(reference, text)
    return RegistryEnd(reference)


_KINDS: dict[str, Callable[[Session, str], End]] = {
    "oci": lambda _, text: LayoutEnd.parse(text),
    "archive": ArchiveEnd.parse,
    "docker-daemon": EngineEnd.parse,
    "store": StoreEnd.parse,
}


def _refuse_others(text: str) -> None:
    """Say what is meant by what other programs would understand, and by paths."""
    for prefix, hint in _OTHERS.items():
        if text.startswith(prefix):
            raise InvalidReferenceError(f"`{prefix}` is no kind of place here", hint=hint)
    if text.startswith((".", "/", "~")) or _DRIVE.match(text) or _is_like_a_file(text):
        raise InvalidReferenceError(
            f"`{text}` looks like a file, but would be read as a name",
            hint=f"write archive:{text}, or oci:{text} for a directory",
        )


def _is_like_a_file(text: str) -> bool:
    has_registry = "/" in text and set(text.partition("/")[0]) & set(".:")
    return ":" not in text and not has_registry and text.lower().endswith(_FILE_ENDINGS)


def check_several(sources: Sequence[End], target: End) -> None:
    """Make sure that each of several images gets a name of its own.

    Raises:
        UsageError: the target is one image, or two sources would be called the same there.
    """
    if len(sources) < 2:
        return
    if not target.takes_several:
        raise UsageError(
            "several images cannot all be copied to one name",
            hint="name a repository without a tag, or a namespace that ends in `/`",
        )
    taken: dict[str, str] = {}
    for source in sources:
        if source.known is None:
            continue
        found = target.target(source.known, None)
        if found.names and found.shown in taken:
            raise UsageError(
                f"{taken[found.shown]} and {source.known.reference} would both be copied to "
                f"{found.shown}"
            )
        taken[found.shown] = str(source.known.reference)

"""Parse the endpoints of a copy, and suggest our notation in place of other programs'."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidReferenceError, UsageError
from ghcrctl.operations.common.find import is_full_id
from ghcrctl.operations.moving.endpoints.engine import EngineEndpoint
from ghcrctl.operations.moving.endpoints.files import ArchiveEndpoint, LayoutEndpoint
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from ghcrctl.operations.moving.endpoints.store import StoreEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import Endpoint

# The notation of other programs, and a hint with ours.
_FOREIGN_NOTATION = {
    "docker://": "omit it: a name with a registry is an image there",
    "docker-archive:": "use archive:FILE",
    "oci-archive:": "use archive:FILE",
    "containers-storage:": "run `podman save`, then use archive:FILE",
}
# The start of a Windows path.
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_FILE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2")


def parse_endpoint(session: Session, text: str) -> Endpoint:
    """Parse an endpoint: ``oci:``, ``archive:``, ``docker-daemon:``, ``store:`` or a reference.

    The text before the first colon decides, so a registry called ``oci`` needs its domain. A
    one-part name belongs to the local store.

    Raises:
        UsageError: the text is not an endpoint.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind in _PARSERS:
        return _PARSERS[kind](session, rest)
    _reject_foreign_notation(text)
    if text.endswith("/"):
        return RegistryEndpoint.namespace(session, text)
    reference = None if is_full_id(text) else session.parse(text)
    if reference is None or reference.is_local:
        return StoreEndpoint(reference, text)
    return RegistryEndpoint(reference)


_PARSERS: dict[str, Callable[[Session, str], Endpoint]] = {
    "oci": lambda _, text: LayoutEndpoint.parse(text),
    "archive": ArchiveEndpoint.parse,
    "docker-daemon": EngineEndpoint.parse,
    "store": StoreEndpoint.parse,
}


def _reject_foreign_notation(text: str) -> None:
    """Raise an error with a hint for other programs' notation and for paths."""
    for prefix, hint in _FOREIGN_NOTATION.items():
        if text.startswith(prefix):
            raise InvalidReferenceError(f"`{prefix}` is not supported", hint=hint)
    if text.startswith((".", "/", "~")) or _DRIVE.match(text) or _looks_like_file(text):
        raise InvalidReferenceError(
            f"`{text}` looks like a file, but would be read as a name",
            hint=f"use archive:{text}, or oci:{text} for a directory",
        )


def _looks_like_file(text: str) -> bool:
    has_registry = "/" in text and set(text.partition("/")[0]) & set(".:")
    return ":" not in text and not has_registry and text.lower().endswith(_FILE_ENDINGS)


def check_distinct_names(sources: Sequence[Endpoint], target: Endpoint) -> None:
    """Check that each of multiple images gets its own name at the target.

    Raises:
        UsageError: the target is a single image, or two sources would get the same name.
    """
    if len(sources) < 2:
        return
    if not target.takes_multiple:
        raise UsageError(
            "cannot copy several images to one name",
            hint="use a repository without a tag, or a namespace that ends in `/`",
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

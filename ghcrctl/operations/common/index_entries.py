"""Find and change entries of an index, and build an index from entries."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    GhcrctlError,
    InvalidDigestError,
    InvalidPlatformError,
    InvalidReferenceError,
    PlatformNotFoundError,
    UsageError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.store.place import StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A change to an entry of an index, or to the index itself.

    ``None`` leaves a field unchanged.

    Args:
        annotations: annotations to add or replace; an empty value removes one.
        platform: the new platform.
        os_version: the new ``os.version``.
        os: the new ``os``.
        architecture: the new ``architecture``.
        variant: the new ``variant``.
        os_features: the new ``os.features``.
    """

    annotations: Mapping[str, str]
    platform: Platform | None = None
    os_version: str | None = None
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_features: tuple[str, ...] | None = None

    @property
    def has_platform(self) -> bool:
        """Whether any field of the platform changes."""
        fields = (self.os, self.architecture, self.variant, self.os_version, self.os_features)
        return self.platform is not None or any(field is not None for field in fields)


def check_platforms(target: Reference, entries: Sequence[Descriptor]) -> None:
    """Check that no two images of an index are for the same platform.

    Raises:
        UsageError: two images are for the same platform.
    """
    listed = [entry.platform for entry in entries if not is_attestation(entry)]
    twice = {str(p) for p in listed if p is not None and listed.count(p) > 1}
    if twice:
        raise UsageError(
            f"two images are for {' and '.join(sorted(twice))}",
            hint=f"ghcrctl manifest annotate --arch ARCH {target} IMAGE",
        )


def build_index(
    entries: Sequence[Descriptor], annotations: Mapping[str, str]
) -> tuple[MemoryPlace, Descriptor]:
    """Build an index, in Docker's format if all its images are; return its place and root."""
    docker = not annotations and all(e.media_type == media_types.DOCKER_MANIFEST for e in entries)
    kind = media_types.DOCKER_LIST if docker else media_types.OCI_INDEX
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "manifests": [entry.to_json() for entry in entries],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    memory = MemoryPlace("a new index")
    return memory, memory.add(json.dumps(document, indent=3).encode(), kind)


def find_entries(
    session: Session,
    entries: Sequence[Descriptor],
    text: str,
    *,
    sources: Mapping[str, Sequence[Digest]] | None = None,
    local: bool = False,
) -> set[Digest]:
    """Return the entries that match a platform, a digest or the name of an image.

    Args:
        session: the run.
        entries: the entries of the index.
        text: the platform, digest or name.
        sources: the digests of entries, by the reference that added them.
        local: whether names are resolved in the local store.

    Raises:
        PlatformNotFoundError: no entry matches.
    """
    found = _find_by_digest(entries, text) or _find_by_name(session, text, sources or {})
    if not found:
        try:
            wanted = Platform.parse(text)
        except InvalidPlatformError:
            found = _find_by_current_digest(session, entries, text, local=local)
        else:
            found = {e.digest for e in entries if e.platform and wanted.selects(e.platform)}
    if not found:
        offered = ", ".join(str(e.platform or e.digest) for e in entries)
        raise PlatformNotFoundError(
            f"entry `{text}` not found in the index", hint=f"its entries: {offered}"
        )
    return found


def _find_by_digest(entries: Sequence[Descriptor], text: str) -> set[Digest]:
    try:
        digest = Digest.parse(text.rpartition("@")[2])
    except InvalidDigestError:
        return set()
    return {entry.digest for entry in entries if entry.digest == digest}


def _find_by_name(
    session: Session, text: str, sources: Mapping[str, Sequence[Digest]]
) -> set[Digest]:
    try:
        return set(sources.get(str(session.parse(text).tagged()), ()))
    except InvalidReferenceError:
        return set()


def _find_by_current_digest(
    session: Session, entries: Sequence[Descriptor], text: str, *, local: bool
) -> set[Digest]:
    """Return the entries with the digest that a name resolves to now, if it resolves."""
    try:
        reference = session.parse(text).tagged()
        if local or reference.is_local:
            digest = StorePlace(session.store).resolve(str(reference)).digest
        else:
            digest = session.source(reference).resolve(reference.target).digest
    except GhcrctlError:
        return set()
    return {entry.digest for entry in entries if entry.digest == digest}


_KIND, _ATTESTED = "vnd.docker.reference.type", "vnd.docker.reference.digest"


def is_attestation(entry: Descriptor) -> bool:
    """Return whether an entry is an attestation rather than an image."""
    return _KIND in entry.annotations or bool(entry.platform and entry.platform.is_unknown)


def is_attestation_of(entry: Descriptor, gone: Iterable[Digest]) -> bool:
    """Return whether an entry is an attestation of one of these images."""
    return entry.annotations.get(_ATTESTED) in {str(digest) for digest in gone}


def apply_change(entry: Descriptor, change: EntryChange) -> Descriptor:
    """Return an entry with a change applied.

    Raises:
        InvalidPlatformError: the OS or the architecture is missing or unknown.
    """
    annotations = merge_annotations(entry.annotations, change.annotations)
    if not change.has_platform:
        return replace(entry, annotations=annotations)
    old = change.platform or entry.platform or Platform("linux", "")
    new = Platform(
        old.os if change.os is None else change.os,
        old.architecture if change.architecture is None else change.architecture,
        old.variant if change.variant is None else change.variant,
        old.os_version if change.os_version is None else change.os_version,
        old.os_features if change.os_features is None else change.os_features,
    )
    # Keep the variant as given: docker writes `v8`, which containerd's normal form omits.
    Platform.parse(f"{new.os}/{new.architecture}")
    return replace(entry, annotations=annotations, platform=new)


def merge_annotations(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return annotations with others added; an empty value removes one."""
    return {key: value for key, value in {**old, **new}.items() if value}

"""Push and pull artifacts: plain files in a registry, on their own or attached to an image.

The format is the same as in oras: one layer per file, its name in an annotation, no config.
Spec: OCI image spec 1.1, manifest.md, "Guidelines for Artifact Usage".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import CHUNK_SIZE, Content, read_metadata
from ghcrctl.errors import (
    BlobUnknownError,
    ManifestUnknownError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.making.artifact_files import save_file, target_files
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.input_files import find_input, open_input
from ghcrctl.store.output_files import check_output_directory
from ghcrctl.transfer.events import Finished, Outcome, Planned, Progressed, Started, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import Action, Plan, Step, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer

# OCI image spec 1.1, annotations.md.
TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"
DEFAULT_LAYER_TYPE = "application/octet-stream"
# RFC 6838, section 4.2.
_TYPE = re.compile(r"[A-Za-z0-9][\w.+^!#$&-]{0,126}/[A-Za-z0-9][\w.+^!#$&-]{0,126}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file to push. ``title``: its name in the artifact, with forward slashes."""

    path: Path
    media_type: str = DEFAULT_LAYER_TYPE
    title: str = ""

    @classmethod
    def parse(cls, text: str) -> FileEntry:
        """Parse ``FILE`` or ``FILE:TYPE``."""
        path, colon, kind = text.rpartition(":")
        # `C:file` and `a:b` are file names. The suffix is a media type only if it contains a slash
        # and the whole argument is not an existing file.
        if colon and "/" in kind and _TYPE.match(kind) and not os.path.exists(text):  # noqa: PTH110 False if the name is too long
            return cls(Path(path), kind)
        return cls(Path(text))


@dataclass(frozen=True, slots=True)
class Made:
    """An artifact that was pushed. ``subject``: the manifest that it is attached to."""

    reference: Reference
    descriptor: Descriptor
    subject: Descriptor | None = None


class _FileSource:
    """A source of local files by digest."""

    label = "this machine"

    def __init__(self) -> None:
        self._paths: dict[Digest, Path] = {}

    def add(self, path: Path, media_type: str) -> Descriptor:
        """Add a file, reading it once; return its descriptor."""
        hasher, size = hashlib.sha256(), 0
        with open_input(path) as file, disk_errors(f"read {path}"):
            while chunk := file.read(CHUNK_SIZE):
                hasher.update(chunk)
                size += len(chunk)
        digest = Digest("sha256", hasher.hexdigest())
        self._paths[digest] = path
        return Descriptor(media_type, digest, size)

    def resolve(self, name: str) -> Descriptor:
        """Raise ManifestUnknownError: files have no tags."""
        raise ManifestUnknownError(f"{self.label} has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open a file at an offset (bytes)."""
        try:
            path = self._paths[descriptor.digest]
        except KeyError:
            raise BlobUnknownError(f"{self.label} has no {descriptor.digest}") from None
        with disk_errors(f"read {path}"):
            file = path.open("rb")
            file.seek(offset)
            return file


def push_artifact(
    session: Session,
    target: Reference,
    files: Sequence[FileEntry],
    artifact_type: str,
    *,
    annotations: Mapping[str, str],
    observer: Observer = ignore,
) -> Made:
    """Push files as one artifact with a tag.

    Args:
        session: the run.
        target: the name; ``latest`` is the default tag.
        files: the files; at least one.
        artifact_type: the media type of the artifact.
        annotations: annotations of the artifact.
        observer: receives progress events.

    Raises:
        UsageError: no file is given, two files have the same title, or the media type is invalid.
        StoreError: a file cannot be read.
    """
    _check_type(artifact_type)
    target = target.tagged()
    if target.digest:
        raise UsageError(f"cannot push to `{target}`: expected a tag, not a digest")
    descriptor = _push(
        session,
        target,
        files,
        artifact_type,
        annotations=annotations,
        subject=None,
        observer=observer,
    )
    return Made(target, descriptor)


def attach(
    session: Session,
    subject: Reference,
    files: Sequence[FileEntry],
    artifact_type: str,
    *,
    annotations: Mapping[str, str],
    observer: Observer = ignore,
) -> Made:
    """Push files as one artifact that refers to an image; it has no tag of its own.

    Args: see `push_artifact`; ``subject`` is the image.

    Raises:
        NotFoundError: the image does not exist.
        UsageError: as in `push_artifact`.
    """
    _check_type(artifact_type)
    root = session.repository(subject).resolve(subject.tagged().target)
    bare = Descriptor(root.media_type, root.digest, root.size)
    target = replace(subject, tag=None, digest=None)
    descriptor = _push(
        session,
        target,
        files,
        artifact_type,
        annotations=annotations,
        subject=bare,
        observer=observer,
    )
    return Made(target.with_digest(descriptor.digest), descriptor, bare)


def _check_type(text: str) -> None:
    if not _TYPE.match(text):
        raise UsageError(f"invalid media type `{text}`: expected TYPE/SUBTYPE")


def _push(  # noqa: PLR0913 the parts of a manifest
    session: Session,
    target: Reference,
    files: Sequence[FileEntry],
    artifact_type: str,
    *,
    annotations: Mapping[str, str],
    subject: Descriptor | None,
    observer: Observer,
) -> Descriptor:
    source, place = _FileSource(), MemoryPlace("a new artifact")
    layers = [_layer(source, entry) for entry in files]
    titles = [layer.annotations[TITLE] for layer in layers]
    if not layers or len(set(titles)) < len(titles):
        raise UsageError("an artifact needs at least one file, and each needs its own name")
    config = place.add(b"{}", media_types.OCI_EMPTY)
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
        **({"subject": subject.to_json()} if subject else {}),
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    raw = json.dumps(manifest, separators=(",", ":")).encode()
    root = place.add(raw, media_types.OCI_MANIFEST)
    sink = session.repository(target)
    names = (target.tag,) if target.tag else ()
    plan = make_plan(Overlay(place, source), sink, root, names=names, jobs=session.jobs)
    with session.workers() as workers:
        execute(plan, TransferOptions(workers, session.retry), observer)
    return root


def _layer(source: _FileSource, entry: FileEntry) -> Descriptor:
    if stat.S_ISDIR(find_input(entry.path).st_mode):
        raise UnsupportedError(
            f"cannot push {entry.path}: it is a directory",
            hint=f"tar -czf {entry.path.name}.tar.gz {entry.path}",
        )
    title = entry.title or entry.path.name
    return replace(source.add(entry.path, entry.media_type), annotations={TITLE: title})


def pull_artifact(
    session: Session, reference: Reference, folder: Path, observer: Observer = ignore
) -> list[Path]:
    """Write an artifact's files to a folder.

    Args:
        session: the run.
        reference: the artifact.
        folder: the folder; created if missing. Files of the same names are replaced.
        observer: receives progress events.

    Returns:
        The files, in the order of the artifact.

    Raises:
        UnsupportedError: the image is not an artifact of files.
        RefusedError: a file's name is too long, or is outside the folder, possibly through a link.
    """
    check_output_directory(folder)
    reference = reference.tagged()
    source = session.source(reference)
    root = source.resolve(reference.target)
    manifest = parse(read_metadata(source, root), root.media_type)
    layers = manifest.layers if isinstance(manifest, Manifest) else ()
    named = [layer for layer in layers if TITLE in layer.annotations]
    if not named:
        raise UnsupportedError(
            f"cannot write the files of {reference}: it is not an artifact of named files",
            hint=f"ghcrctl pull {reference}",
        )
    targets = target_files(folder, [layer.annotations[TITLE] for layer in named])
    steps = [Step(layer, Action.COPY, is_layer=True) for layer in named]
    observer(Planned(Plan(source, MemoryPlace(str(folder)), root, tuple(steps))))
    for step, target in zip(steps, targets, strict=True):
        observer(Started(step))
        content = Content(source, step.descriptor, watch=partial(_report_position, observer, step))
        session.with_retries(partial(save_file, content, folder, target))
        observer(Finished(step, Outcome.COPIED))
    return targets


def _report_position(observer: Observer, step: Step, position: int) -> None:
    observer(Progressed(step, position))

"""Change the config and annotations of an image, or append layers, without running anything.

An image is never changed in place: a new image gets the name.
"""

from __future__ import annotations

import json
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import IntegrityError, StoreError, UnsupportedError
from ghcrctl.layers.directory_tar import TreeStream
from ghcrctl.oci import media_types
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.operations.common.new_layer import StagedLayer, rfc3339, store_layer
from ghcrctl.operations.common.platform_check import warn_of_mismatch
from ghcrctl.operations.making.destination import choose_destination, deliver
from ghcrctl.operations.making.dockerfile_changes import apply_changes
from ghcrctl.operations.making.indexes import open_source
from ghcrctl.store.input_files import find_input, open_input
from ghcrctl.store.scratch import scratch_directory
from ghcrctl.transfer.error_context import error_context
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.new_layer import NewLayer
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.transfer.events import Observer


@dataclass(frozen=True, slots=True)
class Mutation:
    """Changes of an image.

    Args:
        changes: Dockerfile instructions for the config.
        annotations: annotations of the manifest; an empty value removes one.
        layers: directories and tar archives to append as layers, lowest first.
        platforms: the images of an index to change; by default, all.
        message: the comment in the history.
        created: the creation time, with a time zone, and the latest time of files in new layers.
    """

    changes: tuple[str, ...] = ()
    annotations: Mapping[str, str] | None = None
    layers: tuple[Path, ...] = ()
    platforms: tuple[Platform, ...] = ()
    message: str = ""
    created: datetime | None = None


def mutate(
    session: Session,
    source: IndexTarget,
    target: IndexTarget | None,
    mutation: Mutation,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Create an image by changing another one.

    Args:
        session: the run.
        source: the image; all platforms of an index, unless some are selected.
        target: the name of the new image; without it, the new image gets no tag.
        mutation: the changes.
        observer: receives progress events.
        replace: move the source's tag to the new image.

    Raises:
        UsageError: a change is malformed.
        UnsupportedError: the source is not a container image.
        NotFoundError: the image does not exist, or not for a selected platform.
        StoreError: a file cannot be read.
    """
    destination = choose_destination(source, target, replace=replace)
    with ExitStack() as closing:
        folder = closing.enter_context(scratch_directory())
        origin, name = open_source(session, source, is_replaced=replace)
        root = origin.resolve(name)
        memory = MemoryPlace("the new image")
        place: Source = Overlay(memory, origin)
        layers: list[NewLayer] = []
        staged: list[StagedLayer] = []
        for number, path in enumerate(mutation.layers):
            layer_path = folder / str(number)
            layers.append(_create_layer(path, layer_path, mutation.created))
            staged.append(StagedLayer(layer_path, layers[-1].descriptor))
            place = Overlay(staged[-1], place)
        return deliver(
            session,
            place,
            _DocumentBuilder(place, memory, mutation, layers, session.warn).make(root),
            destination,
            source=source,
            old=root,
            new_content=(memory, *staged),
            observer=observer,
        )


def _create_layer(path: Path, layer_path: Path, created: datetime | None) -> NewLayer:
    """Create a layer from a directory or an archive."""
    latest = int(created.timestamp()) if created else None
    is_directory = stat.S_ISDIR(find_input(path).st_mode)
    try:
        if is_directory:
            return store_layer(TreeStream(path, latest=latest), layer_path)
        with error_context(str(path), IntegrityError), open_input(path) as file:
            return store_layer(file, layer_path)
    except OSError as error:
        place = error.filename or path
        raise StoreError(f"cannot read {place}: {error.strerror or error}") from None


class _DocumentBuilder:
    """Builds the new documents of an image, or of all images of an index."""

    def __init__(
        self,
        place: Source,
        memory: MemoryPlace,
        mutation: Mutation,
        layers: Sequence[NewLayer],
        warn: Callable[[str], None],
    ) -> None:
        self._warn = warn
        self._place = place
        self._memory = memory
        self._mutation = mutation
        self._layers = layers
        self._moment = rfc3339(mutation.created or datetime.now(timezone.utc))

    def make(self, root: Descriptor) -> Descriptor:
        """Return the new root; its documents are in memory."""
        parsed = self._read(root)
        if isinstance(parsed, Index):
            return self._index(parsed)
        warn_of_mismatch(self._warn, self._place, parsed, self._mutation.platforms)
        return self._image(parsed)

    def _read(self, descriptor: Descriptor) -> Index | Manifest:
        return parse(read_metadata(self._place, descriptor), descriptor.media_type)

    def _entry(self, entry: Descriptor) -> Descriptor:
        parsed = self._read(entry)
        return self._index(parsed) if isinstance(parsed, Index) else self._image(parsed)

    def _index(self, index: Index) -> Descriptor:
        wanted = self._mutation.platforms
        if len(wanted) == 1:
            return self._entry(index.subset(wanted).manifests[0])
        if wanted:
            index = index.subset(wanted)
        entries = []
        for entry in index.manifests:
            if entry.annotations.get("vnd.docker.reference.type"):
                # Drop it: an attestation of the original image does not apply to the new one.
                continue
            new = self._entry(entry)
            entries.append(changed(entry, digest=new.digest, size=new.size))
        document = json.loads(index.raw) | {"manifests": [entry.to_json() for entry in entries]}
        return self._write(document, index.descriptor.media_type)

    def _image(self, manifest: Manifest) -> Descriptor:
        if not manifest.is_image:
            raise UnsupportedError(
                f"{manifest.descriptor.digest} is not a container image: {manifest.kind}"
            )
        config = json.loads(read_metadata(self._place, manifest.config))
        raw = json.dumps(self._config(config), sort_keys=True, separators=(",", ":")).encode()
        described = self._memory.add(raw, manifest.config.media_type)
        document = json.loads(manifest.raw)
        document["config"] = {**document["config"], **described.to_json()}
        oci = manifest.descriptor.media_type == media_types.OCI_MANIFEST
        document["layers"] = [
            *(document.get("layers") or []),
            *map(_layer_describer(oci=oci), self._layers),
        ]
        annotations = {**manifest.annotations, **(self._mutation.annotations or {})}
        document["annotations"] = {key: value for key, value in annotations.items() if value}
        if not document["annotations"]:
            del document["annotations"]
        return self._write(document, manifest.descriptor.media_type)

    def _config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the new config (OCI image spec 1.1, config.md)."""
        mutation = self._mutation
        rootfs = config.get("rootfs") or {}
        diff_ids = [
            *(rootfs.get("diff_ids") or []),
            *(str(layer.diff_id) for layer in self._layers),
        ]
        history = list(config.get("history") or [])
        history += [self._step(f"ghcrctl append {path.name}") for path in mutation.layers]
        history += [{**self._step(change), "empty_layer": True} for change in mutation.changes]
        return {
            **config,
            "created": self._moment,
            "config": apply_changes(config.get("config") or {}, mutation.changes),
            "rootfs": {"type": "layers", **rootfs, "diff_ids": diff_ids},
            "history": history,
        }

    def _step(self, made_by: str) -> dict[str, Any]:
        comment = {"comment": self._mutation.message} if self._mutation.message else {}
        return {"created": self._moment, "created_by": made_by, **comment}

    def _write(self, document: dict[str, Any], media_type: str) -> Descriptor:
        return self._memory.add(json.dumps(document, indent=2).encode(), media_type)


def _layer_describer(*, oci: bool) -> Any:
    """Return a function that describes a new layer in an OCI or Docker manifest."""
    kind = media_types.OCI_LAYER_GZIP if oci else media_types.DOCKER_LAYER_GZIP

    def describe(layer: NewLayer) -> dict[str, Any]:
        return changed(layer.descriptor, media_type=kind).to_json()

    return describe

"""Flatten an image: squash all of its layers into one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.layers.flatten_layers import flatten
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.oci.descriptor import string_map
from ghcrctl.operations.common.new_layer import rfc3339
from ghcrctl.operations.inside.image_layers import Layers
from ghcrctl.operations.making.base_images import BASE_DIGEST, BASE_NAME
from ghcrctl.operations.making.derive import (
    ImageDerivation,
    read_config,
    write_changed,
    write_config,
)
from ghcrctl.operations.making.destination import choose_destination, deliver
from ghcrctl.operations.making.indexes import open_source
from ghcrctl.operations.making.media_formats import format_of
from ghcrctl.operations.making.staged_layers import CompressionOptions, StagedLayers
from ghcrctl.store.scratch import scratch_directory
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.config import ImageConfig
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.new_layer import NewLayer
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.derive import Document
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.operations.making.staged_layers import WriteBytes
    from ghcrctl.transfer.events import Observer


@dataclass(frozen=True, slots=True)
class FlattenOptions:
    """Options of flattening.

    Args:
        how: the compression of the layer.
        platforms: the images of an index to flatten; by default, all.
        message: the comment in the history.
        created: the creation time, with a time zone; by default, that of the original image.
    """

    how: CompressionOptions = field(default_factory=CompressionOptions)
    platforms: tuple[Platform, ...] = ()
    message: str = ""
    created: datetime | None = None


def flatten_image(
    session: Session,
    source: IndexTarget,
    target: IndexTarget | None,
    flattening: FlattenOptions,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Create an image with one layer and the same files.

    The same image always gives the same result, whether local or at a registry. Attestations of the
    original image are dropped with a warning.

    Args:
        session: the run.
        source: the image; all platforms of an index, unless some are selected.
        target: the name of the new image; without it, the new image gets no tag.
        flattening: the options.
        observer: receives progress events.
        replace: move the source's tag to the new image.

    Raises:
        UnsupportedError: the source is not a container image, or the compression is not supported.
        NotFoundError: the image does not exist, or not for a selected platform.
        IntegrityError: a layer is damaged; no name is changed.
    """
    destination = choose_destination(source, target, replace=replace)
    origin, name = open_source(session, source, is_replaced=replace)
    root = origin.resolve(name)
    with scratch_directory() as folder:
        memory, packed = MemoryPlace("the new image"), StagedLayers(folder)
        change = _FlattenChange(
            session, origin, flattening, memory, packed, is_remote=not source.local
        )
        derivation = ImageDerivation(
            Overlay(memory, origin), memory, change, flattening.platforms, warn=session.warn
        )
        new = derivation.make(root)
        place = Overlay(memory, Overlay(packed, origin))
        done = deliver(
            session,
            place,
            new,
            destination,
            source=source,
            old=root,
            new_content=(memory, packed),
            observer=observer,
        )
    warn_of_attestations(session, derivation)
    return done


def warn_of_attestations(session: Session, derivation: ImageDerivation) -> None:
    """Warn if attestations were dropped."""
    if count := derivation.attestations_left_out:
        which = "an attestation" if count == 1 else f"{count} attestations"
        session.warn(f"dropped {which} of the original image")


class _FlattenChange:
    """Flattens each image."""

    keeps_attestations = False

    def __init__(
        self,
        session: Session,
        origin: Source,
        wanted: FlattenOptions,
        memory: MemoryPlace,
        packed: StagedLayers,
        *,
        is_remote: bool,
    ) -> None:
        self._session = session
        self._origin = origin
        self._wanted = wanted
        self._memory = memory
        self._packed = packed
        self._is_remote = is_remote

    def index(self, _: Index, document: Document) -> Document:
        return without_base(document)

    def image(self, manifest: Manifest) -> Descriptor:
        config, _ = read_config(self._origin, manifest)
        layer = self._layer(manifest, config)
        if [layer.descriptor.digest] == [each.digest for each in manifest.layers]:
            # It already has a single layer.
            return manifest.descriptor
        document: Document = json.loads(manifest.raw)
        new = self._config(manifest, config, layer)
        document["config"] = write_config(self._memory, manifest, config, new)
        document["layers"] = [layer.descriptor.to_json()]
        return write_changed(self._memory, manifest, without_base(document))

    def _layer(self, manifest: Manifest, config: ImageConfig) -> NewLayer:
        how = self._wanted.how
        media_type = how.layer_type(format_of(manifest.descriptor.media_type))
        with scratch_directory() as folder:
            again = folder if self._is_remote else None
            layers = Layers(self._session, self._origin, manifest, config, again=again)
            tree = Tree(layers.limits)
            for number in range(len(layers)):
                tree.apply(number, layers.members(number))

            def fill(take: WriteBytes) -> None:
                writer = TarWriter(take)
                flatten(tree, layers.walk, writer)
                writer.finish()

            return self._packed.pack(fill, how, media_type)

    def _config(self, manifest: Manifest, config: ImageConfig, layer: NewLayer) -> Document:
        """Return the new config (OCI image spec 1.1, config.md)."""
        created = self._wanted.created
        timestamp = rfc3339(created) if created else config.created
        time = {"created": timestamp} if timestamp else {}
        count = len(manifest.layers)
        step = {
            **time,
            "created_by": f"ghcrctl flatten {manifest.descriptor.digest}",
            "comment": self._wanted.message or f"{count} layer{'s' * (count != 1)} squashed",
        }
        rootfs = {"type": "layers", "diff_ids": [str(layer.diff_id)]}
        return {**config.data, **time, "rootfs": rootfs, "history": [step]}


def without_base(document: Document) -> Document:
    """Return a manifest or an index without the annotations of its base."""
    original = string_map(document.get("annotations"))
    annotations = {k: v for k, v in original.items() if k not in {BASE_NAME, BASE_DIGEST}}
    if annotations == original:
        return document
    rest = {key: value for key, value in document.items() if key != "annotations"}
    return {**rest, "annotations": annotations} if annotations else rest

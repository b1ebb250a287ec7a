"""Flatten: an image whose layers become one.

What belongs here: the one layer and the documents around it. What does not: what all layers come to
(``layers``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.layers.flatten_layers import flatten
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.oci.descriptor import string_map
from ghcrctl.operations.common.new_layer import rfc3339
from ghcrctl.operations.inside.image_layers import Layers
from ghcrctl.operations.making.base_images import BASE_DIGEST, BASE_NAME
from ghcrctl.operations.making.derive import (
    Remaking,
    read_config,
    write_anew,
    write_config,
)
from ghcrctl.operations.making.destination import deliver, destination_of
from ghcrctl.operations.making.indexes import source_of
from ghcrctl.operations.making.media_formats import format_of
from ghcrctl.operations.making.staged_layers import HowToPack, PackedLayers
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
    from ghcrctl.operations.making.indexes import End, NewImage
    from ghcrctl.operations.making.staged_layers import Take
    from ghcrctl.transfer.events import Observer


@dataclass(frozen=True, slots=True)
class Flattening:
    """How an image is flattened.

    Args:
        how: how the one layer is packed.
        platforms: which images of an index are flattened; all without any.
        message: the comment in the history.
        created: aware; without it the new image says the time that the old one said.
    """

    how: HowToPack = field(default_factory=HowToPack)
    platforms: tuple[Platform, ...] = ()
    message: str = ""
    created: datetime | None = None


def flatten_image(
    session: Session,
    source: End,
    target: End | None,
    flattening: Flattening,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Make an image of one layer, with the same files, of another one.

    The same image becomes the same, wherever it is. What attests the old one is left out, with a
    warning.

    Args:
        session: the run.
        source: the image; all platforms of an index, unless some are chosen.
        target: the name of the new one; without it the new one gets no tag.
        flattening: how.
        observer: watches what moves.
        replace: move the source's tag to the new one.

    Raises:
        UnsupportedError: the source is no container image, or the layer cannot be packed so.
        NotFoundError: there is no such image, or not for a platform.
        IntegrityError: a layer is damaged; nothing is named.
    """
    destination = destination_of(source, target, replace=replace)
    origin, name = source_of(session, source, is_replaced=replace)
    root = origin.resolve(name)
    with scratch_directory() as folder:
        made, packed = MemoryPlace("made here"), PackedLayers(folder)
        change = _Flattening(session, origin, flattening, made, packed, is_remote=not source.local)
        remaking = Remaking(
            Overlay(made, origin), made, change, flattening.platforms, warn=session.warn
        )
        new = remaking.make(root)
        place = Overlay(made, Overlay(packed, origin))
        done = deliver(
            session,
            place,
            new,
            destination,
            source=source,
            old=root,
            made=(made, packed),
            observer=observer,
        )
    warn_of_attestations(session, remaking)
    return done


def warn_of_attestations(session: Session, remaking: Remaking) -> None:
    """Tell that attestations were left out."""
    if count := remaking.attestations_left_out:
        which = "an attestation, which is" if count == 1 else f"{count} attestations, which are"
        session.warn(f"left out {which} about the image as it was")


class _Flattening:
    """What becomes of each image."""

    keeps_attestations = False

    def __init__(
        self,
        session: Session,
        origin: Source,
        wanted: Flattening,
        made: MemoryPlace,
        packed: PackedLayers,
        *,
        is_remote: bool,
    ) -> None:
        self._session = session
        self._origin = origin
        self._wanted = wanted
        self._made = made
        self._packed = packed
        self._is_remote = is_remote

    def index(self, _: Index, document: Document) -> Document:
        return without_base(document)

    def image(self, manifest: Manifest) -> Descriptor:
        config, _ = read_config(self._origin, manifest)
        layer = self._layer(manifest, config)
        if [layer.descriptor.digest] == [each.digest for each in manifest.layers]:
            # It was flat already.
            return manifest.descriptor
        document: Document = json.loads(manifest.raw)
        new = self._config(manifest, config, layer)
        document["config"] = write_config(self._made, manifest, config, new)
        document["layers"] = [layer.descriptor.to_json()]
        return write_anew(self._made, manifest, without_base(document))

    def _layer(self, manifest: Manifest, config: ImageConfig) -> NewLayer:
        how = self._wanted.how
        media_type = how.layer_type(format_of(manifest.descriptor.media_type))
        with scratch_directory() as folder:
            again = folder if self._is_remote else None
            layers = Layers(self._session, self._origin, manifest, config, again=again)
            tree = Tree(layers.limits)
            for number in range(len(layers)):
                tree.apply(number, layers.members(number))

            def fill(take: Take) -> None:
                writer = TarWriter(take)
                flatten(tree, layers.walk, writer)
                writer.finish()

            return self._packed.pack(fill, how, media_type)

    def _config(self, manifest: Manifest, config: ImageConfig, layer: NewLayer) -> Document:
        """Return the new config (OCI image spec 1.1, config.md)."""
        created = self._wanted.created
        moment = rfc3339(created) if created else config.created
        time = {"created": moment} if moment else {}
        count = len(manifest.layers)
        step = {
            **time,
            "created_by": f"ghcrctl flatten {manifest.descriptor.digest}",
            "comment": self._wanted.message or f"{count} layer{'s' * (count != 1)} made one",
        }
        rootfs = {"type": "layers", "diff_ids": [str(layer.diff_id)]}
        return {**config.data, **time, "rootfs": rootfs, "history": [step]}


def without_base(document: Document) -> Document:
    """Return a manifest or an index that does not say what it is based on."""
    said = string_map(document.get("annotations"))
    annotations = {k: v for k, v in said.items() if k not in {BASE_NAME, BASE_DIGEST}}
    if annotations == said:
        return document
    rest = {key: value for key, value in document.items() if key != "annotations"}
    return {**rest, "annotations": annotations} if annotations else rest

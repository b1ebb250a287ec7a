"""Convert: the same image in the other format, or with layers packed otherwise.

What belongs here: the documents in the other format, and which layers are packed anew. What does
not: the media types (``formats``), packing (``repacking``).

The config is kept byte for byte, and with it the image ID: what is inside the layers stays what it
is, which is checked.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import GhcrctlError, UnsupportedError, UsageError
from ghcrctl.oci.descriptor import string_map
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.making.derive import (
    ATTESTATION,
    ATTESTED,
    Remaking,
    has_files,
    read_config,
    write_anew,
)
from ghcrctl.operations.making.destination import deliver, destination_of
from ghcrctl.operations.making.indexes import source_of
from ghcrctl.operations.making.media_formats import (
    Format,
    LayerKind,
    document_type,
    format_of,
    layer_kind,
    layer_type,
)
from ghcrctl.operations.making.recompress import Repacking
from ghcrctl.operations.making.staged_layers import HowToPack, PackedLayers, how_to_pack
from ghcrctl.registry.referrers import referrers_tag
from ghcrctl.store.scratch import scratch_directory
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.content.ports import Source
    from ghcrctl.layers.compression import Compression
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.derive import Document
    from ghcrctl.operations.making.indexes import End, NewImage
    from ghcrctl.transfer.events import Observer

# What some builders write of a layer's packed bytes, which does not hold of other packed bytes.
_OF_PACKED_BYTES = (
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
    "io.github.containers.zstd-chunked.",
)
_UNKNOWN_TO_DOCKER = ("annotations", "artifactType", "subject")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What becomes different.

    Args:
        to: whose media types the image has from now on; those it has without it.
        compression: how its layers are packed from now on; as they are without it.
        level: how hard; the usual level without it.
        force: pack layers anew that are packed so already, for the level's sake.
    """

    to: Format | None = None
    compression: Compression | None = None
    level: int | None = None
    force: bool = False


def read_conversion(
    to: Format | str | None,
    compress: Compression | str | None,
    level: int | None,
    *,
    force: bool = False,
) -> Conversion | None:
    """Put together what the options say; ``None`` where they say nothing.

    Raises:
        UsageError: an option says how something is done that is not asked for.
    """
    how = how_to_pack(compress, level)
    if force and how is None:
        raise UsageError("--force needs --compress, which says how layers are packed")
    if to is None and how is None:
        return None
    return Conversion(
        to=Format(to) if to else None,
        compression=how.compression if how else None,
        level=level,
        force=force,
    )


def convert_image(
    session: Session,
    source: End,
    target: End | None,
    conversion: Conversion,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Convert an image where it is, or into another place.

    Args:
        session: the run; it is warned of what is lost, and of signatures that no longer fit.
        source: the image; of an index all of it.
        target: the name of the new one; without it the new one gets no tag.
        conversion: what becomes different.
        observer: watches what moves.
        replace: move the source's tag to the new one.

    Raises:
        NotFoundError: there is no such image.
        GhcrctlError: as of `convert`.
    """
    destination = destination_of(source, target, replace=replace)
    origin, name = source_of(session, source, is_replaced=replace)
    root = origin.resolve(name)
    with scratch_directory() as folder:
        place, new = convert(session, origin, root, conversion, folder, observer)
        done = deliver(
            session,
            place,
            new,
            destination,
            source=source,
            old=root,
            made=(PackedLayers(folder),),
            observer=observer,
        )
    if new.digest != root.digest and not source.local:
        _warn_of_signatures(session, source, root.digest)
    return done


def convert(
    session: Session,
    source: Source,
    root: Descriptor,
    conversion: Conversion,
    folder: Path,
    observer: Observer = ignore,
) -> tuple[Source, Descriptor]:
    """Convert an image, or all images of an index. Nothing is stored but what is in the folder.

    What attests an image stays byte for byte, and is said to be of the new digest in the index;
    other artifacts stay as they are. What is so already has the same digest afterwards.

    Args:
        session: the run; it is warned of what the other format has no place for.
        source: where the image is.
        root: the image.
        conversion: what becomes different.
        folder: empty, and there until the image was moved; gets layers that are packed anew.
        observer: watches layers being packed.

    Returns:
        A source that has all of the new image, and its root.

    Raises:
        UnsupportedError: the format has no media type for a layer, or the root is an artifact,
            which docker's format does not know.
        UsageError: there is no such level.
        IntegrityError: a layer is damaged, or not what the config says.
    """
    parsed = parse(read_metadata(source, root), root.media_type)
    is_artifact = isinstance(parsed, Manifest) and not has_files(parsed)
    if is_artifact and conversion.to is not Format.DOCKER:
        return source, root
    made, packed = MemoryPlace("what is made here"), PackedLayers(folder)
    place = Overlay(made, Overlay(packed, source))
    repacking = None
    if conversion.compression:
        how = HowToPack(conversion.compression, conversion.level)
        repacking = Repacking(session, source, packed, how, observer)
    change = _Converting(place, made, conversion, repacking)
    new = Remaking(place, made, change, warn=session.warn).make(root)
    if change.left_out:
        what = ", ".join(sorted(change.left_out))
        session.warn(f"left out what docker's format has no place for: {what}")
    return place, new


class _Converting:
    """What becomes of each image and index."""

    keeps_attestations = True

    def __init__(
        self,
        place: Source,
        made: MemoryPlace,
        conversion: Conversion,
        repacking: Repacking | None,
    ) -> None:
        self._place = place
        self._made = made
        self._conversion = conversion
        self._repacking = repacking
        self.left_out: set[str] = set()

    def index(self, index: Index, document: Document) -> Document:
        to = self._conversion.to
        if to is None or format_of(index.descriptor.media_type) is to:
            return document
        document = {**document, "mediaType": document_type(index.descriptor.media_type, to)}
        if to is Format.DOCKER:
            document = self._for_docker(document)
            document["manifests"] = [self._for_docker(entry) for entry in document["manifests"]]
        return document

    def image(self, manifest: Manifest) -> Descriptor:
        old = format_of(manifest.descriptor.media_type)
        to = self._conversion.to or old
        types = [self._layer_type(layer, to) for layer in manifest.layers]
        new = self._repack(manifest)
        document: Document = json.loads(manifest.raw)
        document["layers"] = [
            _described(said, media_type, new.get(layer.digest))
            for said, media_type, layer in zip(
                document.get("layers") or [], types, manifest.layers, strict=True
            )
        ]
        if to is not old:
            said = document["config"]
            media_type = document_type(said["mediaType"], to)
            document["mediaType"] = document_type(manifest.descriptor.media_type, to)
            document["config"] = {**said, "mediaType": media_type}
        if to is Format.DOCKER and to is not old:
            document = self._for_docker(document)
            document["config"] = self._for_docker(document["config"])
            document["layers"] = [self._for_docker(layer) for layer in document["layers"]]
        return write_anew(self._made, manifest, document)

    def _layer_type(self, layer: Descriptor, to: Format) -> str:
        """Return the media type that a layer will have."""
        kind = layer_kind(layer.media_type)
        if kind is None:
            if self._conversion.to is Format.DOCKER:
                raise UnsupportedError(
                    f"the layer {layer.digest} is of the type {layer.media_type}, which docker's "
                    "format does not know"
                )
            return layer.media_type
        if self._is_repacked(layer) and self._conversion.compression:
            kind = LayerKind(self._conversion.compression)
        elif self._conversion.to is None:
            return layer.media_type
        return layer_type(kind, to, layer)

    def _is_repacked(self, layer: Descriptor) -> bool:
        kind = layer_kind(layer.media_type)
        wanted = self._conversion.compression
        if kind is None or kind.is_foreign or wanted is None:
            return False
        return self._conversion.force or kind.compression is not wanted

    def _repack(self, manifest: Manifest) -> dict[Digest, Descriptor]:
        """Return the layers that are packed anew, by the digests of the old."""
        if self._repacking is None or not any(map(self._is_repacked, manifest.layers)):
            return {}
        _, diff_ids = read_config(self._place, manifest)
        both = zip(manifest.layers, diff_ids, strict=True)
        return self._repacking.repack([pair for pair in both if self._is_repacked(pair[0])])

    def _for_docker(self, said: Document) -> Document:
        """Leave out what docker's documents do not have, but for what tells attestations."""
        kept = {key: value for key, value in said.items() if key not in _UNKNOWN_TO_DOCKER}
        annotations = string_map(said.get("annotations"))
        telling = {key: annotations[key] for key in (ATTESTATION, ATTESTED) if key in annotations}
        if telling:
            kept["annotations"] = telling
        if len(telling) < len(annotations):
            self.left_out.add("annotations")
        self.left_out.update(key for key in _UNKNOWN_TO_DOCKER[1:] if said.get(key))
        return kept


def _described(said: Document, media_type: str, new: Descriptor | None) -> Document:
    """Describe a layer in a manifest."""
    if new is None or str(new.digest) == said["digest"]:
        return said if said["mediaType"] == media_type else {**said, "mediaType": media_type}
    annotations = {
        key: value
        for key, value in string_map(said.get("annotations")).items()
        if not key.startswith(_OF_PACKED_BYTES)
    }
    # Neither other addresses nor content that stands in the manifest itself are of the new bytes.
    described = {"mediaType": media_type, "digest": str(new.digest), "size": new.size}
    return {**described, "annotations": annotations} if annotations else described


def _warn_of_signatures(session: Session, source: End, old: Digest) -> None:
    """Tell that what signs the old image does not sign the new one, where there is something."""
    repository = session.source(source.reference)
    count = 0
    # It was converted, whatever the registry says now.
    with suppress(GhcrctlError):
        count += len(repository.referrers(old))
    for suffix in (".sig", ".att", ".sbom"):
        with suppress(GhcrctlError):
            repository.digest_of(f"{referrers_tag(old)}{suffix}")
            count += 1
    if count:
        session.warn(
            f"signatures and other referrers of {old} do not fit the new image; there are {count}"
        )

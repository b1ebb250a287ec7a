"""Convert an image to the other format, or recompress its layers.

The config is kept byte for byte, and so is the image ID. The uncompressed content of layers is
verified to be unchanged.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import GhcrctlError, UnsupportedError, UsageError
from ghcrctl.oci.descriptor import string_map
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.making.derive import (
    ATTESTATION,
    ATTESTED,
    ImageDerivation,
    has_files,
    read_config,
    write_changed,
)
from ghcrctl.operations.making.destination import choose_destination, deliver
from ghcrctl.operations.making.indexes import open_source
from ghcrctl.operations.making.media_formats import (
    Format,
    LayerKind,
    document_type,
    format_of,
    layer_kind,
    layer_type,
)
from ghcrctl.operations.making.recompress import Recompressor
from ghcrctl.operations.making.staged_layers import (
    CompressionOptions,
    StagedLayers,
    read_compression_options,
)
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
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.transfer.events import Observer

# Prefixes of annotations that describe compressed bytes, and do not apply to other bytes.
_COMPRESSION_ANNOTATIONS = (
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
    "io.github.containers.zstd-chunked.",
)
_UNKNOWN_TO_DOCKER = ("annotations", "artifactType", "subject")


@dataclass(frozen=True, slots=True)
class Conversion:
    """Options of a conversion.

    Args:
        to: the format to convert to; by default, unchanged.
        compression: the compression of layers; by default, unchanged.
        level: the compression level; by default, the format's own.
        force: recompress layers that already have this compression, to change the level.
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
    """Build a conversion from options; return ``None`` if none is given.

    Raises:
        UsageError: --force or a level is given without a compression.
    """
    how = read_compression_options(compress, level)
    if force and how is None:
        raise UsageError("--force requires --compress")
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
    source: IndexTarget,
    target: IndexTarget | None,
    conversion: Conversion,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Convert an image in its place, or into another place.

    Args:
        session: the run; warns of dropped data, and of signatures that no longer match.
        source: the image, or an index, of which all images are converted.
        target: the name of the new image; without it, the new image gets no tag.
        conversion: the options.
        observer: receives progress events.
        replace: move the source's tag to the new image.

    Raises:
        NotFoundError: the image does not exist.
        GhcrctlError: as in `convert`.
    """
    destination = choose_destination(source, target, replace=replace)
    origin, name = open_source(session, source, is_replaced=replace)
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
            new_content=(StagedLayers(folder),),
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
    """Convert an image, or all images of an index. Only the folder is written to.

    Attestations are kept byte for byte, and the index then links them to the new digests. Other
    artifacts are unchanged. An image that needs no conversion keeps its digest.

    Args:
        session: the run; warns of data that the other format cannot hold.
        source: the source of the image.
        root: the image.
        conversion: the options.
        folder: an empty folder for recompressed layers; needed until the image was transferred.
        observer: receives progress events of the recompression.

    Returns:
        A source that has all of the new image, and its root.

    Raises:
        UnsupportedError: the format has no media type for a layer, or the root is an artifact and
            the target is Docker's format.
        UsageError: the compression level is invalid.
        IntegrityError: a layer is damaged, or does not match the config.
    """
    parsed = parse(read_metadata(source, root), root.media_type)
    is_artifact = isinstance(parsed, Manifest) and not has_files(parsed)
    if is_artifact and conversion.to is not Format.DOCKER:
        return source, root
    memory, packed = MemoryPlace("the new image"), StagedLayers(folder)
    place = Overlay(memory, Overlay(packed, source))
    recompressor = None
    if conversion.compression:
        how = CompressionOptions(conversion.compression, conversion.level)
        recompressor = Recompressor(session, source, packed, how, observer)
    change = _ConversionChange(place, memory, conversion, recompressor)
    new = ImageDerivation(place, memory, change, warn=session.warn).make(root)
    if change.left_out:
        what = ", ".join(sorted(change.left_out))
        session.warn(f"dropped data that docker's format cannot hold: {what}")
    return place, new


class _ConversionChange:
    """Converts each image and index."""

    keeps_attestations = True

    def __init__(
        self,
        place: Source,
        memory: MemoryPlace,
        conversion: Conversion,
        recompressor: Recompressor | None,
    ) -> None:
        self._place = place
        self._memory = memory
        self._conversion = conversion
        self._recompressor = recompressor
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
            _layer_json(original, media_type, new.get(layer.digest))
            for original, media_type, layer in zip(
                document.get("layers") or [], types, manifest.layers, strict=True
            )
        ]
        if to is not old:
            original = document["config"]
            media_type = document_type(original["mediaType"], to)
            document["mediaType"] = document_type(manifest.descriptor.media_type, to)
            document["config"] = {**original, "mediaType": media_type}
        if to is Format.DOCKER and to is not old:
            document = self._for_docker(document)
            document["config"] = self._for_docker(document["config"])
            document["layers"] = [self._for_docker(layer) for layer in document["layers"]]
        return write_changed(self._memory, manifest, document)

    def _layer_type(self, layer: Descriptor, to: Format) -> str:
        """Return the new media type of a layer."""
        kind = layer_kind(layer.media_type)
        if kind is None:
            if self._conversion.to is Format.DOCKER:
                raise UnsupportedError(
                    f"cannot convert the layer {layer.digest} to docker's format: unknown media "
                    f"type {layer.media_type}"
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
        """Return the recompressed layers, by the digests of the old ones."""
        if self._recompressor is None or not any(map(self._is_repacked, manifest.layers)):
            return {}
        _, diff_ids = read_config(self._place, manifest)
        both = zip(manifest.layers, diff_ids, strict=True)
        return self._recompressor.repack([pair for pair in both if self._is_repacked(pair[0])])

    def _for_docker(self, original: Document) -> Document:
        """Remove fields that docker's format does not have, except from attestations."""
        kept = {key: value for key, value in original.items() if key not in _UNKNOWN_TO_DOCKER}
        annotations = string_map(original.get("annotations"))
        kept_annotations = {
            key: annotations[key] for key in (ATTESTATION, ATTESTED) if key in annotations
        }
        if kept_annotations:
            kept["annotations"] = kept_annotations
        if len(kept_annotations) < len(annotations):
            self.left_out.add("annotations")
        self.left_out.update(key for key in _UNKNOWN_TO_DOCKER[1:] if original.get(key))
        return kept


def _layer_json(original: Document, media_type: str, new: Descriptor | None) -> Document:
    """Return the description of a layer in a manifest."""
    if new is None or str(new.digest) == original["digest"]:
        return (
            original
            if original["mediaType"] == media_type
            else {**original, "mediaType": media_type}
        )
    annotations = {
        key: value
        for key, value in string_map(original.get("annotations")).items()
        if not key.startswith(_COMPRESSION_ANNOTATIONS)
    }
    # Drop `urls` and `data`: they describe the old bytes.
    described = {"mediaType": media_type, "digest": str(new.digest), "size": new.size}
    return {**described, "annotations": annotations} if annotations else described


def _warn_of_signatures(session: Session, source: IndexTarget, old: Digest) -> None:
    """Warn if the old image has signatures: they do not match the new one."""
    repository = session.source(source.reference)
    count = 0
    # The conversion is complete, so errors are ignored here.
    with suppress(GhcrctlError):
        count += len(repository.referrers(old))
    for suffix in (".sig", ".att", ".sbom"):
        with suppress(GhcrctlError):
            repository.digest_of(f"{referrers_tag(old)}{suffix}")
            count += 1
    if count:
        session.warn(f"{count} signatures and other referrers of {old} do not match the new image")

"""Rebase an image onto a newer base image without building it again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.errors import UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.common.new_layer import rfc3339
from ghcrctl.operations.making.base_images import (
    BASE_DIGEST,
    BASE_NAME,
    BaseImage,
    LayeredImage,
    base_annotations,
    join_histories,
    require_base,
)
from ghcrctl.operations.making.derive import (
    ImageDerivation,
    read_config,
    write_changed,
    write_config,
)
from ghcrctl.operations.making.destination import choose_destination, deliver
from ghcrctl.operations.making.flatten import warn_of_attestations
from ghcrctl.operations.making.indexes import IndexTarget, NewImage, open_source, parse_index_target
from ghcrctl.operations.making.media_formats import Format, format_of, layer_kind, layer_type
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.derive import Document
    from ghcrctl.transfer.events import Observer

_PLATFORM_FIELDS = ("architecture", "os", "os.version", "os.features", "variant")


@dataclass(frozen=True, slots=True)
class RebaseOptions:
    """Options of a rebase.

    Args:
        old_base: the base that the image was built on; by default, the one in its annotations.
        new_base: the new base; by default, the current image with the name in the annotations.
        platforms: the images of an index to rebase; by default, all.
        created: the creation time, with a time zone; by default, that of the original image.
        local: whether bases in annotations are in the local store.
    """

    old_base: IndexTarget | None = None
    new_base: IndexTarget | None = None
    platforms: tuple[Platform, ...] = ()
    created: datetime | None = None
    local: bool = False


def rebase(
    session: Session,
    source: IndexTarget,
    target: IndexTarget | None,
    rebasing: RebaseOptions,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Rebase an image: replace the layers of its old base with those of a new one.

    Attestations of the original image are dropped with a warning.

    Args:
        session: the run.
        source: the image; all platforms of an index, unless some are selected.
        target: the name of the new image; without it, the new image gets no tag.
        rebasing: the options.
        observer: receives progress events.
        replace: move the source's tag to the new image.

    Raises:
        UsageError: the old base is unknown.
        UnsupportedError: the image does not start with the layers of the old base.
        NotFoundError: an image does not exist, or a base lacks a platform of the image.
    """
    destination = choose_destination(source, target, replace=replace)
    origin, name = open_source(session, source, is_replaced=replace)
    root = origin.resolve(name)
    memory = MemoryPlace("the new image")
    change = _RebaseChange(session, origin, rebasing, memory)
    derivation = ImageDerivation(
        Overlay(memory, origin), memory, change, rebasing.platforms, warn=session.warn
    )
    new = derivation.make(root)
    below = change.below
    place = Overlay(
        memory, _CombinedSource(origin, {digest: base.place for digest, base in below.items()})
    )

    def where(digest: Digest) -> IndexTarget:
        return below[digest].end if digest in below else source

    done = deliver(
        session,
        place,
        new,
        destination,
        source=source,
        old=root,
        new_content=(memory,),
        observer=observer,
        origin=where,
    )
    warn_of_attestations(session, derivation)
    return done


class _RebaseChange:
    """Rebases each image."""

    keeps_attestations = False

    def __init__(
        self, session: Session, origin: Source, wanted: RebaseOptions, memory: MemoryPlace
    ) -> None:
        self._session = session
        self._origin = origin
        self._wanted = wanted
        self._memory = memory
        self._bases: dict[IndexTarget, BaseImage] = {}
        self._new_base: BaseImage | None = None
        self.below: dict[Digest, BaseImage] = {}

    def index(self, index: Index, document: Document) -> Document:
        if self._new_base and BASE_NAME in index.annotations:
            original = {**index.annotations, **base_annotations(self._new_base)}
            return {**document, "annotations": original}
        return document

    def image(self, manifest: Manifest) -> Descriptor:
        config, diff_ids = read_config(self._origin, manifest)
        image = LayeredImage(manifest, config, diff_ids)
        old_end, new_end = self._find_bases(manifest)
        old = self._base(old_end).image(config.platform)
        require_base(image, old, old_end)
        base = self._new_base = self._base(new_end)
        new = base.image(config.platform)
        self.below |= {layer.digest: base for layer in new.manifest.layers}
        return self._write(image, old, new, base)

    def _base(self, end: IndexTarget) -> BaseImage:
        if end not in self._bases:
            self._bases[end] = BaseImage(self._session, end)
        return self._bases[end]

    def _find_bases(self, manifest: Manifest) -> tuple[IndexTarget, IndexTarget]:
        """Return the old and the new base: the given ones, or those in annotations."""
        name = manifest.annotations.get(BASE_NAME, "")
        digest = manifest.annotations.get(BASE_DIGEST, "")
        named = parse_index_target(self._session, name, local=self._wanted.local) if name else None
        old, new = self._wanted.old_base, self._wanted.new_base or named
        if old is None and named is not None:
            pinned = named.reference.with_digest(Digest.parse(digest)) if digest else None
            old = IndexTarget(pinned or named.reference, named.local)
        if old is None or new is None:
            missing = "--new-base" if old else "--old-base"
            raise UsageError(
                f"cannot rebase {manifest.descriptor.digest}: its base image is unknown",
                hint=f"add: {missing} NAME",
            )
        return old, new

    def _write(
        self, image: LayeredImage, old: LayeredImage, new: LayeredImage, base: BaseImage
    ) -> Descriptor:
        manifest = image.manifest
        to = format_of(manifest.descriptor.media_type)
        count = len(old.manifest.layers)
        document: Document = json.loads(manifest.raw)
        both = zip(new.layers, new.manifest.layers, strict=True)
        below = new.layers
        if format_of(new.manifest.descriptor.media_type) is not to:
            below = [_in_format(original, layer, to) for original, layer in both]
        document["layers"] = [*below, *image.layers[count:]]
        config = self._config(image, old, new)
        document["config"] = write_config(self._memory, manifest, image.config, config)
        if to is Format.OCI:
            document["annotations"] = {**manifest.annotations, **base_annotations(base)}
        return write_changed(self._memory, manifest, document)

    def _config(self, image: LayeredImage, old: LayeredImage, new: LayeredImage) -> Document:
        """Return the new config: the image's own, with the layers and platform of the new base.

        Spec: OCI image spec 1.1, config.md.
        """
        data: dict[str, Any] = {
            key: value for key, value in image.config.data.items() if key not in _PLATFORM_FIELDS
        }
        platform = {key: new.config.data[key] for key in _PLATFORM_FIELDS if key in new.config.data}
        timestamp = {"created": rfc3339(self._wanted.created)} if self._wanted.created else {}
        diff_ids = [*new.diff_ids, *image.diff_ids[len(old.diff_ids) :]]
        rootfs = {"type": "layers", "diff_ids": [str(each) for each in diff_ids]}
        history = join_histories(image, old, new)
        steps = {"history": history} if history else {}
        data.pop("history", None)
        return {**data, **platform, **timestamp, "rootfs": rootfs, **steps}


def _in_format(original: Document, layer: Descriptor, to: Format) -> Document:
    """Return the description of a base's layer in the format of the image."""
    kind = layer_kind(layer.media_type)
    media_type = layer_type(kind, to, layer) if kind else layer.media_type
    if to is Format.DOCKER:
        original = {key: value for key, value in original.items() if key != "annotations"}
    return {**original, "mediaType": media_type}


class _CombinedSource:
    """The sources of an image and its bases, as one source."""

    def __init__(self, place: Source, others: Mapping[Digest, Source]) -> None:
        self._place = place
        self._others = others

    @property
    def label(self) -> str:
        """The label of the image's source."""
        return self._place.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name at the image's source."""
        return self._place.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at the source that has it."""
        return self._others.get(descriptor.digest, self._place).open(descriptor, offset)

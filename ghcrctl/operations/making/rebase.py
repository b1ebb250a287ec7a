"""Rebase: an image put on a newer base, without building it again.

What belongs here: finding out what of an image is its base, and the documents with another one in
its place. What does not: what layers hold; nobody looks into them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.errors import UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.common.new_layer import rfc3339
from ghcrctl.operations.making.base_images import (
    BASE_DIGEST,
    BASE_NAME,
    Base,
    LayeredImage,
    base_annotations,
    require_base,
    spliced_history,
)
from ghcrctl.operations.making.derive import (
    Remaking,
    read_config,
    write_anew,
    write_config,
)
from ghcrctl.operations.making.destination import deliver, destination_of
from ghcrctl.operations.making.flatten import warn_of_attestations
from ghcrctl.operations.making.indexes import End, NewImage, end_of, source_of
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
class Rebasing:
    """What an image is put on.

    Args:
        old_base: what it was built on; what its annotations say without it.
        new_base: what it is put on; what has the name in its annotations now, without it.
        platforms: which images of an index are put on it; all without any.
        created: aware; without it the new image says the time that the old one said.
        local: whether bases that annotations name are in the local store.
    """

    old_base: End | None = None
    new_base: End | None = None
    platforms: tuple[Platform, ...] = ()
    created: datetime | None = None
    local: bool = False


def rebase(
    session: Session,
    source: End,
    target: End | None,
    rebasing: Rebasing,
    observer: Observer = ignore,
    *,
    replace: bool = False,
) -> NewImage:
    """Put an image on another base: the layers of the old one are replaced by those of the new one.

    What attests the old image is left out, with a warning.

    Args:
        session: the run.
        source: the image; all platforms of an index, unless some are chosen.
        target: the name of the new one; without it the new one gets no tag.
        rebasing: the bases.
        observer: watches what moves.
        replace: move the source's tag to the new one.

    Raises:
        UsageError: nothing says what the old base is.
        UnsupportedError: the image does not begin with the layers of the old base.
        NotFoundError: an image is not there, or a base not for a platform of the image.
    """
    destination = destination_of(source, target, replace=replace)
    origin, name = source_of(session, source, is_replaced=replace)
    root = origin.resolve(name)
    made = MemoryPlace("made here")
    change = _Rebasing(session, origin, rebasing, made)
    remaking = Remaking(Overlay(made, origin), made, change, rebasing.platforms, warn=session.warn)
    new = remaking.make(root)
    below = change.below
    place = Overlay(made, _Several(origin, {digest: base.place for digest, base in below.items()}))

    def where(digest: Digest) -> End:
        return below[digest].end if digest in below else source

    done = deliver(
        session,
        place,
        new,
        destination,
        source=source,
        old=root,
        made=(made,),
        observer=observer,
        origin=where,
    )
    warn_of_attestations(session, remaking)
    return done


class _Rebasing:
    """What becomes of each image."""

    keeps_attestations = False

    def __init__(
        self, session: Session, origin: Source, wanted: Rebasing, made: MemoryPlace
    ) -> None:
        self._session = session
        self._origin = origin
        self._wanted = wanted
        self._made = made
        self._bases: dict[End, Base] = {}
        self._new_base: Base | None = None
        self.below: dict[Digest, Base] = {}

    def index(self, index: Index, document: Document) -> Document:
        if self._new_base and BASE_NAME in index.annotations:
            said = {**index.annotations, **base_annotations(self._new_base)}
            return {**document, "annotations": said}
        return document

    def image(self, manifest: Manifest) -> Descriptor:
        config, diff_ids = read_config(self._origin, manifest)
        image = LayeredImage(manifest, config, diff_ids)
        old_end, new_end = self._ends(manifest)
        old = self._base(old_end).image(config.platform)
        require_base(image, old, old_end)
        base = self._new_base = self._base(new_end)
        new = base.image(config.platform)
        self.below |= {layer.digest: base for layer in new.manifest.layers}
        return self._write(image, old, new, base)

    def _base(self, end: End) -> Base:
        if end not in self._bases:
            self._bases[end] = Base(self._session, end)
        return self._bases[end]

    def _ends(self, manifest: Manifest) -> tuple[End, End]:
        """Return the old and the new base: as they are given, else as annotations say."""
        name = manifest.annotations.get(BASE_NAME, "")
        digest = manifest.annotations.get(BASE_DIGEST, "")
        named = end_of(self._session, name, local=self._wanted.local) if name else None
        old, new = self._wanted.old_base, self._wanted.new_base or named
        if old is None and named is not None:
            pinned = named.reference.with_digest(Digest.parse(digest)) if digest else None
            old = End(pinned or named.reference, named.local)
        if old is None or new is None:
            missing = "--new-base" if old else "--old-base"
            raise UsageError(
                f"{manifest.descriptor.digest} does not say what it is based on",
                hint=f"name it with {missing}",
            )
        return old, new

    def _write(
        self, image: LayeredImage, old: LayeredImage, new: LayeredImage, base: Base
    ) -> Descriptor:
        manifest = image.manifest
        to = format_of(manifest.descriptor.media_type)
        count = len(old.manifest.layers)
        document: Document = json.loads(manifest.raw)
        both = zip(new.layers, new.manifest.layers, strict=True)
        below = new.layers
        if format_of(new.manifest.descriptor.media_type) is not to:
            below = [_in_format(said, layer, to) for said, layer in both]
        document["layers"] = [*below, *image.layers[count:]]
        config = self._config(image, old, new)
        document["config"] = write_config(self._made, manifest, image.config, config)
        if to is Format.OCI:
            document["annotations"] = {**manifest.annotations, **base_annotations(base)}
        return write_anew(self._made, manifest, document)

    def _config(self, image: LayeredImage, old: LayeredImage, new: LayeredImage) -> Document:
        """Return the new config: the image's own, but on the other base.

        Spec: OCI image spec 1.1, config.md.
        """
        data: dict[str, Any] = {
            key: value for key, value in image.config.data.items() if key not in _PLATFORM_FIELDS
        }
        platform = {key: new.config.data[key] for key in _PLATFORM_FIELDS if key in new.config.data}
        moment = {"created": rfc3339(self._wanted.created)} if self._wanted.created else {}
        diff_ids = [*new.diff_ids, *image.diff_ids[len(old.diff_ids) :]]
        rootfs = {"type": "layers", "diff_ids": [str(each) for each in diff_ids]}
        history = spliced_history(image, old, new)
        steps = {"history": history} if history else {}
        data.pop("history", None)
        return {**data, **platform, **moment, "rootfs": rootfs, **steps}


def _in_format(said: Document, layer: Descriptor, to: Format) -> Document:
    """Describe a base's layer in the format of the image."""
    kind = layer_kind(layer.media_type)
    media_type = layer_type(kind, to, layer) if kind else layer.media_type
    if to is Format.DOCKER:
        said = {key: value for key, value in said.items() if key != "annotations"}
    return {**said, "mediaType": media_type}


class _Several:
    """The image's place and those of its bases, as one source."""

    def __init__(self, place: Source, others: Mapping[Digest, Source]) -> None:
        self._place = place
        self._others = others

    @property
    def label(self) -> str:
        """The label of the image's place."""
        return self._place.label

    def resolve(self, name: str) -> Descriptor:
        """Ask the image's place."""
        return self._place.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading where the content is."""
        return self._others.get(descriptor.digest, self._place).open(descriptor, offset)

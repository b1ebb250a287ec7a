"""Read the base image of an image, and compare and combine both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import NotFoundError, UnsupportedError
from ghcrctl.oci.manifest import Index, Manifest, parse, platform_not_found
from ghcrctl.operations.making.derive import has_files, read_config
from ghcrctl.operations.making.indexes import open_source
from ghcrctl.transfer.error_context import reading_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.oci.config import ImageConfig
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.derive import Document
    from ghcrctl.operations.making.indexes import IndexTarget

# OCI image spec 1.1, annotations.md.
BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class LayeredImage:
    """An image for one platform: a base, or an image that is built on one."""

    manifest: Manifest
    config: ImageConfig
    diff_ids: Sequence[Digest]

    @property
    def history(self) -> list[Document]:
        """The steps of the build, oldest first."""
        found = self.config.data.get("history")
        return [step for step in found if isinstance(step, dict)] if isinstance(found, list) else []

    @property
    def layers(self) -> list[Document]:
        """The layers as described in the manifest, base first."""
        found: list[Document] = json.loads(self.manifest.raw).get("layers") or []
        return found


class BaseImage:
    """A base image; the image for each platform is read on demand."""

    def __init__(self, session: Session, end: IndexTarget) -> None:
        self.end = end
        self.place, name = open_source(session, end)
        if end.local and end.reference.digest:
            name = str(end.reference.digest)
        with reading_from(self.place):
            self.root = self._resolve(name)
            self._parsed = parse(read_metadata(self.place, self.root), self.root.media_type)

    def _resolve(self, name: str) -> Descriptor:
        try:
            return self.place.resolve(name)
        except NotFoundError as error:
            if self.end.reference.digest:
                error.hint = "give the image that it was built on, or a copy, with --old-base"
            raise

    def image(self, platform: Platform) -> LayeredImage:
        """Return the image for a platform."""
        manifest = self._manifest(platform)
        if not has_files(manifest):
            raise UnsupportedError(f"the base {self.end.reference} is not a container image")
        config, diff_ids = read_config(self.place, manifest)
        ours, wanted = config.platform.normalized(), platform.normalized()
        if (ours.os, ours.architecture) != (wanted.os, wanted.architecture):
            raise UnsupportedError(
                f"the base {self.end.reference} is for {ours}, but the image is for {platform}"
            )
        return LayeredImage(manifest, config, diff_ids)

    def _manifest(self, platform: Platform) -> Manifest:
        parsed = self._parsed
        if isinstance(parsed, Index):
            entry = parsed.choose(platform)
            with reading_from(self.place):
                if entry is None:
                    raise platform_not_found(parsed, platform)
                parsed = parse(read_metadata(self.place, entry), entry.media_type)
        if isinstance(parsed, Index):
            raise UnsupportedError(f"the base {self.end.reference} is an index of indexes")
        return parsed


def base_annotations(base: BaseImage) -> Mapping[str, str]:
    """Return the annotations that name a base (OCI image spec 1.1, annotations.md)."""
    reference = base.end.reference
    named = reference.with_tag(reference.tag) if reference.tag else reference
    return {BASE_NAME: str(named), BASE_DIGEST: str(base.root.digest)}


def require_base(image: LayeredImage, old: LayeredImage, end: IndexTarget) -> None:
    """Check that an image starts with the layers of a base.

    Layers are compared by uncompressed content; their compression may differ.
    """
    ours, theirs = image.manifest.layers, old.manifest.layers
    which = f"the image for {image.config.platform} is not based on {end.reference}"
    hint = "give the image that it was built on with --old-base; see also: ghcrctl history"
    if len(theirs) > len(ours):
        raise UnsupportedError(
            f"{which}: the base has {len(theirs)} layers, the image only {len(ours)}", hint=hint
        )
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if our.digest != their.digest and image.diff_ids[number] != old.diff_ids[number]:
            raise UnsupportedError(
                f"{which}: its layer {number + 1} is {our.digest}, that of the base {their.digest}",
                hint=hint,
            )


def join_histories(image: LayeredImage, old: LayeredImage, new: LayeredImage) -> list[Document]:
    """Return the history of the new base, followed by the image's own steps.

    If a history has fewer steps than there are layers, placeholder steps are added. If both are
    empty, the result is empty.
    """
    count = len(old.manifest.layers)
    above = _own_steps(image.history, count, len(old.history))
    if not above and not new.history:
        return []
    below = _fill_gaps(new.history, len(new.manifest.layers))
    return [*below, *_fill_gaps(above, len(image.manifest.layers) - count)]


def _own_steps(steps: list[Document], layers: int, base_steps: int) -> list[Document]:
    """Return the steps after those of the old base."""
    has_layer = [not step.get("empty_layer") for step in steps]
    if sum(has_layer[:base_steps]) == layers and len(steps) >= base_steps:
        return steps[base_steps:]
    # The base has a different history: use the steps after its last layer.
    passed = 0
    for number, is_layer in enumerate(has_layer):
        if passed == layers:
            return steps[number:]
        passed += is_layer
    return []


def _fill_gaps(steps: list[Document], layers: int) -> list[Document]:
    missing = layers - sum(not step.get("empty_layer") for step in steps)
    return [{"comment": "not in the image's history"}] * missing + steps

"""Derive images from others: the common part of flattening, rebasing and converting."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from ghcrctl.content.provenance import error_origin
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    InvalidDigestError,
    InvalidManifestError,
    UnsupportedError,
)
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest, parse, platform_not_found
from ghcrctl.operations.common.platform_check import warn_of_mismatch
from ghcrctl.operations.making.media_formats import layer_kind
from ghcrctl.transfer.plan import MAX_DEPTH, MAX_DESCRIPTORS, MAX_MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.content.memory_place import MemoryPlace
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.platform import Platform

    Document = dict[str, Any]

ATTESTATION, ATTESTED = "vnd.docker.reference.type", "vnd.docker.reference.digest"
_INDENTED = re.compile(rb'\s*\{\r?\n([ \t]{1,8})"')


class ImageChange(Protocol):
    """A change of the images and indexes below a root.

    Attributes:
        keeps_attestations: whether attestations of changed images are kept.
    """

    keeps_attestations: bool

    def image(self, manifest: Manifest) -> Descriptor:
        """Return the changed container image; the same descriptor if nothing changes."""
        ...

    def index(self, index: Index, document: Document, /) -> Document:
        """Return a changed index, given the document with the new digests."""
        ...


class ImageDerivation:
    """Applies a change once to each image below a root.

    Args:
        place: the source of the images.
        memory: receives the new documents; must be an overlay of the source.
        change: the change.
        platforms: the images of an index to keep; by default, all.
        warn: prints a warning if a single-platform image is for another platform.
    """

    def __init__(
        self,
        place: Source,
        memory: MemoryPlace,
        change: ImageChange,
        platforms: Sequence[Platform] = (),
        *,
        warn: Callable[[str], None],
    ) -> None:
        self._warn = warn
        self._place = place
        self._memory = memory
        self._change = change
        self._platforms = tuple(platforms)
        self._done: dict[Digest, Descriptor] = {}
        self._bytes = self._pieces = 0
        self.images = 0
        self.attestations_left_out = 0

    def make(self, root: Descriptor) -> Descriptor:
        """Return the new root.

        Raises:
            UnsupportedError: the root has no container image.
            PlatformNotFoundError: the root has no image for a selected platform.
            InvalidManifestError: a document is malformed.
        """
        parsed = self._read(root)
        if isinstance(parsed, Manifest):
            warn_of_mismatch(self._warn, self._place, parsed, self._platforms)
        elif self._platforms:
            parsed = self._select_platforms(parsed)
        memory = self._derive(parsed, 0)
        if not self.images:
            raise UnsupportedError(f"{root.digest} is not a container image: {_describe(parsed)}")
        return memory

    def _select_platforms(self, index: Index) -> Manifest | Index:
        if len(self._platforms) == 1:
            [platform] = self._platforms
            entry = index.choose(platform)
            if entry is None:
                raise platform_not_found(index, platform)
            return self._read(entry)
        smaller = index.subset(self._platforms)
        self._memory.put(smaller.descriptor, smaller.raw)
        return smaller

    def _read(self, descriptor: Descriptor) -> Manifest | Index:
        self._bytes += descriptor.size
        if self._bytes > MAX_MANIFESTS:
            raise InvalidManifestError(f"the manifests have more than {MAX_MANIFESTS} bytes")
        return parse(read_metadata(self._place, descriptor), descriptor.media_type)

    def _derive(self, parsed: Manifest | Index, depth: int) -> Descriptor:
        if depth > MAX_DEPTH:
            raise InvalidManifestError(f"indexes are nested more than {MAX_DEPTH} deep")
        if isinstance(parsed, Index):
            return self._index(parsed, depth)
        if not has_files(parsed):
            return parsed.descriptor
        self.images += 1
        return self._change.image(parsed)

    def _index(self, index: Index, depth: int) -> Descriptor:
        self._pieces += len(index.manifests)
        if self._pieces > MAX_DESCRIPTORS:
            raise InvalidManifestError(f"the indexes list more than {MAX_DESCRIPTORS} manifests")
        for entry in index.manifests:
            if entry.is_manifest and not is_attestation(entry) and entry.digest not in self._done:
                self._done[entry.digest] = self._derive(self._read(entry), depth + 1)
        document = json.loads(index.raw)
        entries = [
            self._entry(entry, original)
            for entry, original in zip(
                index.manifests, document.get("manifests") or [], strict=True
            )
        ]
        document["manifests"] = [entry for entry in entries if entry is not None]
        self.attestations_left_out += entries.count(None)
        return write_changed(self._memory, index, self._change.index(index, document))

    def _entry(self, entry: Descriptor, original: Document) -> Document | None:
        """Return a changed entry; ``None`` if it is dropped."""
        attested = entry.annotations.get(ATTESTED)
        if is_attestation(entry) and attested:
            new = self._new_digest(attested)
            if new == attested:
                return original
            if not self._change.keeps_attestations:
                return None
            return {**original, "annotations": {**original["annotations"], ATTESTED: new}}
        new_one = self._done.get(entry.digest, entry)
        if new_one.digest == entry.digest:
            return original
        # Drop `data`: it is the content of the old manifest.
        rest = {key: value for key, value in original.items() if key != "data"}
        described = {"digest": str(new_one.digest), "size": new_one.size}
        return {**rest, "mediaType": new_one.media_type, **described}

    def _new_digest(self, text: str) -> str:
        try:
            found = self._done.get(Digest.parse(text))
        except InvalidDigestError:
            return text
        return str(found.digest) if found else text


def _describe(parsed: Manifest | Index) -> str:
    if isinstance(parsed, Index):
        return parsed.artifact_type or "an index without images"
    if parsed.is_image:
        return f"layers of the type {parsed.layers[0].media_type}"
    return parsed.kind


def is_attestation(entry: Descriptor) -> bool:
    """Return whether an entry of an index is an attestation rather than an image."""
    return ATTESTATION in entry.annotations or bool(entry.platform and entry.platform.is_unknown)


def has_files(manifest: Manifest) -> bool:
    """Return whether a manifest is a container image; attestations have an image config too."""
    kinds = [layer_kind(layer.media_type) for layer in manifest.layers]
    return manifest.is_image and (any(kinds) or not kinds)


def read_config(place: Source, manifest: Manifest) -> tuple[ImageConfig, list[Digest]]:
    """Return an image's config, and the diff IDs of its layers.

    Raises:
        InvalidManifestError: the config lists a different number of layers.
    """
    with error_origin(place, manifest.config):
        config = ImageConfig.parse(read_metadata(place, manifest.config))
    if len(config.diff_ids) != len(manifest.layers):
        raise InvalidManifestError(
            f"invalid image config: it lists {len(config.diff_ids)} layers, but the manifest "
            f"{len(manifest.layers)}"
        )
    try:
        return config, [Digest.parse(text) for text in config.diff_ids]
    except InvalidDigestError as error:
        raise InvalidManifestError(f"invalid image config: {error.message}") from None


def write_changed(memory: MemoryPlace, old: Manifest | Index, document: Document) -> Descriptor:
    """Write a changed manifest or index in the old one's JSON style; return the old one if equal.

    An image that is converted back and forth therefore gets its original digest.
    """
    if document == json.loads(old.raw):
        return old.descriptor
    kind = document.get("mediaType") or old.descriptor.media_type
    return memory.add(format_like(old.raw, document), kind)


def write_config(
    memory: MemoryPlace, manifest: Manifest, config: ImageConfig, new: Document
) -> Document:
    """Write a config; return its description for the manifest."""
    original: Document = json.loads(manifest.raw)["config"]
    if new == config.data:
        return original
    ordered = {key: new[key] for key in {**config.data, **new} if key in new}
    described = memory.add(format_like(config.raw, ordered), manifest.config.media_type)
    rest = {key: value for key, value in original.items() if key != "data"}
    return {**rest, "digest": str(described.digest), "size": described.size}


def format_like(raw: bytes, document: Document) -> bytes:
    """Format JSON with the indentation of other JSON."""
    indented = _INDENTED.match(raw)
    indent = indented[1].decode() if indented else None
    separators = None if indented or b'": ' in raw[:100] else (",", ":")
    return json.dumps(document, indent=indent, separators=separators).encode()

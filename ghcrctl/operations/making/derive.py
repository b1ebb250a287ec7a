"""Images made of others: what flattening, rebasing and converting have in common."""

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
from ghcrctl.oci.manifest import Index, Manifest, no_platform, parse
from ghcrctl.operations.common.platform_check import warn_of_mismatch
from ghcrctl.operations.making.media_formats import layer_kind
from ghcrctl.transfer.plan import MAX_DEPTH, MAX_DESCRIPTORS, MAX_MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.content.memory import MemoryPlace
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.platform import Platform

    Document = dict[str, Any]

ATTESTATION, ATTESTED = "vnd.docker.reference.type", "vnd.docker.reference.digest"
_INDENTED = re.compile(rb'\s*\{\r?\n([ \t]{1,8})"')


class Change(Protocol):
    """What becomes of the images and indexes below a root.

    Attributes:
        keeps_attestations: whether what attests an image is kept though its digest is another.
    """

    keeps_attestations: bool

    def image(self, manifest: Manifest) -> Descriptor:
        """Return what takes the place of a container image; itself where nothing changes."""
        ...

    def index(self, index: Index, document: Document, /) -> Document:
        """Return an index, whose digests are new, with what else changes of it."""
        ...


class Remaking:
    """One walk over the images below a root, each of which is made anew once.

    Args:
        place: where they are.
        made: gets the new documents; in front of the place where these are read.
        change: what becomes of each.
        platforms: which images of an index are taken; all without any.
        warn: prints a warning where the root is an image for another platform.
    """

    def __init__(
        self,
        place: Source,
        made: MemoryPlace,
        change: Change,
        platforms: Sequence[Platform] = (),
        *,
        warn: Callable[[str], None],
    ) -> None:
        self._warn = warn
        self._place = place
        self._made = made
        self._change = change
        self._platforms = tuple(platforms)
        self._done: dict[Digest, Descriptor] = {}
        self._bytes = self._pieces = 0
        self.images = 0
        self.attestations_left_out = 0

    def make(self, root: Descriptor) -> Descriptor:
        """Return the new root.

        Raises:
            UnsupportedError: there is no container image below it.
            PlatformNotFoundError: there is none for a platform that is wanted.
            InvalidManifestError: a document is not what it should be.
        """
        parsed = self._read(root)
        if isinstance(parsed, Manifest):
            warn_of_mismatch(self._warn, self._place, parsed, self._platforms)
        elif self._platforms:
            parsed = self._chosen(parsed)
        made = self._one(parsed, 0)
        if not self.images:
            raise UnsupportedError(f"{root.digest} is no container image but {_what(parsed)}")
        return made

    def _chosen(self, index: Index) -> Manifest | Index:
        if len(self._platforms) == 1:
            [platform] = self._platforms
            entry = index.choose(platform)
            if entry is None:
                raise no_platform(index, platform)
            return self._read(entry)
        smaller = index.subset(self._platforms)
        self._made.put(smaller.descriptor, smaller.raw)
        return smaller

    def _read(self, descriptor: Descriptor) -> Manifest | Index:
        self._bytes += descriptor.size
        if self._bytes > MAX_MANIFESTS:
            raise InvalidManifestError(f"the manifests have more than {MAX_MANIFESTS} bytes")
        return parse(read_metadata(self._place, descriptor), descriptor.media_type)

    def _one(self, parsed: Manifest | Index, depth: int) -> Descriptor:
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
            if entry.is_manifest and not is_helper(entry) and entry.digest not in self._done:
                self._done[entry.digest] = self._one(self._read(entry), depth + 1)
        document = json.loads(index.raw)
        entries = [
            self._entry(entry, said)
            for entry, said in zip(index.manifests, document.get("manifests") or [], strict=True)
        ]
        document["manifests"] = [entry for entry in entries if entry is not None]
        self.attestations_left_out += entries.count(None)
        return write_anew(self._made, index, self._change.index(index, document))

    def _entry(self, entry: Descriptor, said: Document) -> Document | None:
        """Return an entry as it is from now on; ``None`` where it is left out."""
        attested = entry.annotations.get(ATTESTED)
        if is_helper(entry) and attested:
            new = self._new_digest(attested)
            if new == attested:
                return said
            if not self._change.keeps_attestations:
                return None
            return {**said, "annotations": {**said["annotations"], ATTESTED: new}}
        new_one = self._done.get(entry.digest, entry)
        if new_one.digest == entry.digest:
            return said
        # Content that stands in the entry itself would be the old.
        rest = {key: value for key, value in said.items() if key != "data"}
        described = {"digest": str(new_one.digest), "size": new_one.size}
        return {**rest, "mediaType": new_one.media_type, **described}

    def _new_digest(self, text: str) -> str:
        try:
            found = self._done.get(Digest.parse(text))
        except InvalidDigestError:
            return text
        return str(found.digest) if found else text


def _what(parsed: Manifest | Index) -> str:
    if isinstance(parsed, Index):
        return parsed.artifact_type or "an index without any"
    if parsed.is_image:
        return f"layers of the type {parsed.layers[0].media_type}"
    return parsed.kind


def is_helper(entry: Descriptor) -> bool:
    """Tell whether an entry of an index is no image but attests one."""
    return ATTESTATION in entry.annotations or bool(entry.platform and entry.platform.is_unknown)


def has_files(manifest: Manifest) -> bool:
    """Tell whether a manifest is a container image; an attestation has an image's config too."""
    kinds = [layer_kind(layer.media_type) for layer in manifest.layers]
    return manifest.is_image and (any(kinds) or not kinds)


def read_config(place: Source, manifest: Manifest) -> tuple[ImageConfig, list[Digest]]:
    """Return an image's config, and the diff ids of its layers.

    Raises:
        InvalidManifestError: the config is of another number of layers.
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


def write_anew(made: MemoryPlace, old: Manifest | Index, document: Document) -> Descriptor:
    """Write a manifest or an index as the old one was written; the old one where nothing changed.

    So an image that is converted there and back has the digest that it had.
    """
    if document == json.loads(old.raw):
        return old.descriptor
    kind = document.get("mediaType") or old.descriptor.media_type
    return made.add(in_style_of(old.raw, document), kind)


def write_config(
    made: MemoryPlace, manifest: Manifest, config: ImageConfig, new: Document
) -> Document:
    """Write a config; return how the manifest describes it."""
    said: Document = json.loads(manifest.raw)["config"]
    if new == config.data:
        return said
    ordered = {key: new[key] for key in {**config.data, **new} if key in new}
    described = made.add(in_style_of(config.raw, ordered), manifest.config.media_type)
    rest = {key: value for key, value in said.items() if key != "data"}
    return {**rest, "digest": str(described.digest), "size": described.size}


def in_style_of(raw: bytes, document: Document) -> bytes:
    """Write JSON with the indentation of other JSON."""
    indented = _INDENTED.match(raw)
    indent = indented[1].decode() if indented else None
    separators = None if indented or b'": ' in raw[:100] else (",", ":")
    return json.dumps(document, indent=indent, separators=separators).encode()

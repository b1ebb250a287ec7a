"""Compare the manifests, configs, layers and files of two images."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import PlatformNotFoundError
from ghcrctl.layers.compare_trees import FileChange, NeedsLowerLayerError, compare
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.operations.inside.compare_indexes import changes, compare_indexes, read_compared_image
from ghcrctl.operations.inside.image_layers import no_progress, open_layers

if TYPE_CHECKING:
    from ghcrctl.layers.members import Member
    from ghcrctl.layers.merged_tree import Node
    from ghcrctl.layers.walk_layer import Entry
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.compare_indexes import (
        FieldChange,
        IndexComparison,
        PlatformChange,
    )
    from ghcrctl.operations.inside.image_layers import ImageSelector, Layers, Progress

# Fields of the config whose values are compared whole (OCI image spec 1.1, config.md).
_PLAIN = {
    "Cmd": "cmd",
    "Entrypoint": "entrypoint",
    "User": "user",
    "WorkingDir": "workdir",
    "StopSignal": "stop signal",
    "Shell": "shell",
    "Healthcheck": "healthcheck",
    "OnBuild": "onbuild",
}
_SETS = {"ExposedPorts": "port", "Volumes": "volume"}


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer that differs between two images.

    Args:
        diff_id: the digest of its uncompressed content.
        before: the stored layer in the first image; ``None`` if missing.
        after: the stored layer in the second; if both have it, only the compression differs.
    """

    diff_id: Digest
    before: Descriptor | None
    after: Descriptor | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The differences between two images.

    Args:
        before: the digest of the first manifest or index.
        after: the digest of the second manifest or index.
        is_of_indexes: whether all platforms were compared, not just one image.
        platform: the platform whose config, layers and files were compared; ``None`` if the
            indexes have no platform in common.
        manifest: changed fields of the manifest or the index.
        platforms: changed platforms.
        config: changed fields of the config.
        layers: changed layers, base first.
        shared: layers that both images have.
        files: changed files; ``None`` if files were not compared.
    """

    before: Digest
    after: Digest
    is_of_indexes: bool
    platform: str | None
    manifest: list[FieldChange]
    platforms: list[PlatformChange]
    config: list[FieldChange]
    layers: list[LayerChange]
    shared: list[Descriptor]
    files: list[FileChange] | None

    @property
    def is_empty(self) -> bool:
        """Whether both digests are the same."""
        return self.before == self.after


def diff(
    session: Session,
    one: ImageSelector,
    two: ImageSelector,
    *,
    files: bool = False,
    progress: Progress = no_progress,
) -> Difference:
    """Compare two images.

    Indexes are compared with all their platforms, unless a platform is selected. Their configs,
    layers and files are compared for this machine's platform, or the first one that both have.

    Args:
        session: the run.
        one: the image before.
        two: the image after.
        files: whether to compare files. This reads the layers that differ; if a file is only in
            one image's own layers, it also reads the shared layers once.
        progress: receives the bytes of layers read so far, and the maximum.

    Raises:
        NotFoundError: one of the images does not exist.
        UnsupportedError: one of them is not a container image.
        IntegrityError: a layer is damaged.
    """
    sides = (read_compared_image(session, one), read_compared_image(session, two))
    indexes = None
    if one.platform is None and two.platform is None:
        indexes = compare_indexes(*sides, session.settings.preferred_platform)
    if indexes is None:
        images = (one, two)
    elif indexes.platform:
        images = (replace(one, platform=indexes.platform), replace(two, platform=indexes.platform))
    elif files:
        raise PlatformNotFoundError(f"{one.text} and {two.text} have no platform in common")
    else:
        return _index_difference(indexes)
    with ExitStack() as stack:
        combined = _CombinedProgress(progress)
        before, after = (
            stack.enter_context(open_layers(session, image, located=side.located, progress=tell))
            for image, side, tell in zip(
                images, sides, (combined.first, combined.second), strict=True
            )
        )
        found = _compare_images(before, after, files=files)
    return _merge(indexes, found) if indexes else found


def _compare_images(before: Layers, after: Layers, *, files: bool) -> Difference:
    return Difference(
        before=before.manifest.descriptor.digest,
        after=after.manifest.descriptor.digest,
        is_of_indexes=False,
        platform=str(after.config.platform),
        manifest=list(changes(_manifest_fields(before), _manifest_fields(after))),
        platforms=[],
        config=list(changes(_config_fields(before), _config_fields(after))),
        layers=_layer_changes(before, after),
        shared=[layer for layer in before.manifest.layers if layer in after.manifest.layers],
        files=_file_changes(before, after) if files else None,
    )


def _index_difference(indexes: IndexComparison) -> Difference:
    return Difference(
        before=indexes.before,
        after=indexes.after,
        is_of_indexes=True,
        platform=None,
        manifest=indexes.fields,
        platforms=indexes.platforms,
        config=[],
        layers=[],
        shared=[],
        files=None,
    )


def _merge(indexes: IndexComparison, image: Difference) -> Difference:
    """Combine the differences of two indexes with those of their images for one platform."""
    platform = str(indexes.platform)
    of_image = [
        replace(change, field=f"{platform} {change.field}")
        for change in image.manifest
        # Both are already in the list of platforms.
        if change.field not in {"digest", "platform"}
    ]
    return replace(
        image,
        before=indexes.before,
        after=indexes.after,
        is_of_indexes=True,
        platform=platform,
        manifest=[*indexes.fields, *of_image],
        platforms=indexes.platforms,
    )


class _CombinedProgress:
    """Adds up the progress of two images."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._one, self._two = (0, 0), (0, 0)

    def first(self, done: int, total: int) -> None:
        self._one = done, total
        self._report()

    def second(self, done: int, total: int) -> None:
        self._two = done, total
        self._report()

    def _report(self) -> None:
        self._progress(self._one[0] + self._two[0], self._one[1] + self._two[1])


def _manifest_fields(layers: Layers) -> dict[str, str]:
    manifest = layers.manifest
    return {
        "digest": str(manifest.descriptor.digest),
        "media type": manifest.descriptor.media_type,
        "platform": str(layers.config.platform),
        **{f"annotation {key}": value for key, value in manifest.annotations.items()},
    }


def _config_fields(layers: Layers) -> dict[str, str]:
    config: Any = layers.config.data.get("config")
    values: dict[str, Any] = config if isinstance(config, dict) else {}
    fields = {name: _text(values[key]) for key, name in _PLAIN.items() if values.get(key)}
    env = values.get("Env")
    for variable in env if isinstance(env, list) else ():
        name, _, value = str(variable).partition("=")
        fields[f"env {name}"] = value
    fields |= {f"label {key}": value for key, value in layers.config.labels.items()}
    for key, name in _SETS.items():
        members = values.get(key)
        fields |= {f"{name} {m}": "" for m in (members if isinstance(members, dict) else ())}
    return fields


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _layer_changes(before: Layers, after: Layers) -> list[LayerChange]:
    """Compare layers by uncompressed content first, then by stored bytes."""
    first = dict(zip(before.diff_ids, before.manifest.layers, strict=True))
    second = dict(zip(after.diff_ids, after.manifest.layers, strict=True))
    found = (
        LayerChange(diff_id, first.get(diff_id), second.get(diff_id))
        for diff_id in dict.fromkeys((*first, *second))
    )
    return [
        change
        for change in found
        if change.before is None or change.after is None or not _is_same(change)
    ]


def _is_same(change: LayerChange) -> bool:
    return bool(change.before and change.after and change.before.digest == change.after.digest)


def _file_changes(before: Layers, after: Layers) -> list[FileChange]:
    shared = _common(before.diff_ids, after.diff_ids)
    if len(before) == len(after) == shared:
        return []
    one, two = _ImageFiles(before), _ImageFiles(after)
    try:
        return _compare(one, two, shared)
    except NeedsLowerLayerError:
        two.reuse_layers(one, shared)
        return _compare(one, two, 0)


def _common(one: list[Digest], two: list[Digest]) -> int:
    """Return the number of shared layers, counted from the base."""
    count = 0
    while count < min(len(one), len(two)) and one[count] == two[count]:
        count += 1
    return count


def _compare(one: _ImageFiles, two: _ImageFiles, lowest: int) -> list[FileChange]:
    return list(compare(one.tree(lowest), two.tree(lowest), one.content, two.content))


class _ImageFiles:
    """The files of one image, with digests of their contents."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._members: dict[int, list[Member]] = {}
        self._contents: dict[int, dict[int, bytes]] = {}

    def tree(self, lowest: int) -> Tree:
        """Apply all layers from a given number on to an empty tree."""
        tree = Tree(self._layers.limits, is_open=lowest > 0)
        for number in range(lowest, len(self._layers)):
            tree.apply(number, self._read(number))
        return tree

    def content(self, node: Node) -> bytes:
        """Return the digest of a file's content."""
        number = node.member.number if node.member else -1
        return self._contents[node.layer].get(number, b"")

    def reuse_layers(self, other: _ImageFiles, count: int) -> None:
        """Reuse what another image has read of the lowest layers, which both images share."""
        for number in range(count):
            self._members[number] = other._read(number)
            self._contents[number] = other._contents[number]

    def _read(self, number: int) -> list[Member]:
        if number not in self._members:
            contents: dict[int, bytes] = {}
            self._contents[number] = contents
            self._members[number] = self._layers.members(
                number, lambda entry: contents.update(_digest(entry))
            )
        return self._members[number]


def _digest(entry: Entry) -> dict[int, bytes]:
    if not entry.data.size:
        return {}
    hasher = hashlib.sha256()
    for chunk in entry.data.chunks():
        hasher.update(chunk)
    return {entry.member.number: hasher.digest()}

"""Docker archives and OCI layouts: which list is read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.archive.docker_reader import (
    diff_ids_of,
    has_both_lists,
    is_docker,
    listed_configs,
    listed_names,
    read_images,
)
from ghcrctl.archive.files import FolderFiles
from ghcrctl.archive.layout import LayoutSource, read_entries
from ghcrctl.archive.list_agreement import check_agreement, unlisted_names
from ghcrctl.errors import InvalidDigestError, InvalidManifestError, ManifestUnknownError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_DESCRIPTORS
from tests.archives import config_of, docker_archive, docker_layout, layer
from tests.builders import index_of, random_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAYERS = [layer(1), layer(2)]
DIFF_IDS = [Digest.of(data) for data in LAYERS]
BOTH = docker_layout(LAYERS, "octo/image", "1.0")
EMPTY = b'{"schemaVersion": 2, "manifests": []}'
FOREIGN = Descriptor(
    media_types.DOCKER_FOREIGN_LAYER, Digest.of(b"packed"), 6, ("https://example.com/layer",)
)


def _written(folder: Path, files: Mapping[str, bytes]) -> FolderFiles:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return FolderFiles(folder)


def _listed(files: Mapping[str, bytes], **changes: Any) -> dict[str, bytes]:
    """Return files with a changed entry in ``manifest.json``."""
    [entry] = json.loads(files["manifest.json"])
    return {**files, "manifest.json": json.dumps([{**entry, **changes}]).encode()}


def _without(files: Mapping[str, bytes], *paths: str) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path not in paths}


# Docker omits `repositories` for an image without a name; other programs always do.
BARE = _without(BOTH, "repositories")
SOURCES = {
    str(d): Descriptor.of(data, media_types.OCI_LAYER).to_json()
    for d, data in zip(DIFF_IDS, LAYERS, strict=True)
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (docker_archive(LAYERS), True),
        (BOTH, True),
        (BARE, False),
        (_listed(BARE, LayerSources=SOURCES), True),
        (_listed(BARE, LayerSources={}), False),
        (_listed(BARE, LayerSources=None), False),
        ({**BARE, "index.json": EMPTY}, True),
        ({**BARE, "index.json": b'{"schemaVersion": 2, "manifests": null}'}, True),
        ({**BARE, "index.json": b'{"schemaVersion": 2}'}, True),
        ({**BARE, "index.json": b"{}"}, True),
        ({**BOTH, "index.json": EMPTY}, True),
        (_without(BOTH, "manifest.json"), False),
        # The docker list is empty.
        ({**BOTH, "manifest.json": b"[]"}, False),
        ({**BARE, "manifest.json": b"[]"}, False),
        ({**BARE, "manifest.json": b"[]", "index.json": EMPTY}, False),
        ({"manifest.json": b"[]"}, True),
        ({"index.json": EMPTY}, False),
        ({"repositories": b"{}"}, False),
        ({}, False),
    ],
)
def test_is_docker_chooses_the_list_to_read(
    tmp_path: Path, files: Mapping[str, bytes], *, expected: bool
) -> None:
    assert is_docker(_written(tmp_path, files)) is expected


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"", b'{"manifests": {}}', b'{"config": {}, "layers": []}', b'{"manifests": [1]}'],
)
def test_invalid_index_is_an_error(raw: bytes) -> None:
    with pytest.raises(InvalidManifestError):
        read_entries(raw)


def test_index_without_manifests_is_empty() -> None:
    for raw in (EMPTY, b"{}", b'{"schemaVersion": 2}', b'{"manifests": null}'):
        assert read_entries(raw) == ()
    [entry] = read_entries(BOTH["index.json"])
    assert entry.is_manifest


def test_only_foreign_layers_with_urls_are_foreign(tmp_path: Path) -> None:
    homeless = Descriptor(media_types.DOCKER_FOREIGN_LAYER, Digest.of(b"x"), 1)
    sources = {str(DIFF_IDS[0]): FOREIGN.to_json(), str(DIFF_IDS[1]): homeless.to_json()}
    [image] = read_images(_written(tmp_path, docker_archive(LAYERS, LayerSources=sources)))
    assert image.foreign == {DIFF_IDS[0]: FOREIGN}
    assert image.contents == ((image.layers[1], DIFF_IDS[1]),)
    assert image.diff_ids == tuple(DIFF_IDS)


@pytest.mark.parametrize("sources", [None, {}, SOURCES])
def test_other_layer_sources_are_ignored(tmp_path: Path, sources: object) -> None:
    [image] = read_images(_written(tmp_path, docker_archive(LAYERS, LayerSources=sources)))
    assert image.foreign == {}
    assert [digest for _, digest in image.contents] == DIFF_IDS
    assert image.names == ("docker.io/octo/image:1.0",)
    assert image.config == config_of(LAYERS)


@pytest.mark.parametrize(
    "changes",
    [
        {"LayerSources": []},
        {"LayerSources": "x"},
        {"LayerSources": {str(DIFF_IDS[0]): None}},
        {"LayerSources": {"x": FOREIGN.to_json()}},
        {"Config": ""},
        {"Config": None},
        {"Config": ["x"]},
        {"Layers": "x"},
        {"Layers": [1, 2]},
        {"Layers": None},
        {"RepoTags": {"a": 1}},
        {"RepoTags": [None]},
    ],
)
def test_invalid_manifest_json_is_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises((InvalidManifestError, InvalidDigestError)):
        read_images(_written(tmp_path, _listed(docker_archive(LAYERS), **changes)))


def test_paths_may_start_with_dot_slash(tmp_path: Path) -> None:
    files = docker_archive(LAYERS)
    [entry] = json.loads(files["manifest.json"])
    for start in ("./", "/"):
        changed = _listed(
            files,
            Config=start + entry["Config"],
            Layers=[start + path for path in entry["Layers"]],
            RepoTags=None,
        )
        [image] = read_images(_written(tmp_path, changed))
        assert (image.layers, image.names) == (tuple(entry["Layers"]), ())


def test_listed_names(tmp_path: Path) -> None:
    files = _written(tmp_path, _listed(BOTH, RepoTags=["a:1", "octo/image:2"]))
    assert has_both_lists(files)
    assert listed_names(files) == ["a:1", "octo/image:2"]
    (tmp_path / "index.json").unlink()
    assert not has_both_lists(files)
    (tmp_path / "manifest.json").unlink()
    assert not has_both_lists(files)
    assert listed_names(files) == []


def test_number_of_layers_is_limited() -> None:
    config = json.dumps({"rootfs": {"diff_ids": [str(DIFF_IDS[0])] * MAX_DESCRIPTORS}}).encode()
    assert len(diff_ids_of(config, MAX_DESCRIPTORS)) == MAX_DESCRIPTORS
    more = json.dumps({"rootfs": {"diff_ids": [str(DIFF_IDS[0])] * (MAX_DESCRIPTORS + 1)}}).encode()
    for count in (MAX_DESCRIPTORS, MAX_DESCRIPTORS + 1):
        with pytest.raises(InvalidManifestError):
            diff_ids_of(more, count)


def test_last_entry_with_a_name_counts(tmp_path: Path) -> None:
    first, second = docker_archive(LAYERS[:1]), docker_archive(LAYERS)
    entries = [*json.loads(first["manifest.json"]), *json.loads(second["manifest.json"])]
    [name] = ["docker.io/octo/image:1.0"]
    files = {**first, **second, "manifest.json": json.dumps(entries).encode()}
    assert listed_configs(_written(tmp_path, files)) == {name: Digest.of(config_of(LAYERS))}
    (tmp_path / entries[1]["Config"]).unlink()
    found = listed_configs(FolderFiles(tmp_path))
    assert found == {name: Digest.of(config_of(LAYERS[:1]))}
    (tmp_path / "manifest.json").unlink()
    assert listed_configs(FolderFiles(tmp_path)) == {}


def _other_config(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Replace the config in ``manifest.json`` by another one for the same layers."""
    other = config_of(LAYERS, author="another author")
    path = f"blobs/sha256/{hashlib.sha256(other).hexdigest()}"
    return _listed({**files, path: other}, Config=path)


@pytest.mark.parametrize("files", [BOTH, BARE], ids=["docker", "layout"])
def test_lists_with_different_images_for_a_name_are_rejected(
    tmp_path: Path, files: Mapping[str, bytes]
) -> None:
    with pytest.raises(InvalidManifestError, match=r"docker.io/octo/image:1.0 in manifest.json"):
        check_agreement(_written(tmp_path, _other_config(files)))


def test_consistent_lists_are_accepted(tmp_path: Path) -> None:
    check_agreement(_written(tmp_path / "same", BOTH))
    renamed = _listed(_other_config(BOTH), RepoTags=["octo/other:1"])
    check_agreement(_written(tmp_path / "other", renamed))
    nameless = _listed(_other_config(BOTH), RepoTags=None)
    check_agreement(_written(tmp_path / "nameless", nameless))


def test_lists_are_not_compared_without_manifests(tmp_path: Path) -> None:
    files = _other_config(BOTH)
    [entry] = json.loads(files["index.json"])["manifests"]
    path = f"blobs/{entry['digest'].replace(':', '/')}"
    check_agreement(_written(tmp_path, _without(files, path)))


def _platforms(tmp_path: Path, config: Digest, tags: list[str]) -> FolderFiles:
    """Write a layout of an index with two images, and docker's list with one config."""
    index = index_of(random_image(seed=1), random_image(seed=2))
    files = {f"blobs/sha256/{d.digest.encoded}": data for d, data in index.contents}
    root = {
        **index.root.to_json(),
        "annotations": {"io.containerd.image.name": "docker.io/octo/image:1.0"},
    }
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [root]}).encode()
    files["blobs/sha256/other"] = b"{}"
    path = f"blobs/sha256/{config.encoded}"
    listed = [{"Config": path, "RepoTags": tags, "Layers": []}]
    files["manifest.json"] = json.dumps(listed).encode()
    return _written(tmp_path, files)


def _config(seed: int) -> Digest:
    image = random_image(seed=seed)
    [config] = [d.digest for d, _ in image.blobs if d.media_type in media_types.IMAGE_CONFIGS]
    return config


@pytest.mark.parametrize("seed", [1, 2])
def test_docker_lists_one_platform_of_an_index(tmp_path: Path, seed: int) -> None:
    files = _platforms(tmp_path, _config(seed), ["octo/image:1.0", "octo/other:2"])
    check_agreement(files)
    source = LayoutSource(files)
    known = {"docker.io/octo/image:1.0"}
    assert unlisted_names(files, source, known) == {"docker.io/octo/other:2": source.entries[0]}
    assert unlisted_names(files, source, {*known, "docker.io/octo/other:2"}) == {}


def test_image_only_in_the_docker_list_has_no_entry(tmp_path: Path) -> None:
    files = _written(tmp_path, _listed(_other_config(BARE), RepoTags=["octo/other:1"]))
    found = unlisted_names(files, LayoutSource(files), {"docker.io/octo/image:1.0"})
    assert found == {"docker.io/octo/other:1": None}


def test_layout_resolves_names_and_digests_separately(tmp_path: Path) -> None:
    digests = [Digest.of(str(number).encode()) for number in range(3)]
    notes: list[dict[str, str]] = [
        {"org.opencontainers.image.ref.name": "1"},
        {"org.opencontainers.image.ref.name": str(digests[0])},
        {},
    ]
    entries = [
        {"mediaType": media_types.OCI_MANIFEST, "digest": str(d), "size": 1, "annotations": note}
        for d, note in zip(digests, notes, strict=True)
    ]
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    source = LayoutSource(_written(tmp_path, {"index.json": index}))
    assert [source.resolve(name).digest for name in ("1", str(digests[0]), "latest")] == [
        digests[0],
        digests[0],
        digests[2],
    ]
    assert list(source.tags()) == ["1", str(digests[0])]
    for name in ("", "2", str(Digest.of(b"none"))):
        with pytest.raises(ManifestUnknownError):
            source.resolve(name)

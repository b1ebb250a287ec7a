"""Names in archives."""

from __future__ import annotations

import pytest

from ghcrctl.archive.names import (
    CONTAINERD_NAME,
    OUR_NAME,
    REF_NAME,
    docker_tag,
    name_annotations,
    name_of,
    short_names,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest

DIGEST = Digest.of(b"")


def entry(**notes: str) -> Descriptor:
    keys = {"ours": OUR_NAME, "containerd": CONTAINERD_NAME, "ref": REF_NAME}
    annotations = {keys[key]: value for key, value in notes.items()}
    return Descriptor(
        "application/vnd.oci.image.manifest.v1+json", DIGEST, 0, annotations=annotations
    )


@pytest.mark.parametrize(
    ("notes", "listed", "name"),
    [
        ({}, [], ""),
        ({"ref": "1.0"}, [], ""),
        ({"ref": "ghcr.io/octo/image:1"}, [], "ghcr.io/octo/image:1"),
        ({"ref": "1", "containerd": "ghcr.io/octo/image:1"}, [], "ghcr.io/octo/image:1"),
        ({"containerd": "docker.io/library/hello:1"}, [], "docker.io/library/hello:1"),
        ({"containerd": "docker.io/library/hello:1"}, ["hello:1"], "hello:1"),
        ({"containerd": "docker.io/octo/hello:1"}, ["octo/hello:1"], "docker.io/octo/hello:1"),
        ({"ours": "hello:1", "ref": "1"}, [], "hello:1"),
        ({"ours": "hello:1", "ref": "hello:1"}, [], "hello:1"),
        ({"ours": "hello:1", "ref": "2"}, [], ""),
        ({"ours": "hello:1", "ref": "ghcr.io/octo/image:2"}, [], "ghcr.io/octo/image:2"),
        ({"containerd": "ghcr.io/octo/image:1", "ref": "2"}, [], ""),
        ({"ours": "hello:1", "containerd": "docker.io/library/hello:1"}, [], "hello:1"),
    ],
)
def test_name_of_entry(notes: dict[str, str], listed: list[str], name: str) -> None:
    assert name_of(entry(**notes), short_names(listed)) == name


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("", ""),
        ("hello:1", "hello:1"),
        ("ghcr.io/octo/image:1", "ghcr.io/octo/image:1"),
        (f"ghcr.io/octo/image@{DIGEST}", ""),
        ("Not A Name", ""),
    ],
)
def test_docker_tag(name: str, tag: str) -> None:
    assert docker_tag(name) == tag


def test_name_annotations_for_all_readers() -> None:
    assert name_annotations("hello:1") == {
        OUR_NAME: "hello:1",
        REF_NAME: "hello:1",
        CONTAINERD_NAME: "docker.io/library/hello:1",
    }
    assert name_annotations("") == {}
    assert CONTAINERD_NAME not in name_annotations(f"ghcr.io/octo/image@{DIGEST}")

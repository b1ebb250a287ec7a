"""Finding referrers in all ways in use, and attaching files as artifacts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    GhcrctlError,
    ManifestUnknownError,
    NotFoundError,
    RefusedError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.artifact import FileEntry, attach, pull_artifact, push_artifact
from ghcrctl.operations.making.artifact_files import file_path
from ghcrctl.operations.registries.referrers import Node, referrers_tree
from ghcrctl.registry.referrers import referrers_tag
from tests.builders import Built, artifact, random_image
from tests.registry_double import Fault
from tests.sessions import name_at

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry, RegistryDouble

IMAGE = random_image(seed=1)
SBOM, SIGNATURE = "application/spdx+json", "application/vnd.dev.cosign.artifact.sig.v1+json"


def attested(image: Built) -> Built:
    """Build an index as buildx does: an image and its attestation."""
    proof = artifact("", payload=b"{}")
    entries = [
        {**image.root.to_json(), "platform": Platform("linux", "amd64").to_json()},
        {
            **proof.root.to_json(),
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": str(image.root.digest),
            },
        },
    ]
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    return Built(root, (*image.contents, *proof.contents, (root, raw)))


def shape(node: Node) -> list[object]:
    """Return a tree as nested lists of ways and kinds."""
    return [f"{node.way.value}: {node.kind}", *(shape(child) for child in node.children)]


@pytest.fixture(params=["list", "tag", "tag after a redirect"])
def name(
    request: pytest.FixtureRequest,
    session: Session,
    ghcr: RegistryDouble,
    plain_registry: PlainRegistry,
) -> Reference:
    """An image at registries with and without the referrers API."""
    if request.param == "list":
        plain_registry.push_image("octo/image", "1.0", IMAGE)
        return session.parse(f"{plain_registry.host}/octo/image:1.0")
    ghcr.moods.referrers = "missing" if request.param == "tag" else "redirect"
    ghcr.push_image("octo/image", "1.0", IMAGE)
    return name_at(ghcr, session)


def write(folder: Path, text: str) -> FileEntry:
    path = folder / f"{text}.txt"
    path.write_text(text)
    return FileEntry(path, "text/plain")


def test_referrers_of_all_kinds_are_found(
    session: Session, name: Reference, tmp_path: Path
) -> None:
    sbom = attach(session, name, [write(tmp_path, "a")], SBOM, annotations={})
    attach(session, name, [write(tmp_path, "b")], SIGNATURE, annotations={"k": "v"})
    attach(session, sbom.reference, [write(tmp_path, "c")], SIGNATURE, annotations={})
    tree = referrers_tree(session, name)
    found = sorted(shape(tree)[1:], key=str)
    assert found == [
        [f"referrer: {SBOM}", [f"referrer: {SIGNATURE}"]],
        [f"referrer: {SIGNATURE}"],
    ]
    assert tree.count == 3
    place = session.repository(name)
    manifest = json.loads(read_metadata(place, sbom.descriptor))
    assert manifest["subject"]["digest"] == str(IMAGE.root.digest)
    assert manifest["artifactType"] == SBOM
    assert place.resolve("1.0").digest == IMAGE.root.digest


def test_a_plain_image_has_no_referrers(session: Session, name: Reference) -> None:
    assert referrers_tree(session, name).count == 0


def test_attestations_belong_to_the_image_that_they_attest(
    ghcr: RegistryDouble, session: Session
) -> None:
    index = attested(IMAGE)
    ghcr.push_image("octo/image", "1.0", index)
    tag = referrers_tag(IMAGE.root.digest)
    ghcr.push_image("octo/image", f"{tag}.sig", artifact(SIGNATURE))
    ghcr.push_image("octo/image", f"{referrers_tag(index.root.digest)}.att", artifact("x/y"))
    tree = referrers_tree(session, name_at(ghcr, session))
    assert shape(tree) == [
        "root: ",
        ["platform: linux/amd64", ["buildx: attestation"], ["cosign tag: signature"]],
        ["cosign tag: attestation"],
    ]


@pytest.mark.parametrize(
    ("predicate", "title"),
    [
        ("https://slsa.dev/provenance/v1", "SLSA provenance"),
        ("https://slsa.dev/provenance/v0.2", "SLSA provenance"),
        ("https://spdx.dev/Document/v2.3", "SPDX SBOM"),
        ("https://cyclonedx.org/bom", "CycloneDX SBOM"),
        ("https://sigstore.dev/cosign/sign/v1", "signature"),
        ("https://example.com/mine/v1", "https://example.com/mine/v1"),
        ("", ""),
    ],
)
def test_the_type_is_that_of_the_manifest_and_a_bundle_has_a_name(
    ghcr: RegistryDouble, session: Session, predicate: str, title: str
) -> None:
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    notes = {"dev.sigstore.bundle.predicateType": predicate} if predicate else {}
    bundle = artifact(kind, subject=IMAGE.root, annotations=notes)
    ghcr.push_image("octo/image", "1.0", IMAGE)
    ghcr.push_image("octo/image", None, bundle)
    # cosign and go-containerregistry list only the type of the config.
    entry = {**bundle.root.to_json(), "artifactType": media_types.OCI_EMPTY}
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    ghcr.push_image("octo/image", referrers_tag(IMAGE.root.digest), Built(root, ((root, raw),)))
    [node] = referrers_tree(session, name_at(ghcr, session)).children
    assert (node.kind, node.title) == (kind, title)


def test_a_missing_referrer_is_shown_as_listed(ghcr: RegistryDouble, session: Session) -> None:
    gone = artifact(SBOM, subject=IMAGE.root)
    ghcr.push_image("octo/image", "1.0", IMAGE)
    entry = {**gone.root.to_json(), "artifactType": "x/listed"}
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    ghcr.push_image("octo/image", referrers_tag(IMAGE.root.digest), Built(root, ((root, raw),)))
    [node] = referrers_tree(session, name_at(ghcr, session)).children
    assert node.kind == "x/listed"


def test_a_cycle_of_referrers_ends(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    listed = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_INDEX,
        "manifests": [IMAGE.root.to_json()],
    }
    raw = json.dumps(listed).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    ghcr.push_image("octo/image", referrers_tag(IMAGE.root.digest), Built(root, ((root, raw),)))
    assert referrers_tree(session, name_at(ghcr, session)).count == 0


def test_an_invalid_referrers_list_is_an_error(
    plain_registry: PlainRegistry, session: Session
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    for body in (b'{"manifests": 7}', b'{"manifests": [{}]}', b"[]", b"no json"):
        plain_registry.faults.append(Fault(path_contains="/referrers/", body=body))
        with pytest.raises(GhcrctlError) as caught:
            referrers_tree(session, session.parse(f"{plain_registry.host}/octo/image:1.0"))
        assert caught.value.exit_status == 6


def test_pulled_files_equal_pushed_files(
    ghcr: RegistryDouble, session: Session, tmp_path: Path
) -> None:
    target = name_at(ghcr, session, "octo/files:1")
    files = [write(tmp_path, "one"), FileEntry(write(tmp_path, "two").path, title="sub/two.bin")]
    made = push_artifact(session, target, files, "application/x-thing", annotations={"a": "b"})
    manifest = json.loads(read_metadata(session.repository(target), made.descriptor))
    assert manifest["config"]["mediaType"] == media_types.OCI_EMPTY
    assert manifest["annotations"] == {"a": "b"}
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        "text/plain",
        "application/octet-stream",
    ]
    got = pull_artifact(session, target, tmp_path / "got")
    assert [(p.relative_to(tmp_path / "got").as_posix(), p.read_text()) for p in got] == [
        ("one.txt", "one"),
        ("sub/two.bin", "two"),
    ]
    # The same files give the same artifact.
    again = push_artifact(session, target, files, "application/x-thing", annotations={"a": "b"})
    assert again.descriptor == made.descriptor


@pytest.mark.parametrize(
    "title", ["../x", "/etc/x", "a/../../x", "..", "", ".", "a\\b", "C:x", "x\0"]
)
def test_a_file_is_never_written_outside(
    ghcr: RegistryDouble, session: Session, tmp_path: Path, title: str
) -> None:
    evil = artifact(payload=b"evil")
    body = json.loads(evil.raw)
    body["layers"][0]["annotations"] = {"org.opencontainers.image.title": title}
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_MANIFEST)
    ghcr.push_image("octo/evil", "1", Built(root, (*evil.contents[:-1], (root, raw))))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RefusedError, match="cannot write the artifact's file"):
        pull_artifact(session, name_at(ghcr, session, "octo/evil:1"), tmp_path / "got")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_image_is_not_an_artifact_of_files(
    ghcr: RegistryDouble, session: Session, tmp_path: Path
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with pytest.raises(UnsupportedError, match="not an artifact of named files"):
        pull_artifact(session, name_at(ghcr, session), tmp_path)


def test_an_invalid_artifact_is_an_error(
    ghcr: RegistryDouble, session: Session, tmp_path: Path
) -> None:
    target = name_at(ghcr, session, "octo/files:1")

    def push(*files: FileEntry) -> None:
        push_artifact(session, target, files, "a/b", annotations={})

    with pytest.raises(UsageError, match="needs at least one file"):
        push()
    with pytest.raises(UsageError, match="each needs its own name"):
        push(write(tmp_path, "a"), write(tmp_path, "a"))
    with pytest.raises(UnsupportedError, match="directory"):
        push(FileEntry(tmp_path))
    with pytest.raises(NotFoundError, match="no such file"):
        push(FileEntry(tmp_path / "none"))
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with pytest.raises(ManifestUnknownError):
        attach(session, name_at(ghcr, session, "octo/image:2"), [], "a/b", annotations={})
    assert ghcr.count("PUT") == 0


@pytest.mark.parametrize("title", ["nul.txt", "a/.. /b", "what?"])
def test_a_name_with_another_meaning_on_windows_is_refused_there(title: str) -> None:
    assert str(file_path(title, on_windows=False)) == title
    with pytest.raises(RefusedError, match="cannot write the artifact's file"):
        file_path(title, on_windows=True)

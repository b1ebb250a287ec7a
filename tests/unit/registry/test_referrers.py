"""The referrers list that clients maintain for registries without the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.credentials.credential_chain import CredentialChain
from ghcrctl.credentials.sources import Environment
from ghcrctl.errors import InvalidManifestError, ManifestUnknownError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import parse
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.referrers import add_referrer, list_referrers, referrers_tag
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport_options import TransportOptions
from tests.builders import Built, artifact, index_of, random_image
from tests.registry_double import Fault
from tests.unit.registry.bending import IMAGE

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry, RegistryDouble


def entries(client: RegistryClient) -> list[dict[str, object]]:
    raw = client.get_manifest("octo/image", referrers_tag(IMAGE.root.digest)).raw
    listed: list[dict[str, object]] = json.loads(raw)["manifests"]
    return listed


def test_referrers_are_listed_under_the_tag_of_their_subject_each_once(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    things = [
        artifact("application/vnd.example.sbom", subject=IMAGE.root, payload=b"1"),
        artifact("application/vnd.example.signature", subject=IMAGE.root, annotations={"a": "b"}),
    ]
    for thing in (*things, *things):
        plain_registry.push_image("octo/image", None, thing)
        add_referrer(client, "octo/image", parse(thing.raw, thing.root.media_type))
    assert [entry["digest"] for entry in entries(client)] == [str(t.root.digest) for t in things]
    assert entries(client)[1]["artifactType"] == "application/vnd.example.signature"
    assert entries(client)[1]["annotations"] == {"a": "b"}


def test_a_manifest_without_a_subject_is_not_listed(client: RegistryClient) -> None:
    add_referrer(client, "octo/image", parse(IMAGE.raw, IMAGE.root.media_type))
    with pytest.raises(ManifestUnknownError):
        entries(client)


def test_an_image_under_the_referrers_tag_is_not_changed(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    tag = referrers_tag(IMAGE.root.digest)
    plain_registry.push_image("octo/image", tag, random_image(1, seed=5))
    thing = artifact(subject=IMAGE.root)
    with pytest.raises(InvalidManifestError, match="is not an index"):
        add_referrer(client, "octo/image", parse(thing.raw, thing.root.media_type))
    assert client.get_manifest("octo/image", tag).raw == random_image(1, seed=5).raw


def test_an_index_with_a_subject_is_listed_too(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    index = index_of(IMAGE)
    raw = json.dumps({**json.loads(index.raw), "subject": IMAGE.root.to_json()}).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    built = Built(root, (*index.contents[:-1], (root, raw)))
    plain_registry.push_image("octo/image", None, built)
    add_referrer(client, "octo/image", parse(raw, media_types.OCI_INDEX))
    assert [entry["mediaType"] for entry in entries(client)] == [media_types.OCI_INDEX]


def test_entries_of_other_clients_are_kept_unchanged(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    other = random_image(1, seed=7)
    plain_registry.push_image("octo/image", None, other)
    theirs = {
        **other.root.to_json(),
        "artifactType": "application/vnd.example.theirs",
        "annotations": {"org.example": "kept"},
        "data": "e30=",
        "platform": {"os": "unknown", "architecture": "unknown"},
    }
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [theirs]}
    root = Descriptor.of(json.dumps(index).encode(), media_types.OCI_INDEX)
    listed = Built(root, ((root, json.dumps(index).encode()),))
    plain_registry.push_image("octo/image", referrers_tag(IMAGE.root.digest), listed)
    thing = artifact(subject=IMAGE.root)
    plain_registry.push_image("octo/image", None, thing)
    add_referrer(client, "octo/image", parse(thing.raw, thing.root.media_type))
    assert entries(client)[0] == theirs
    assert [entry["digest"] for entry in entries(client)[1:]] == [str(thing.root.digest)]


def push(client: RegistryClient, built: Built) -> None:
    """Push like the engine, children first."""
    place = MemoryPlace("the test")
    built.into(place)
    repository = Repository(client, "octo/image")
    for descriptor, _ in built.contents:
        repository.write(Content(place, descriptor))


def test_a_registry_that_lists_referrers_needs_no_list_of_ours(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    push(client, artifact(subject=IMAGE.root))
    assert plain_registry.count("PUT", "/manifests/sha256:") == 1
    assert plain_registry.count("", "/manifests/sha256-") == 0
    with pytest.raises(ManifestUnknownError):
        entries(client)


def test_a_push_maintains_the_list_without_the_api(ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    credential_chain = CredentialChain(
        [Environment({"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"})]
    )
    client = RegistryClient(
        ghcr.host, credentials=credential_chain, options=TransportOptions(), warn=lambda _: None
    )
    things = [artifact(subject=IMAGE.root, payload=bytes([number])) for number in range(3)]
    for thing in (*things, things[0]):
        push(client, thing)
    assert [entry["digest"] for entry in entries(client)] == [str(t.root.digest) for t in things]
    # An entry that is already listed is not written again.
    assert ghcr.count("PUT", "/manifests/sha256-") == 3
    # The API endpoint, which redirects to another host, is not used.
    assert ghcr.count("", "/referrers/") == 0
    client.close()


@pytest.mark.parametrize("listing", [b'{"manifests": []}', b'{"manifests": null}', b"{}"])
def test_an_empty_list_of_the_registry_is_completed_by_the_tag(
    client: RegistryClient, plain_registry: PlainRegistry, listing: bytes
) -> None:
    sbom = artifact("application/spdx+json", subject=IMAGE.root)
    plain_registry.push_image("octo/image", None, sbom)
    entry = sbom.root.to_json()
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry, entry]}
    raw = json.dumps(index).encode()
    client.put_manifest("octo/image", referrers_tag(IMAGE.root.digest), raw, media_types.OCI_INDEX)
    plain_registry.faults.append(Fault(path_contains="/referrers/", body=listing))
    found = list_referrers(client, "octo/image", IMAGE.root.digest)
    assert [descriptor.digest for descriptor in found] == [sbom.root.digest]


@pytest.mark.parametrize("what", ["image", "nothing", "denied", "nonsense"])
def test_an_empty_list_stays_empty_whatever_the_tag_is(
    client: RegistryClient, plain_registry: PlainRegistry, what: str
) -> None:
    tag = referrers_tag(IMAGE.root.digest)
    if what == "image":
        plain_registry.push_image("octo/image", tag, random_image(1, seed=5))
    if what == "denied":
        plain_registry.faults.append(Fault(path_contains=tag, status=403))
    if what == "nonsense":
        plain_registry.faults.append(Fault(path_contains=tag, status=200, body=b"<html>"))
    assert list_referrers(client, "octo/image", IMAGE.root.digest) == []


@pytest.mark.parametrize("subject", [IMAGE, index_of(IMAGE)], ids=["image", "index"])
@pytest.mark.parametrize("status", [200, 404, 406])
def test_a_tag_that_resolves_to_the_subject_is_not_a_list(
    client: RegistryClient, plain_registry: PlainRegistry, subject: Built, status: int
) -> None:
    tag = referrers_tag(subject.root.digest)
    plain_registry.push_image("octo/image", tag, subject)
    if status != 200:
        plain_registry.faults.append(Fault(path_contains="/referrers/", status=status, times=9))
    assert list_referrers(client, "octo/image", subject.root.digest) == []
    sbom = artifact("application/spdx+json", subject=subject.root)
    plain_registry.push_image("octo/image", None, sbom)
    add_referrer(client, "octo/image", parse(sbom.raw, sbom.root.media_type))
    listed = json.loads(client.get_manifest("octo/image", tag).raw)["manifests"]
    assert [entry["digest"] for entry in listed] == [str(sbom.root.digest)]

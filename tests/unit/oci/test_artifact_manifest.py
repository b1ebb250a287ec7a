"""Artifact manifests of the release candidates of the OCI image spec 1.1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghcrctl.errors import InvalidManifestError
from ghcrctl.github.manifest_facts import facts_of
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.oci.media_types import OCI_ARTIFACT, OCI_MANIFEST

BLOB = Descriptor.of(b"signed", "application/jose+json")
SUBJECT = Descriptor.of(b"subject", OCI_MANIFEST)
KIND = "application/vnd.cncf.notary.signature"


def written(**changed: Any) -> bytes:
    fields = {
        "mediaType": OCI_ARTIFACT,
        "artifactType": KIND,
        "blobs": [BLOB.to_json()],
        "subject": SUBJECT.to_json(),
        "annotations": {"a": "b"},
    }
    return json.dumps({k: v for k, v in {**fields, **changed}.items() if v is not None}).encode()


@pytest.mark.parametrize("media_type", ["", OCI_ARTIFACT, "application/json"])
@pytest.mark.parametrize("inner", [OCI_ARTIFACT, None])
def test_an_artifact_manifest_is_read(media_type: str, inner: str | None) -> None:
    raw = written(mediaType=inner)
    found = parse(raw, media_type)
    assert isinstance(found, Manifest)
    assert found.descriptor == Descriptor.of(raw, OCI_ARTIFACT)
    assert found.descriptor.is_manifest
    assert found.layers == found.children == (BLOB,)
    assert not found.has_config
    assert not found.is_image
    assert (found.subject, found.kind, found.annotations) == (SUBJECT, KIND, {"a": "b"})
    assert found.size == len(raw) + BLOB.size


def test_an_artifact_manifest_may_have_no_blobs() -> None:
    found = parse(written(blobs=None))
    assert found.children == ()
    assert found.subject == SUBJECT


@pytest.mark.parametrize("field", ["config", "layers", "manifests"])
def test_an_artifact_manifest_cannot_be_an_image_too(field: str) -> None:
    with pytest.raises(InvalidManifestError):
        parse(written(**{field: []}))


def test_an_image_manifest_requires_a_config() -> None:
    raw = json.dumps({"mediaType": OCI_MANIFEST, "config": BLOB.to_json(), "layers": []}).encode()
    found = parse(raw)
    assert isinstance(found, Manifest)
    assert found.has_config
    assert found.children == (BLOB,)


def test_blobs_without_an_artifact_type_are_invalid() -> None:
    with pytest.raises(InvalidManifestError):
        parse(written(mediaType=None, artifactType=None))


def test_facts_of_an_artifact_manifest_have_its_subject_and_blobs() -> None:
    facts = facts_of(written(), OCI_ARTIFACT)
    assert facts.subject == str(SUBJECT.digest)
    assert facts.blobs == ((str(BLOB.digest), BLOB.size),)
    assert (facts.kind, facts.config, facts.is_index) == (KIND, "", False)

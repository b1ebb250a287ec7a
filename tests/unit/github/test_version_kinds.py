"""The kind of a version, by its content first and by its tags second."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghcrctl.github.manifest_facts import Child, Facts, facts_of
from ghcrctl.github.subject_tags import names_subject
from ghcrctl.github.version_kinds import kind_of
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.media_types import (
    DOCKER_LAYER_GZIP,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
)
from tests.unit.github.graphs import SIGNATURE, Versions, digest_of, tag_for

DSSE = "application/vnd.dsse.envelope.v1+json"


def facts(*layers: str, config: str = OCI_CONFIG, **fields: Any) -> Facts:
    document = {
        "mediaType": OCI_MANIFEST,
        "config": Descriptor.of(b"{}", config).to_json(),
        "layers": [Descriptor.of(layer.encode(), layer).to_json() for layer in layers],
        **fields,
    }
    return facts_of(json.dumps(document).encode(), OCI_MANIFEST)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (facts(OCI_LAYER), ""),
        (facts(DOCKER_LAYER_GZIP), ""),
        (facts(f"{OCI_LAYER}+zstd+encrypted"), ""),
        (facts(), ""),
        (facts(SIGNATURE), SIGNATURE),
        (facts(DSSE, DSSE), DSSE),
        (facts(SIGNATURE, OCI_LAYER), ""),
        (facts(OCI_LAYER, config="application/vnd.example"), "application/vnd.example"),
        (facts(OCI_LAYER, artifactType="application/vnd.example"), "application/vnd.example"),
    ],
)
def test_layers_decide_if_the_config_is_an_images(found: Facts, kind: str) -> None:
    assert found.kind == kind


@pytest.mark.parametrize(
    ("kind", "suffix", "expected"),
    [
        (SIGNATURE, "", "signature"),
        (DSSE, "", "attestation"),
        ("text/spdx+json", "", "SBOM"),
        ("application/octet-stream", ".sbom", "SBOM"),
        ("application/octet-stream", ".att", "attestation"),
        ("application/octet-stream", ".sig", "signature"),
        ("application/octet-stream", ".other", "artifact"),
        ("application/octet-stream", "", "artifact"),
        (DSSE, ".sig", "attestation"),
        ("", ".sig", "image"),
        ("", "", "image"),
    ],
)
def test_the_type_takes_precedence_over_the_tag(kind: str, suffix: str, expected: str) -> None:
    versions = Versions().image("thing", tag_for("image", suffix), kind=kind)
    assert kind_of(versions.graph, digest_of("thing")) == expected


def test_a_list_of_referrers_is_distinguished_from_an_index_of_images() -> None:
    versions = Versions().image("bundle", kind=SIGNATURE).image("amd64")
    versions.index("list", ("bundle",), tag_for("image"))
    versions.index("index", ("amd64",), tag_for("other"))
    assert kind_of(versions.graph, digest_of("list")) == "referrers"
    assert kind_of(versions.graph, digest_of("index")) == "index"


INDEX = Facts(OCI_INDEX, 100, is_index=True, children=(Child("child"),))


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (Facts(OCI_MANIFEST, 1, is_index=False, subject="image"), True),
        (Facts(OCI_MANIFEST, 1, is_index=False, kind=SIGNATURE), True),
        (Facts(OCI_MANIFEST, 1, is_index=False), False),
        (None, False),
    ],
)
def test_entries_decide_whether_an_index_is_a_list(child: Facts | None, expected: bool) -> None:
    known = {"index": INDEX} | ({"child": child} if child else {})
    assert names_subject(f"sha256-{'ab' * 32}", "index", known) is expected


def test_an_entrys_manifest_takes_precedence_over_the_entry() -> None:
    entry = Child("child", artifact_type=SIGNATURE)
    listing = Facts(OCI_INDEX, 100, is_index=True, children=(entry,))
    image = Facts(OCI_MANIFEST, 1, is_index=False)
    tag = f"sha256-{'ab' * 32}"
    assert names_subject(tag, "index", {"index": listing})
    assert not names_subject(tag, "index", {"index": listing, "child": image})
